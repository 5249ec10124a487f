//! Nodes on a network of their own: one queue, real encodings, no real time; and one node against bad peers.

mod attested;
mod convergence;
mod eclipse;
mod lost;
mod network;
pub mod peers;
mod ring;
pub mod world;
