//! Totals of many people's numbers, computed by the real committee engine, with its faults and its liars, and held against a
//! reference model that adds the numbers up in the clear.
//!
//! Selection and broadcast are left out: the seats are given, and who contributes hears of it at once.
//!
//! | file | idea |
//! |---|---|
//! | `setting` | who takes part, and what each contributes: [`Setting`] |
//! | `trouble` | what goes wrong by accident: [`Faults`] |
//! | `player` | the programs of honest nodes and of liars: [`Liar`] |
//! | `run` | one computation, watched: [`Setting::run`] |
//! | `campaign` | many of them: [`Summary`] |

mod campaign;
mod player;
mod run;
mod setting;
mod trouble;

pub use campaign::Summary;
pub use player::{Liar, UnknownLiar};
pub use run::{Ended, Run};
pub use setting::{Setting, SettingError, Statistic};
pub use trouble::{Faults, UnknownFault};

#[cfg(test)]
mod tests;
