//! The evaluation of SEP2P §4: what a draw costs and leaks when every node of the network in turn is the execution setter.
//!
//! Nothing is signed, sent or stored that can be derived: a network is its sorted locations, fingers are found when they are
//! needed, candidate unions are intervals. So ten million nodes take seconds, and `sim/tests/counting.rs` holds every count
//! against the state machines that really sign and send.
//!
//! | file | idea |
//! |---|---|
//! | `population` | who sits where, and who colludes: [`Population`] |
//! | `around` | the nodes nearest to a point: [`Around`] |
//! | `overlay`, `chord`, `can` | how many hops a lookup takes: [`Overlay`], [`Can`] |
//! | `setting` | the k-table and the caches, in units of the ring: [`Setting`] |
//! | `values` | what chance decides in a draw: [`Values`] |
//! | `lots` | who is drawn |
//! | `cost` | asymmetric operations and messages: [`Cost`] |
//! | `draw` | one draw, counted: [`Counter`] |
//! | `survey` | a draw for every setter: [`Survey`] |
//! | `degree` | k for every node |
//! | `arcs` | where colluders can sign for each other |
//! | `upkeep` | what it costs to keep node caches right while nodes come and go: [`Upkeep`] |
//! | `statistic` | averages and the like: [`Statistic`] |
//! | `latency` | the longest chain of operations and of messages: [`Latency`] |
//! | `parallel` | work that several cores share |

mod arcs;
mod around;
mod can;
mod chord;
mod cost;
mod degree;
mod draw;
mod latency;
mod lots;
mod overlay;
pub mod parallel;
mod population;
mod setting;
mod statistic;
mod survey;
mod upkeep;
mod values;

pub use self::overlay::Overlay;
pub use arcs::{Arc, arcs};
pub use around::{Around, Seen};
pub use can::Can;
pub use cost::Cost;
pub use degree::{degrees, smallest_row};
pub use draw::{Counted, Counter};
pub use latency::Latency;
pub use population::{POPULATION_MAX, Population};
pub use setting::{Setting, Terms};
pub use statistic::Statistic;
pub use survey::{Survey, Totals};
pub use upkeep::{Upkeep, per_minute};
pub use values::{Forced, Values};
