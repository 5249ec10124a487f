//! The committee engine: one total over many people's vectors, computed by helpers of whom none sees a value.
//!
//! The seats of an actor list form m *lanes* of r *replicas* (design: aggregation, "Committee engine"). A contributor
//! splits its vector into m shares and seals one to each lane; whoever lacks one lane's share knows nothing. All replicas
//! of a lane hold the same shares, so some may crash or lie.
//!
//! 1. **Set up.** A replica of each lane makes the lane's secret, from which a key pair and a seed follow, and gives it to
//!    its lane mates; a caller, usually the querier, gathers the signatures of t of each lane ([`Event::LanesReady`]).
//! 2. **Contribute once, then leave.** A signed header commits to all shares; one bundle goes to one replica, which
//!    passes the ciphertexts on, to one seat of each lane and through it to all, and acknowledges. Nobody who does not
//!    match can be told from one who does.
//! 3. **Close.** Replicas sign what they hold, and tell all others. The candidates, of which t of every lane sign that they hold the share, are
//!    agreed on with [`crate::agreement`]: never two sets.
//! 4. **Prove**, where contributions come with a proof ([`crate::validity`]). Only now the lanes show their seeds, which
//!    together are the key; each checks its shares under it, and on those whose proofs hold there is a second agreement.
//! 5. **Count first.** Lane sums of the match counts go to the replicas only. Below the threshold they sign a refusal that
//!    says nothing else; otherwise each replica gives its lane's sum to the querier, without the groups that are too small
//!    and those from which these would follow.
//! 6. **Open.** A lane's sum counts when t of the lane signed it. What contradicts it means no answer, or is outvoted and
//!    named where fewer than t can lie ([`Terms::outvotes`]).
//!
//! In a tree of committees, steps 1 to 4 are the leaves' and steps 5 and 6 the root's; between them lane sums are added up
//! lane by lane ([`Place`]).
//!
//! What replicas say to each other and to the querier is sent again, every second, until the querier is done. Of a
//! contribution that a replica misses it is enough that its lane mates hold it.
//!
//! A replica that restarts in the middle keeps quiet for the rest of that question: its shares are gone, and it must not
//! vote twice.
//!
//! | file | idea |
//! |---|---|
//! | `terms` | what all parties to one computation know beforehand |
//! | `cells` | totals by group, and what of them is opened |
//! | `place` | the neighbours of a committee in its tree |
//! | `statement` | what a seat signs, and enough of one lane's signatures |
//! | `lanes` | the keys and seeds of the lanes |
//! | `calling` | gathering the keys before people are called |
//! | `commitments` | one digest for the commitments to all lanes' shares |
//! | `contribution` | one person's header and sealed shares |
//! | `holdings` | what a replica holds, in brief |
//! | `inclusion` | from what replicas hold to the one agreed set |
//! | `support` | why a set is the right one, in brief |
//! | `proofs` | what replicas tell each other of proofs |
//! | `message`, `fault` | what travels, and what no honest node sends |
//! | `contributor`, `replica`, `querier` | the three roles |
//! | `opening` | counts and sums by lanes |
//! | `evidence` | what convinces anyone of the totals |

mod calling;
mod cells;
mod commitments;
mod contribution;
mod contributor;
mod evidence;
mod expected;
mod fault;
mod holdings;
mod inclusion;
mod lanes;
mod message;
mod opening;
mod place;
mod proofs;
mod protocol;
mod querier;
mod replica;
mod statement;
mod support;
mod terms;

pub use cells::Totals;
pub use contribution::{Bundle, Item, LaneShare, Unfit, open_share};
pub use evidence::Evidence;
pub use expected::Expected;
pub use fault::{Failure, Misbehaviour};
pub use inclusion::{SetBody, Sets};
pub use lanes::{LaneKey, Seed};
pub use message::{Message, Way};
pub use place::{Above, Below, Catchment, Place};
pub use protocol::{Command, Committee, Event, Service, Timer};
pub use replica::{CERTIFIERS, Matter};
pub use statement::{Endorsed, LaneCount, LaneSum, LaneTotal, Signed};
pub use terms::{ANSWER_WITHIN, Terms};

#[cfg(test)]
mod tests;
