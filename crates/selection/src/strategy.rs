//! The paper's own protocols, to compare this crate's with: SEP2P as it was published, and the five others of §3.1 and §4.1.

mod builder;
mod checker;
mod context;
mod fault;
mod list;
mod lot;
mod message;
mod name;
mod node;
mod random;
mod selected;
mod setter;
mod trigger;
mod witness;

pub use checker::Checker;
pub use context::Setup;
pub use fault::{Breach, Refusal};
pub use list::{Relocation, SignedList, Signer};
pub use lot::{
    Candidates, commitment, commitment_with, draw_actors, near_region, near_size, pick, points,
    ranks, rehash, xor,
};
pub use message::{Message, Opening, RELOCATIONS_MAX, Request, STRANGERS_MAX};
pub use name::{Strategy, UnknownStrategy};
pub use node::{Command, Event, StrategyNode, Timer};
pub use random::{CommittedRandom, Part, hashes_of, value_of};
pub use selected::{Choice, Evidence, Selected, Verified, by_rank, tolerance};

#[cfg(test)]
mod tests;
