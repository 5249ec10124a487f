//! A community's life from founding on, with everybody who might cheat in it.

mod amending;
mod joining;
mod logging;
mod ticket;
mod world;
