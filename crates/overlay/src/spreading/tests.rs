//! What the tests of broadcast and records share: a community, and its overlay on a network of its own.

pub mod network;
pub mod victim;
pub mod world;
