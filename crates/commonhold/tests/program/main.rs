//! The program, as people run it.

mod common;
mod community;
mod cut;
mod daemon;
mod data;
mod joining;
mod keys;
mod printing;
