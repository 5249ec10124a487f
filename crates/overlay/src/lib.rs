//! The ring as a place: who is near whom, and how near is near enough.
//!
//! [`KTable`] answers how many nodes of which region include an honest one (SEP2P §3.3, §3.6).

mod binomial;
mod k_table;

pub use binomial::{Binomial, Tails, largest_chance};
pub use k_table::{Form, KTable, KTableError, Parameters, Row};
