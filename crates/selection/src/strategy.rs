//! The paper's own protocols, to compare this crate's with: SEP2P as it was published (§3.4 to §3.6), and the five others
//! against which it was measured (§3.1, §4.1).
//!
//! All are played by one [`StrategyNode`] and end with one [`Selected`]. None of them is for use: each has a hole that a
//! test shows.
//!
//! | file | idea |
//! |---|---|
//! | `name` | [`Strategy`], with the costs that the paper states |
//! | `node` | the roles of one node |
//! | `trigger` | T: a random by commit and open, and what each strategy does with it |
//! | `trigger/answers` | what T accepts from those that it asked |
//! | `witness` | TL: §3.4 steps 2 and 4, and the limits of §3.6 (ii) |
//! | `setter` | S: coordinates builders, or chooses the actors itself |
//! | `builder` | SL: §3.5 steps 4, 6 and 8 |
//! | `message` | what they say to each other |
//! | `lot` | commitments, XOR, repeated hashing and whom they draw: pure functions |
//! | `random` | VRND_T: [`CommittedRandom`] |
//! | `list` | VAL: [`SignedList`]; a sparse region: [`Relocation`] |
//! | `selected` | evidence and verifiers of all strategies |
//! | `checker` | signature checks, counted |
//! | `context` | whom a node knows |
//! | `fault` | what a peer can do wrong: [`Breach`], [`Refusal`] |
//!
//! # What each of them lets colluders do
//!
//! * **cost-optimal**: a corrupt T seats its friends.
//! * **security-optimal**: the last to open knows the random first and may fall silent; T draws as often as its participants
//!   let it, and chooses them. A verifier that does not know all nodes cannot check ranks.
//! * **ES.NAV**: whoever is near enough to the drawn point says that he is S, and seats whom he likes, genuine or not.
//! * **ES.AV**: the same, but the friends must have certificates.
//! * **M.Hash**: a friend near enough to an actor's point takes its seat, so that colluders are favoured at every seat.
//! * **paper**:
//!   * TLs and SLs are *any* k nodes of the region: T and S choose among subsets, and where the region holds more than k, T
//!     has more queries than one TL counts. TLs count per trigger; SLs count nothing, so that S asks them again until it
//!     likes the list.
//!   * The last to open, with T or S as its friend, knows the random first; its silence costs T a query and S nothing.
//!   * Each node looks for its own hash in the list of hashes and nobody for one that is there twice: a colluder repeats an
//!     honest node's commitment, later its number, and XOR cancels both. With T or S as their friend, colluders who are
//!     more than half of the k then choose RND_T or RND_S, although an honest node takes part.
//!   * The k-table bounds the colluders of *one given* region. A forger looks for a random whose point lies where k of his
//!     sit close together: a verifier of VAL does not see where RND_T came from.
//!   * No signature covers the question: a list serves every question asked within the tolerance of its timestamps.
//!   * An actor that all k builders named is not checked at all, which is safe as long as one of them is honest.
//!
//! # How to play a colluder
//!
//! A colluder is a changed program. It can wrap an honest [`StrategyNode`] and change what goes in and out, or speak for
//! itself: all messages are public, and so is what they are made of ([`commitment`], [`commitment_with`], [`xor`],
//! [`draw_actors`], [`Part::sign`], `signed_bytes` and `DOMAIN` of everything signed).
//!
//! # Where this is not the paper to the letter
//!
//! * VRND_T and VAL list their signers nearest first; the paper leaves the order open. A checker finds doubles that way. T is
//!   no TL of its own draw, and S no SL.
//! * Candidates travel by name. With an opening come the certificates of those that S need not know (outside of its own R3),
//!   with L2 those of the drawn actors that not every builder named, for step 8f.
//! * For a sparse region S gives the k signatures to T, who contacts the next S.
//! * S signs its choice in ES.NAV and ES.AV; see [`Selected::checks`] for what that and cert_T add to the paper's costs.
//! * M.Hash seats the next nearest where a node is the nearest to two points. Ranks count among the places still free.
//!
//! ```
//! use selection::strategy::Strategy;
//!
//! // What a verifier pays for 32 actors, when k = 4 and 1000 nodes collude.
//! let cost = |name: &str| name.parse().map(|s: Strategy| s.checks_of_paper(4, 1000, 32));
//! assert_eq!((cost("paper")?, cost("m.hash")?, cost("security-optimal")?), (8, 40, 2034));
//! # Ok::<(), selection::strategy::UnknownStrategy>(())
//! ```

mod builder;
mod checker;
mod context;
mod fault;
mod list;
mod lot;
mod message;
mod name;
mod node;
mod random;
mod selected;
mod setter;
mod trigger;
mod witness;

pub use checker::Checker;
pub use context::Setup;
pub use fault::{Breach, Refusal};
pub use list::{Relocation, SignedList, Signer};
pub use lot::{
    Candidates, commitment, commitment_with, draw_actors, near_region, near_size, pick, points,
    ranks, rehash, xor,
};
pub use message::{Message, Opening, RELOCATIONS_MAX, Request, STRANGERS_MAX};
pub use name::{Strategy, UnknownStrategy};
pub use node::{Command, Event, StrategyNode, Timer};
pub use random::{CommittedRandom, Part, hashes_of, value_of};
pub use selected::{Choice, Evidence, Selected, Verified, by_rank, tolerance};
pub use trigger::ATTEMPTS_MAX;

#[cfg(test)]
mod tests;
