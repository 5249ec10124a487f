//! The ring as a place: who is near whom, and how near is near enough.
//!
//! [`KTable`] answers how many nodes of which region include an honest one (SEP2P §3.3, §3.6); [`NodeCache`] holds the
//! certified nodes that one knows, and [`Membership`] fills it.

mod binomial;
mod cache;
mod k_table;
mod membership;

pub use binomial::{Binomial, Tails, largest_chance};
pub use cache::NodeCache;
pub use k_table::{Form, KTable, KTableError, Parameters, Row};
pub use membership::{Command, Event, Membership, Message, Tick};
