//! Gathering the keys of all lanes, so that people can be called to contribute.

use std::collections::BTreeMap;

use base::NodeId;

use crate::committee::fault::Misbehaviour;
use crate::committee::lanes::LaneKey;
use crate::committee::statement::{Endorsed, Signed};
use crate::committee::terms::Terms;

/// At one of the [`Terms::callers`].
#[derive(Debug, Default)]
pub struct Calling {
    /// By seat; a replica signs one key for each maker of its lane.
    keys: BTreeMap<u16, Vec<Signed<LaneKey>>>,
    ready: bool,
}

impl Calling {
    /// People have been called already, by an earlier process of this node.
    pub fn done() -> Self {
        Self {
            keys: BTreeMap::new(),
            ready: true,
        }
    }

    /// Whether every lane has a key of which enough replicas hold the secret.
    pub fn is_ready(&self) -> bool {
        self.ready
    }

    /// Takes a replica's word. Gives the keys of all lanes, once, each with one of its signatures.
    ///
    /// # Errors
    ///
    /// The check that failed.
    pub fn on_key(
        &mut self,
        terms: &Terms,
        from: NodeId,
        signed: Signed<LaneKey>,
    ) -> Result<Option<Vec<Signed<LaneKey>>>, Misbehaviour> {
        if terms.seats.get(signed.index()) != Some(&from) {
            return Err(Misbehaviour::Seat);
        }
        let said = self.keys.entry(signed.seat).or_default();
        let makers = usize::from(terms.sizes.replicas);
        if self.ready || said.len() >= makers || said.contains(&signed) {
            return Ok(None);
        }
        signed.check(terms)?;
        said.push(signed);
        let all = self.keys.values().flatten().cloned();
        let keys: Option<Vec<_>> = (0..terms.lanes())
            .map(|lane| Endorsed::of(terms, lane, all.clone())?.first())
            .collect();
        self.ready = keys.is_some();
        Ok(keys)
    }
}
