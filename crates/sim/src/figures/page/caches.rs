//! What is said of caches and actors: figures 7 and 8.

use super::{Found, Statement};
use crate::figures::cache_sizes;

impl Found<'_> {
    /// Figures 7, 8 and that of the actors.
    pub(super) fn on_caches(&self) -> Vec<Statement> {
        let moved =
            [32.0, 48.0, 64.0].map(|cache| self.y("figure-7", "Moved at least once", cache));
        let panels = self
            .figures
            .iter()
            .find(|one| one.name == "figure-8")
            .map(|one| &one.panels);
        let rate = |panel: usize, mtbf: usize, cache: f64| {
            let curve = panels.and_then(|panels| panels.get(panel)?.series.get(mtbf));
            let point = curve.and_then(|curve| curve.points.iter().find(|point| point.x == cache));
            point.map_or(f64::NAN, |point| point.y)
        };
        let (paper, ours) = (rate(0, 2, 512.0), rate(1, 2, 512.0));
        let largest = cache_sizes(self.options.nodes()).last().unwrap_or(0);
        let large = rate(0, 4, f64::from(largest));
        let panel = self
            .figures
            .iter()
            .find(|one| one.name == "figure-actors")
            .and_then(|one| one.panels.get(1));
        let messages = |series: &str, seats: f64| {
            let curve = panel.and_then(|panel| panel.series.iter().find(|one| one.name == series));
            let point = curve.and_then(|curve| curve.points.iter().find(|point| point.x == seats));
            point.map_or(f64::NAN, |point| point.y)
        };
        let growth = ["SEP2P, total work", "M.Hash, total work"]
            .map(|name| messages(name, 256.0) / messages(name, 8.0));
        vec![
            Statement {
                source: "§4.3, figure 7",
                says: "draws hardly ever move once the cache is larger than A = 32".into(),
                here: format!("{:.0} % with caches of 32, {:.1} % with 48, {:.4} % with 64", 100.0 * moved[0], 100.0 * moved[1], 100.0 * moved[2]),
                agrees: moved[1] < 0.01 && moved[2] < 1e-4,
                note: "table 3 names 48 as the size where it does not vary; ours is 512, as §4.3 ends",
            },
            Statement {
                source: "§4.3, figure 8",
                says: "a cache of 512 costs less than 1 signature per node and minute at an MTBF of 1 day".into(),
                here: format!("{paper:.2}; with our overlay {ours:.2}"),
                agrees: paper < 1.0,
                note: "the first as §3.6 sketches it, one check by each member of the region when a node goes and when it comes back. Ours has two signatures in a contact, and its newcomer checks all contacts that it is given",
            },
            Statement {
                source: "§4.3, figure 8",
                says: "caches of 32K are too dear even at an MTBF of 5 days".into(),
                here: format!("{large:.1} operations per node and minute with caches of {largest}"),
                agrees: large > 5.0,
                note: "",
            },
            Statement {
                source: "§4.3",
                says: "total messages grow linearly with A, as builders ask each candidate whether it is there".into(),
                here: format!("from A = 8 to 256 {:.1} times as many for SEP2P, {:.0} times for M.Hash", growth[0], growth[1]),
                agrees: growth[0] > 16.0,
                note: "our caches know who is there: nodes watch their neighbours all the time, and draws ask nobody",
            },
        ]
    }
}
