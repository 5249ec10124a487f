//! One person's node: membership, selection, the committee engine and the owner's consent, composed into one protocol.
//!
//! A question's life (design: a question's life), as seen from here:
//!
//! 1. The asker signs a [`Plan`] that fixes everything, and announces it to all ([`Command::Ask`]).
//! 2. Each node checks the asker's rights and the vocabulary, and applies its owner's rule or asks ([`Event::AskOwner`]).
//! 3. When the time for consent has passed, helpers are drawn; each checks the list and takes its seat. Once every lane has
//!    a key, all are called to contribute; each node checks the list itself, has its vault run the local part
//!    ([`Event::Measure`]), notes that it has contributed ([`Event::Store`]), and contributes.
//! 4. The totals come back with evidence; the asker puts both into a proof ([`proof`]).
//!
//! | file | idea |
//! |---|---|
//! | `plan` | what the asker fixes before the first message, and what everybody checks about it |
//! | `message` | what travels between nodes |
//! | `composition` | the children, and what goes in and out |
//! | `routes` | the routes between the children: an event of one becomes a command of another only here |
//! | `asking`, `serving`, `owning` | the node's three sides: asker, helper, owner |
//! | `helping` | what the node does for others, for its owner to see |
//! | `questions` | the questions that this node has heard of |
//! | `journal` | what must be on the disk before it may be said, and what a restarted node must know again |
//! | `lasting` | going on after a restart, and learning what was asked while the node was away |
//! | `lately` | how often the same node gets something |
//! | `publishing` | answers that their askers show to everybody |
//! | `epochs` | how a later epoch of the community reaches everybody |
//! | `reaching` | telling everybody, and finding helpers who are far away |
//! | [`recording`] | what a node was told, to be told again |
//! | [`proof`] | the proof file, made here and checked by anyone |

mod asking;
mod composition;
mod epochs;
mod helping;
mod journal;
mod lasting;
mod lately;
mod message;
mod owning;
mod plan;
pub mod proof;
mod publishing;
mod questions;
mod reaching;
pub mod recording;
mod routes;
mod serving;

pub use asking::{Answer, Ask, Failure, Stage};
pub use composition::{Command, Event, Node, Setup, SetupError, Timer};
pub use helping::{Progress, Role};
pub use journal::{entry_of_epoch, entry_of_restore};
pub use lasting::CONTACTS_MAX;
pub use message::{Cancellation, Drawn, Message, Purpose};
pub use owning::{Asked, Budget};
pub use plan::{CLOCK_SKEW, COLLECT_MAX, CONSENT_MAX, PURPOSE_MAX, Plan, PlanError, SignedPlan};
pub use publishing::{PUBLISHED_BYTES_MAX, Publication, PublishError, Published};
