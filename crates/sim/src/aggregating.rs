//! Totals of many people's numbers, computed by the real committee engine, with its faults and its liars, and held against a
//! reference model that adds the numbers up in the clear.
//!
//! Selection and broadcast are left out: the seats are given, and who contributes hears of it at once.
//!
//! | file | idea |
//! |---|---|
//! | `setting` | who takes part, and what each contributes: [`Setting`] |
//! | `grove` | the committees: one, or a tree of them |
//! | `choice` | what is the same for all runs, or drawn for each: [`Choice`] |
//! | `trouble` | what goes wrong by accident: [`Faults`] |
//! | `liar`, `lies` | who lies, and what of what is said and heard: [`Liar`] |
//! | `player` | the program of a node, with its lies and accidents |
//! | `ledger` | what was said by whom |
//! | `run`, `watch` | one computation, watched: [`Setting::run`] |
//! | `campaign` | many of them: [`Summary`] |

mod campaign;
mod choice;
mod grove;
mod ledger;
mod liar;
mod lies;
mod player;
mod run;
mod setting;
mod trouble;
mod watch;

pub use campaign::{Summary, Tally};
pub use choice::Choice;
pub use grove::Committee;
pub use ledger::Overheard;
pub use liar::{Liar, UnknownLiar};
pub use run::{Busiest, Ended, Run};
pub use setting::{CROWD_MIN, Setting, SettingError, Statistic};
pub use trouble::{Faults, Step, UnknownFault};

#[cfg(test)]
mod tests;
