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
    /// rs3.
    cache_share: f64,
}

impl Rules {
    /// Computes the table from the descriptor's N, C and α.
    ///
    /// # Errors
    ///
    /// When no table exists for these numbers.
    pub fn new(community: Arc<Community>) -> Result<Self, KTableError> {
        let table = KTable::of(community.descriptor())?;
        Ok(Self::with_table(community, table))
    }

    /// With a table of one's own: the paper's form, to compare. All nodes of a community must have the same.
    pub fn with_table(community: Arc<Community>, table: KTable) -> Self {
        let descriptor = community.descriptor();
        Self {
            cache_share: overlay::cache_share(descriptor.nodes, descriptor.cache_size, &table),
            table: Arc::new(table),
            community,
        }
    }

    /// The community that these rules belong to.
    pub fn community(&self) -> &Arc<Community> {
        &self.community
    }

    /// The k-table in force.
    pub fn table(&self) -> &KTable {
        &self.table
    }

    /// rs3: the share of the ring around a node of which its cache holds everyone.
    pub fn cache_share(&self) -> f64 {
        self.cache_share
    }

    /// The points of which a node at `location` knows all nodes that could be legitimate there.
    pub fn overseen(&self, location: Location) -> Region {
        Region::new(location, self.overseen_share())
    }

    fn overseen_share(&self) -> f64 {
        let widest = overlay::widest_region(self.community.descriptor().nodes, &self.table);
        // A cache that holds the whole ring oversees it.
        if self.cache_share >= 1.0 {
            1.0
        } else {
            (self.cache_share - widest).max(0.0)
        }
    }

    /// Who may be drawn around `point` (R3), when so many committees are drawn at once: each stays within its own arc, so
    /// that nobody sits in two. Smaller than a node cache by the widest region of the k-table: so each legitimate node's
    /// cache holds all of it, and one honest builder suffices for nobody to be left out.
    pub fn candidates(&self, point: Location, committees: u32) -> Region {
        let own_arc = 1.0 / f64::from(committees.max(1));
        Region::new(point, self.overseen_share().min(own_arc))
    }

    /// Whether every node's cache holds the whole ring.
    pub fn is_small(&self) -> bool {
        self.cache_share >= 1.0
    }

    /// About how many nodes may be drawn around one point.
    pub fn candidates_expected(&self, committees: u32) -> f64 {
        let own_arc = 1.0 / f64::from(committees.max(1));
        self.community.descriptor().nodes as f64 * self.overseen_share().min(own_arc)
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
