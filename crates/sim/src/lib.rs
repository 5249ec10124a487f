//! The simulator: the second host of every protocol, beside the live network.
//!
//! A [`Simulation`] runs any number of nodes of one [`base::Protocol`] on one event queue. Messages are really encoded
//! and decoded and their bytes counted; the [`NetworkModel`] gives latency, bandwidth and loss; faults are scripted as
//! [`Action`]s. Everything that happens follows from one seed, in integers, so a run replays bit for bit: two runs are
//! the same when their [`Simulation::fingerprint`]s are, and a failed check names its seed ([`Rerun`]). Of a community too
//! large to be there as a whole, nodes are made when they are needed ([`Simulation::populate`]).
//!
//! ```
//! use base::{Duration, Input, Instant, NodeId, Outbox, Output, Protocol};
//! use sim::{NetworkModel, Simulation};
//!
//! /// Sends back every number less one, until zero.
//! struct Countdown;
//!
//! impl Protocol for Countdown {
//!     type Message = u64;
//!     type Command = (NodeId, u64);
//!     type Event = NodeId;
//!     type Timer = ();
//!
//!     fn handle(&mut self, _: Instant, input: Input<Self>, out: &mut Outbox<Self>) {
//!         match input {
//!             Input::Command((to, number)) => out.send(to, number),
//!             Input::Message { from, message: 0 } => out.emit(from),
//!             Input::Message { from, message } => out.send(from, message - 1),
//!             Input::Timer(()) | Input::Unreachable(_) => {}
//!         }
//!     }
//! }
//!
//! let (a, b) = (NodeId([1; 32]), NodeId([2; 32]));
//! let mut simulation = Simulation::new(7, NetworkModel::INTERNET);
//! simulation.add(a, Countdown);
//! simulation.add(b, Countdown);
//! simulation.command(a, (b, 4));
//! assert!(simulation.run_until_idle(simulation.now() + Duration::from_secs(60)));
//! assert_eq!(simulation.drain_events().map(|(_, at, from)| (at, from)).collect::<Vec<_>>(), [(b, a)]);
//! assert_eq!(simulation.total().sent, 5);
//! ```
//!
//! [`community`] puts a whole community of real nodes into it, each with an owner, a value and a disk, and keeps what a
//! reference model needs to check answers.
//!
//! [`asking`] asks many of them while their nodes die.
//!
//! [`drawing`] plays draws of helpers among up to a million certified members, with their adversaries.
//!
//! [`aggregating`] computes totals by the committee engine, with its faults and liars.
//!
//! [`counting`] counts what draws cost among ten million nodes, each of them as the setter.
//!
//! [`chart`] draws figures of what was counted: SVG to look at, CSV to reckon with.
//!
//! [`figures`] draws the evaluation of the SEP2P paper from these counts, with [`chart`].
//!
//! [`hostile`] feeds arbitrary bytes to everything that reads any: for fuzzing, and for the replay of what fuzzing found.
//!
//! What it does not model: packets (a message arrives whole or not at all), congestion inside the network, the time that
//! a node computes.

pub mod aggregating;
pub mod asking;
pub mod chart;
pub mod community;
mod disk;
pub mod drawing;
mod engine;
mod faults;
pub mod figures;
pub mod hostile;
mod network;
mod rerun;
mod tap;

pub use counting::{self, Latency, parallel};
pub use engine::{Counters, START, Simulation};
pub use faults::{Action, Direction, Skew};
pub use network::{NetworkModel, PER_MILLION};
pub use rerun::{Rerun, seed_or};
pub use tap::Tap;
