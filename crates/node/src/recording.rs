//! What a node was told, kept so that another run of the same program can be told the same and must say the same.
//!
//! A node is a function of how it starts and of its inputs with their times. A recording holds these, and for each input a
//! digest of what the node said, so that the first difference is found. It holds the owner's values and the node's shares:
//! hosts encrypt it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use base::{Digest, Input, Instant, NodeId, Outbox, Output, Protocol as _, Rng, decode, encode};
use community::{Community, DescriptorError, Identity, SignedDescriptor};
use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};
use thiserror::Error;

use crate::composition::{Node, Setup, SetupError, Timer};
use crate::owning::Budget;
use crate::{epochs, publishing};

/// Longest piece that is read: all that a node may start with.
pub const PIECE_MAX: usize = 64 << 20;
// Next to these two the other entries of a journal are short.
const _: () = assert!(PIECE_MAX >= 2 * (epochs::KEPT_BYTES_MAX + publishing::HELD_BYTES_MAX));

/// How a recorded node started.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
#[cbor(map)]
pub struct Start {
    /// Whose identity it takes to replay this.
    #[n(0)]
    pub node: NodeId,
    /// When.
    #[n(1)]
    pub at: Instant,
    /// What all its chances follow from.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub seed: [u8; 32],
    /// Its community.
    #[n(3)]
    pub descriptor: SignedDescriptor,
    /// As in [`Setup`].
    #[n(4)]
    pub addresses: Vec<SocketAddr>,
    /// As in [`Setup`].
    #[n(5)]
    pub consent: question::Rules,
    /// As in [`Setup`].
    #[n(6)]
    pub budget: Option<Budget>,
    /// As in [`Setup`].
    #[n(7)]
    pub journal: Vec<(ByteVec, ByteVec)>,
}

/// One input, and what came of it.
#[derive(Debug, Encode, Decode)]
#[cbor(map)]
struct Step {
    #[n(0)]
    at: Instant,
    #[n(1)]
    heard: Heard,
    #[n(2)]
    said: Digest,
}

#[derive(Debug, Encode, Decode)]
enum Heard {
    #[n(0)]
    Command(#[n(0)] ByteVec),
    #[n(1)]
    Message(#[n(0)] NodeId, #[n(1)] ByteVec),
    /// By what it prints, which tells all timers of a node apart.
    #[n(2)]
    Timer(#[n(0)] String),
    #[n(3)]
    Unreachable(#[n(0)] NodeId),
}

/// Takes pieces of a recording: the encoded [`Start`], then one for each input.
pub type Sink = Box<dyn FnMut(Vec<u8>) + Send>;

/// Hands what a node is told to a sink.
pub(crate) struct Recorder(Sink);

/// An input that is being handled, encoded before the node takes it.
pub(crate) struct Begun(Heard);

impl Recorder {
    pub fn new(sink: Sink) -> Self {
        Self(sink)
    }

    pub fn begin(input: &Input<Node>) -> Begun {
        Begun(match input {
            Input::Command(command) => Heard::Command(encode(command).into()),
            Input::Message { from, message } => Heard::Message(*from, encode(message).into()),
            Input::Timer(timer) => Heard::Timer(format!("{timer:?}")),
            Input::Unreachable(node) => Heard::Unreachable(*node),
        })
    }

    pub fn end(&mut self, at: Instant, Begun(heard): Begun, out: &Outbox<Node>) {
        let said = digest(out);
        (self.0)(encode(&Step { at, heard, said }));
    }
}

/// Names what a node says, in order.
fn digest(out: &Outbox<Node>) -> Digest {
    let said = out.iter().map(|output| match output {
        Output::Send { to, message } => encode(&(to, ByteVec::from(encode(message)))),
        Output::Wake { at, timer } => encode(&(at, format!("{timer:?}"))),
        Output::Event(event) => format!("{event:?}").into_bytes(),
    });
    let said: Vec<_> = said.map(|said| Digest::of("said", &[&said])).collect();
    let parts: Vec<_> = said.iter().map(|said| &said.0[..]).collect();
    Digest::of("all said", &parts)
}

/// Why a recording cannot be replayed, or where the replay left it.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum ReplayError {
    /// It is another node's.
    #[error("this is a recording of the node {0}; give its folder with --dir")]
    OtherNode(NodeId),
    /// What it starts with makes no community.
    #[error("the recording's community does not hold: {0}")]
    Community(#[from] DescriptorError),
    /// What it starts with makes no node.
    #[error("the recorded node cannot start: {0}")]
    Setup(#[from] SetupError),
    /// A piece that this version of the program did not write.
    #[error("input {0} cannot be read: it was recorded by another version of the program")]
    Unreadable(u64),
    /// A timer that the node did not set this time.
    #[error("input {0} is a timer that the node has not set: it went another way before")]
    Timer(u64),
    /// The node said something else.
    #[error("input {number}, {what}, was answered otherwise than when it was recorded")]
    Differs {
        /// Which, from 1.
        number: u64,
        /// What it was, without what is in it.
        what: String,
    },
}

/// A recording that is played to a new node.
pub struct Replay {
    node: Node,
    /// Those that the node has set, by what they print.
    timers: BTreeMap<String, Timer>,
    inputs: u64,
    outputs: u64,
}

impl Replay {
    /// The recorded node, as it started.
    ///
    /// # Errors
    ///
    /// See [`ReplayError`].
    pub fn new(identity: Arc<Identity>, start: Start) -> Result<Self, ReplayError> {
        if identity.node() != start.node {
            return Err(ReplayError::OtherNode(start.node));
        }
        let community = Arc::new(Community::open(start.descriptor.clone())?);
        let node = Node::new(start.at, start.setup(identity, community))?;
        Ok(Self {
            node,
            timers: BTreeMap::new(),
            inputs: 0,
            outputs: 0,
        })
    }

    /// Plays the next piece.
    ///
    /// # Errors
    ///
    /// See [`ReplayError`]; what comes after means nothing.
    pub fn play(&mut self, piece: &[u8]) -> Result<(), ReplayError> {
        self.inputs += 1;
        let number = self.inputs;
        let unreadable = |_| ReplayError::Unreadable(number);
        let Step { at, heard, said } = decode(piece, PIECE_MAX).map_err(unreadable)?;
        let (what, input) = match heard {
            Heard::Command(command) => {
                let command = decode(&command, PIECE_MAX).map_err(unreadable)?;
                ("a command".into(), Input::Command(command))
            }
            Heard::Message(from, message) => {
                let message = decode(&message, PIECE_MAX).map_err(unreadable)?;
                (
                    format!("a message of {from:?}"),
                    Input::Message { from, message },
                )
            }
            Heard::Timer(name) => {
                let timer = self.timers.get(&name).ok_or(ReplayError::Timer(number))?;
                (format!("the timer {name}"), Input::Timer(*timer))
            }
            Heard::Unreachable(node) => (
                format!("that {node:?} cannot be reached"),
                Input::Unreachable(node),
            ),
        };
        let mut out = Outbox::new();
        self.node.handle(at, input, &mut out);
        if digest(&out) != said {
            return Err(ReplayError::Differs { number, what });
        }
        for output in out.drain() {
            self.outputs += 1;
            if let Output::Wake { timer, .. } = output {
                self.timers.insert(format!("{timer:?}"), timer);
            }
        }
        Ok(())
    }

    /// How many inputs were played.
    pub fn inputs(&self) -> u64 {
        self.inputs
    }

    /// How much the node said to them.
    pub fn outputs(&self) -> u64 {
        self.outputs
    }
}

impl Start {
    /// What the node is made of.
    pub fn setup(self, identity: Arc<Identity>, community: Arc<Community>) -> Setup {
        let journal = self.journal.into_iter();
        Setup {
            identity,
            community,
            addresses: self.addresses,
            consent: self.consent,
            budget: self.budget,
            journal: journal
                .map(|(key, value)| (key.into(), value.into()))
                .collect(),
            rng: Rng::from_seed(self.seed),
        }
    }
}
