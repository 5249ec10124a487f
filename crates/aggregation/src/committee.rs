//! The committee engine: one total over many people's vectors, computed by helpers of whom none sees a value.
//!
//! The seats of an actor list form m *lanes* of r *replicas* (design: aggregation, "Committee engine"). A contributor
//! splits its vector into m shares and seals one to each lane; whoever lacks one lane's share knows nothing. All replicas
//! of a lane hold the same shares, so some may crash or lie.
//!
//! 1. **Set up.** A replica of each lane makes the lane's key pair and gives the secret to its lane mates; the querier
//!    collects the signatures of a majority of each lane ([`Event::LanesReady`]).
//! 2. **Contribute once, then leave.** A signed header commits to all shares; one bundle goes to one replica, which
//!    passes the ciphertexts on in batches and acknowledges. Nobody who does not match can be told from one who does.
//! 3. **Close and agree.** Replicas sign what they hold. The candidates, of which a majority of every lane signs that it
//!    holds the share, are agreed on with [`crate::agreement`]: never two sets.
//! 4. **Count first.** Lane sums of the match counts go to the replicas only. Below the threshold they sign a refusal that
//!    says nothing else; otherwise each replica gives its lane's sum to the querier, without the groups that are too small
//!    and those from which these would follow.
//! 5. **Open.** A lane's sum counts when a majority of the lane signed it; a signed conflicting value means no answer.
//!
//! What replicas say to each other and to the querier is sent again, every second, until the querier is done. Of a
//! contribution that a replica misses it is enough that its lane mates hold it.
//!
//! Not here yet: proofs that a contribution is valid, and trees of committees. A replica that restarts in the middle keeps
//! quiet for the rest of that question: its shares are gone, and it must not vote twice.
//!
//! | file | idea |
//! |---|---|
//! | `terms` | what all parties to one computation know beforehand |
//! | `cells` | totals by group, and what of them is opened |
//! | `statement` | what a seat signs, and a majority of one lane's signatures |
//! | `contribution` | one person's header and sealed shares |
//! | `inclusion` | from what replicas hold to the one agreed set |
//! | `message`, `fault` | what travels, and what no honest node sends |
//! | `contributor`, `replica`, `querier` | the three roles |
//! | `opening` | counts and sums by lane majority |
//! | `evidence` | what convinces anyone of the totals |

mod cells;
mod contribution;
mod contributor;
mod evidence;
mod fault;
mod inclusion;
mod message;
mod opening;
mod protocol;
mod querier;
mod replica;
mod statement;
mod terms;

pub use cells::Totals;
pub use contribution::{Bundle, Item, open_share};
pub use evidence::Evidence;
pub use fault::{Failure, Misbehaviour};
pub use inclusion::SetBody;
pub use message::Message;
pub use protocol::{Command, Committee, Event, Timer};
pub use statement::{Endorsed, LaneCount, LaneKey, LaneSum, LaneTotal, Signed};
pub use terms::{ANSWER_WITHIN, Terms};

#[cfg(test)]
mod tests;
