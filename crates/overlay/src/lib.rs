//! The ring as a place: who is near whom, and how near is near enough (SEP2P §3; design: overlay).
//!
//! | file | idea |
//! |---|---|
//! | `k_table` | how many nodes of which region include an honest one: [`KTable`] |
//! | `binomial` | the probabilities behind it, the same to the last bit everywhere: [`Binomial`] |
//! | `cache` | the certified nodes that one knows, and those of them near a point: [`NodeCache`] |
//! | `view` | the cache with fingers across the ring: [`View`] |
//! | `membership` | how the members of a small community come to know each other: [`Membership`] |
//! | `membership/message` | what they say to each other |
//! | `protocol` | what follows, in one protocol: [`Overlay`](protocol::Overlay) |
//! | `broadcast` | telling something to every node: [`Broadcast`](broadcast::Broadcast) |
//! | `records` | small signed words, kept by the nodes near their places: [`Records`](records::Records) |
//! | `misbehaviour` | what a peer can do wrong: [`Misbehaviour`] |
//! | `distrust` | peers who are not listened to for a while |
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

mod binomial;
pub mod broadcast;
mod cache;
mod distrust;
mod k_table;
mod membership;
mod misbehaviour;
pub mod protocol;
pub mod records;
mod view;

pub use binomial::{Binomial, Tails, largest_chance};
pub use cache::NodeCache;
pub use k_table::{Form, KTable, KTableError, Parameters, Row};
pub use membership::{Command, Event, Membership, Message, Tick};
pub use misbehaviour::Misbehaviour;
pub use view::{View, cache_share, widest_region};

#[cfg(test)]
mod tests;
