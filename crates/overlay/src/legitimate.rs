//! Who is legitimate: the k-table applied to the nodes that one knows (SEP2P §3.3, §3.6).

use std::sync::Arc;

use base::{Location, NodeId, Region};
use community::{Contact, Descriptor};

use crate::{KTable, KTableError, NodeCache, Parameters};

impl KTable {
    /// The table of a community, from its N, C and α.
    ///
    /// # Errors
    ///
    /// When no table exists for these numbers.
    pub fn of(descriptor: &Descriptor) -> Result<Self, KTableError> {
        let Descriptor {
            nodes,
            colluders,
            alpha,
            ..
        } = *descriptor;
        Self::new(Parameters::new(nodes, colluders, alpha))
    }

    /// The region around `centre` in which k nodes include an honest one, if the table has a row for this k.
    pub fn region(&self, centre: Location, k: usize) -> Option<Region> {
        let row = self.row(u32::try_from(k).ok()?)?;
        Some(Region::new(centre, row.region_size))
    }

    /// The smallest k for which enough of the nodes that `keep` keeps are near `centre`, and those k nodes, nearest first.
    /// The smallest k and the nearest nodes, so that nobody chooses among subsets.
    pub fn legitimate(
        &self,
        cache: &NodeCache,
        centre: Location,
        keep: impl Fn(NodeId) -> bool,
    ) -> Option<Vec<Arc<Contact>>> {
        self.rows().iter().find_map(|row| {
            let k = row.k as usize;
            let region = Region::new(centre, row.region_size);
            let mut found = cache.within(centre, &region, &keep);
            found.truncate(k);
            (found.len() == k).then_some(found)
        })
    }

    /// Who must speak for `centre` where no row has enough nodes, as when a community is founded: all in the last row's
    /// region, fewer than its k.
    pub fn founders(&self, cache: &NodeCache, centre: Location) -> Vec<Arc<Contact>> {
        let last = self.rows().last().expect("a table has rows");
        let region = Region::new(centre, last.region_size);
        cache.within(centre, &region, |_| true)
    }
}
