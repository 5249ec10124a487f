//! Members on a network of their own: one queue, real encodings, no real time; and one member against bad peers.

mod convergence;
mod network;
mod peers;
mod world;
