//! The ring as a place: who is near whom, and how near is near enough (SEP2P §3; design: overlay).
//!
//! | file | idea |
//! |---|---|
//! | `k_table` | how many nodes of which region include an honest one: [`KTable`] |
//! | `binomial` | the probabilities behind it, the same to the last bit everywhere: [`Binomial`] |
//! | `cache` | the certified nodes that one knows, and those of them near a point: [`NodeCache`] |
//! | `legitimate` | who is legitimate for a point: the k-table applied to a cache |
//! | `view` | the cache with fingers across the ring: [`View`] |
//! | `near` | the nodes nearest to a place, and whether one knows them all |
//! | `membership` | how nodes keep their caches the same where their regions overlap |
//! | `membership/learning` | what is taken for true |
//! | `membership/message` | what they say to each other |
//! | `stretch` | how a word reaches everybody on one side of a node over few connections |
//! | `liveness` | who is up: pings, farewells, the memory of those who went |
//! | `attestation` | a cache that k legitimate nodes vouch for, and why that makes newcomers' caches valid |
//! | `attesting`, `joining`, `joining/attempt` | the two sides of a join |
//! | `routing`, `routing/lookup`, `routing/checked` | Chord: finding the node nearest to any point |
//! | `ring`, `ring/hearing` | all of it as one protocol: [`Ring`] |
//! | `breach` | what no honest node does there |
//! | `broadcast` | telling something to every node: [`Broadcast`](broadcast::Broadcast) |
//! | `records` | small signed words, kept by the nodes near their places: [`Records`](records::Records) |
//! | `distrust` | peers who are not listened to for a while |
//! | `spreading`, `spreading/breach` | these two as one protocol: [`Spreading`], and what no honest node does there |
//! | `locating` | asking those around a point where named nodes are |
//! | `met` | where nodes outside of the view were last found |
//! | `protocol` | both protocols in one: [`Overlay`] |
//!
//! It knows nothing of draws and questions: who is legitimate for what, is for `selection` to say.
//!
//! ```
//! use overlay::{KTable, Parameters};
//!
//! // 1000 nodes of whom 10 collude: the fewest witnesses of whom one is honest, but for a chance of one in a million.
//! let table = KTable::new(Parameters::new(1000, 10, 1e-6))?;
//! let fewest = &table.rows()[0];
//! assert_eq!(fewest.k, 2);
//! // Two are enough only if they sit as close together as two of so few colluders never do.
//! assert!(fewest.region_size < 1e-8);
//! // Eleven always are: one of them is honest wherever they sit.
//! assert!(table.rows().iter().all(|row| row.k <= 11));
//! # Ok::<(), overlay::KTableError>(())
//! ```

mod at_most;
mod attestation;
mod attesting;
mod binomial;
mod breach;
pub mod broadcast;
mod cache;
mod distrust;
mod joining;
mod k_table;
mod legitimate;
mod liveness;
pub mod locating;
mod membership;
mod met;
mod near;
mod protocol;
pub mod records;
pub mod ring;
mod routing;
pub mod spreading;
mod stretch;
#[cfg(test)]
mod tests;
mod view;

pub use at_most::AtMost;
pub use attestation::Standing;
pub use binomial::{Binomial, Tails, largest_chance};
pub use breach::RingBreach;
pub use cache::NodeCache;
pub use k_table::{Form, KTable, KTableError, Parameters, Row};
pub use liveness::MISSED_MAX;
pub use membership::CONTACTS_MAX;
pub use protocol::{Command, Event, Message, Misbehaviour, Overlay, Timer};
pub use ring::Ring;
pub use spreading::Spreading;
pub use spreading::breach::SpreadingBreach;
pub use view::{NEIGHBOURS, View, cache_share, widest_region};
