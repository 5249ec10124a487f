//! Broadcasts on a network of their own; and one node against bad peers.

mod limits;
mod peers;
mod spans;
mod spreading;
