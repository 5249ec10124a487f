//! The evaluation of SEP2P §4: what a draw costs and leaks when every node of the network in turn is the execution setter.
//!
//! Nothing is signed, sent or stored that can be derived: a network is its sorted locations, fingers are found when they are
//! needed, candidate unions are intervals. So ten million nodes take seconds, and `tests/counting.rs` holds every count
//! against the state machines that really sign and send.
//!
//! | file | idea |
//! |---|---|
//! | `population` | who sits where, and who colludes: [`Population`] |
//! | `cost` | operations and messages: [`Cost`] |
//! | `upkeep` | what it costs to keep node caches right while nodes come and go: [`Upkeep`] |

mod cost;
mod population;
mod upkeep;

pub use cost::Cost;
pub use population::Population;
pub use upkeep::{Upkeep, per_minute};
