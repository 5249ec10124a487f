//! The program, as people run it.

mod common;
mod daemon;
mod data;
mod printing;
