//! Draws of helpers in large communities, played by the real state machines with real signatures, and by their adversaries.
//!
//! | file | idea |
//! |---|---|
//! | `crowd` | many certified members, of whom some collude: [`Crowd`] |
//! | `contender` | what the hardened protocol and the paper's have in common: [`Contender`] |
//! | `play` | one draw among members who are woken when they are needed: [`play`] |
//! | `gang` | the programs that colluders run instead: [`Adversary`] |
//! | `forge` | lists that colluders sign among themselves |
//! | `campaign` | many draws, and what they cost and leak: [`Campaign`] |

mod campaign;
mod contender;
mod crowd;
pub mod forge;
mod gang;
mod play;

pub use campaign::{Campaign, Summary};
pub use contender::{Contender, Outcome, Question, Said};
pub use crowd::{Crowd, CrowdError, Members, Size};
pub use gang::{Adversary, Colluding, Gang, UnknownAdversary};
pub use play::{Listener, Played, Scene, play};
