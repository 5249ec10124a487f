//! What every role needs: who we are, the rules, whom we know.

use std::sync::Arc;

use base::{Location, NodeId, Region};
use community::{Contact, Identity};
use overlay::NodeCache;

use super::lot::Candidates;
use super::name::Strategy;
use crate::limit::WITNESSES_MAX;
use crate::rules::Rules;

/// What a community agrees on besides its rules.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Setup {
    /// How it selects.
    pub strategy: Strategy,
    /// rs3: total width of R3 as a share of the ring, 0 to 1. Candidates come from R3 around the drawn point, and a node's
    /// cache is complete in R3 around itself. 1 for a full mesh.
    pub region_size: f64,
}

/// Shared by the roles of one node.
pub struct Context {
    /// Our keys.
    pub identity: Arc<Identity>,
    /// The community's rules.
    pub rules: Rules,
    /// What it agrees on besides.
    pub setup: Setup,
    /// Whom we know, each genuine, ourselves among them.
    pub cache: Arc<NodeCache>,
}

impl Context {
    /// Our own name.
    pub fn own(&self) -> NodeId {
        self.identity.node()
    }

    /// R3 around a point.
    pub fn region(&self, centre: Location) -> Region {
        Region::new(centre, self.setup.region_size)
    }

    /// The node nearest to `point`, without those, when our cache tells for certain: all that is nearer than the one found
    /// must lie where the cache is complete.
    pub fn nearest(&self, point: Location, without: &[NodeId]) -> Option<Arc<Contact>> {
        let found = self.cache.nearest(point, |node| !without.contains(&node))?;
        let own = self.identity.certificate.location();
        let reach = own.0.wrapping_sub(self.region(own).begins().0);
        let away = own.distance(point);
        let certain = away.saturating_add(point.distance(found.location())) <= reach;
        (certain || self.setup.region_size >= 1.0).then(|| Arc::clone(found))
    }

    /// CL_j: those of our cache that are legitimate with respect to R3 around `point`.
    pub fn candidates(&self, point: Location) -> Candidates {
        let region = self.region(point);
        Candidates::new(self.cache.inside(&region).map(|contact| contact.node()))
    }

    /// The nodes that make the random of a trigger at `centre`, without those: the k nearest, for the smallest k that the
    /// table has there; in the security-optimal strategy any C + 1, here the next clockwise.
    pub fn witnesses(&self, centre: Location, without: &[NodeId]) -> Option<Vec<Arc<Contact>>> {
        let keep = |node| !without.contains(&node);
        if self.setup.strategy != Strategy::SecurityOptimal {
            return self.rules.legitimate(&self.cache, centre, keep);
        }
        let count = self.rules.community().descriptor().colluders as usize + 1;
        let all = self.cache.clockwise(centre);
        let chosen = all.filter(|contact| keep(contact.node())).take(count);
        let chosen: Vec<_> = chosen.cloned().collect();
        (chosen.len() == count && count <= WITNESSES_MAX).then_some(chosen)
    }
}
