//! Who is legitimate: the k-table applied to one community (SEP2P §3.3, §3.6).

use std::sync::Arc;

use base::{Location, NodeId, Region};
use community::{Community, Contact};
use overlay::{KTable, KTableError, NodeCache};

/// A community with its k-table: all that one needs to judge a draw.
#[derive(Debug, Clone)]
pub struct Rules {
    community: Arc<Community>,
    table: Arc<KTable>,
}

impl Rules {
    /// Computes the table from the descriptor's N, C and α.
    ///
    /// # Errors
    ///
    /// When no table exists for these numbers.
    pub fn new(community: Arc<Community>) -> Result<Self, KTableError> {
        let table = Arc::new(KTable::of(community.descriptor())?);
        Ok(Self { community, table })
    }

    /// The community that these rules belong to.
    pub fn community(&self) -> &Arc<Community> {
        &self.community
    }

    /// The k-table in force.
    pub fn table(&self) -> &KTable {
        &self.table
    }

    /// The region around `centre` in which k nodes include an honest one, if the table has a row for this k.
    pub fn region(&self, centre: Location, k: usize) -> Option<Region> {
        self.table.region(centre, k)
    }

    /// The smallest k for which enough nodes are near `centre`, and those k nodes, nearest first. The smallest k and the
    /// nearest nodes, so that nobody chooses among subsets.
    pub fn legitimate(
        &self,
        cache: &NodeCache,
        centre: Location,
        keep: impl Fn(NodeId) -> bool,
    ) -> Option<Vec<Arc<Contact>>> {
        self.table.legitimate(cache, centre, keep)
    }
}
