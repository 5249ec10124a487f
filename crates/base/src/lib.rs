//! The words that every other crate speaks: who ([`NodeId`]), where ([`Location`], [`Region`]), when
//! ([`Instant`]), by what chance ([`Rng`]), in which bytes ([`encode`], [`decode`]) and in which shape
//! ([`Protocol`]).
//!
//! Nothing here knows what a question or a committee is, and nothing here does input or output: no clock, no socket,
//! no file, no entropy of its own. A host hands all of these in, so that the same code runs in the simulator and on a
//! real network and a run replays from its seed.
//!
//! ```
//! use base::{Digest, decode, encode};
//!
//! let digest = Digest::of("example", &[b"some", b"parts"]);
//! let bytes = encode(&digest);
//! assert_eq!(decode::<Digest>(&bytes, 64), Ok(digest));
//! assert!(decode::<Digest>(&bytes[1..], 64).is_err());
//! ```

mod codec;
mod id;
mod protocol;
mod rng;
pub mod shared;
mod space;
mod time;

pub use codec::{DecodeError, VERSION, Wire, decode, encode};
pub use id::{Digest, NoName, NodeId};
pub use minicbor;
pub use protocol::{Input, Outbox, Output, Protocol};
pub use rng::Rng;
pub use space::{Location, Region};
pub use time::{Duration, Instant};
