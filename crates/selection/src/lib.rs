//! Verifiable random selection of helpers: SEP2P §3.4 to §3.6, hardened as the design's section "Selection" says.
//!
//! A trigger (T) wants actors that no colluders could influence. The k nodes nearest to it (TL) each give the one value
//! that their VRF key has for this draw; together they displace the draw to a random point of the ring. The node nearest
//! to that point (S) has the k nodes nearest to it (SL) commit to the candidates they know, add their own values, and sign
//! the list that follows. Anyone checks the result with 2k signature checks: [`ActorList::verify`].
//!
//! Nobody picks a subset (the nearest nodes, checked by every witness; a node said to be away is probed), nobody picks a
//! value (VRFs), and a draw is for one plan whose digest everything binds. It deliberately does not spread the question,
//! keep the node cache or decide who may ask: that is done above and below.
//!
//! | file | idea |
//! |---|---|
//! | `protocol` | the three roles of one node, and which message is for which |
//! | `trigger`, `setter`, `witness` | T; S; TL and SL |
//! | `random` | the trigger's random with its evidence |
//! | `list` | the actor list and its check |
//! | `rules` | the k-table applied to one community: who is legitimate |
//! | `context` | what all roles of a node share: whom it knows, which questions are open |
//! | `message`, `fault` | what travels, and what no honest node sends |

mod context;
mod fault;
mod list;
mod message;
mod protocol;
mod random;
mod rules;
mod setter;
#[cfg(test)]
mod tests;
mod trigger;
mod witness;

pub use context::Announced;
pub use fault::{Misbehaviour, Refusal};
pub use list::{ActorList, Builder, ListBody, SEATS_MAX};
pub use message::{BuildRequest, Message, Opened, Opening, SetterRequest, Step, TriggerRequest};
pub use protocol::{Command, Event, Failure, Selection, Timer};
pub use random::{DRAW_TOLERANCE, Draw, TriggerPart, VerifiableRandom, point_of};
pub use rules::Rules;
