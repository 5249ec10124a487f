//! What one replica remembers across a restart.

use base::{Digest, NodeId, decode};
use minicbor::{Decode, Encode};

use super::config::{Config, ConfigError};
use super::message::{Decision, Lock, NewView};

/// All that a replica must remember to keep its word across a restart.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(super) struct State {
    #[n(0)]
    pub(super) instance: Digest,
    /// The view it is in; it votes in no earlier one.
    #[n(1)]
    pub(super) view: u64,
    /// What it prevoted in this view.
    #[n(2)]
    pub(super) prevoted: Option<Digest>,
    /// Its statement on moving to this view.
    #[n(3)]
    pub(super) statement: Option<NewView>,
    /// The highest proof of a quorum of prevotes that it has seen; it committed to nothing higher.
    #[n(4)]
    pub(super) lock: Option<Lock>,
    /// The end.
    #[n(5)]
    pub(super) decision: Option<Decision>,
}

impl State {
    pub(super) fn new(instance: Digest) -> Self {
        Self {
            instance,
            view: 0,
            prevoted: None,
            statement: None,
            lock: None,
            decision: None,
        }
    }

    pub(super) fn restore(bytes: &[u8], me: NodeId, config: &Config) -> Result<Self, ConfigError> {
        let state: Self = decode(bytes, bytes.len()).map_err(|_| ConfigError::State)?;
        let statement = match &state.statement {
            None => state.view == 0,
            Some(statement) => {
                statement.view == state.view && statement.check(me, config.instance).is_ok()
            }
        };
        let lock = state
            .lock
            .as_ref()
            .is_none_or(|lock| config.check_lock(lock).is_ok());
        let decision = state
            .decision
            .as_ref()
            .is_none_or(|d| config.check_decision(d).is_ok());
        let whole = statement && lock && decision && state.instance == config.instance;
        if whole {
            Ok(state)
        } else {
            Err(ConfigError::State)
        }
    }
}
