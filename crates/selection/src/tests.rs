//! Draws on a network of their own: one queue, real encodings, no real time. Nodes die, messages are lost and changed.

mod builders;
mod draws;
mod evidence;
mod failures;
mod fuzz;
mod limits;
mod lists;
mod network;
mod regions;
mod setters;
mod talk;
mod triggers;
mod witnesses;
mod world;
