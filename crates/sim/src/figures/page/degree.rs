//! What is said of k and of α: §4.1, and figure 6.

use overlay::{Form, KTableError, Parameters};

use super::{Found, Statement, list};
use crate::counting::{Around, Population, Setting, Terms, smallest_row};
use crate::figures::words::{grouped, power, short};
use crate::figures::{Options, colluders};

impl Found<'_> {
    /// Figure 6.
    pub(super) fn on_k(&self) -> Vec<Statement> {
        let sizes: Vec<_> = [10_000, self.options.nodes.unwrap_or(10_000_000)]
            .map(short)
            .into();
        let k = |size: usize, alpha: f64, percent| {
            self.y(
                "figure-6",
                &format!("N = {}, α = {}", sizes[size], power(alpha)),
                percent,
            )
        };
        let plain = |alpha: f64, percent| {
            self.y(
                "figure-6",
                &format!("N = {}, α = {}, without k-table", sizes[1], power(alpha)),
                percent,
            )
        };
        let pairs = [
            (1e-6, 0.1),
            (1e-6, 1.0),
            (1e-6, 10.0),
            (1e-10, 0.1),
            (1e-10, 1.0),
            (1e-10, 10.0),
        ];
        let apart =
            pairs.map(|(alpha, percent)| (k(0, alpha, percent) - k(1, alpha, percent)).abs());
        let apart = apart.into_iter().fold(0.0, f64::max);
        let below_one = [0.001, 0.01, 0.1].map(|percent| k(1, 1e-10, percent));
        let steps = [0.01, 10.0].map(|percent| k(1, 1e-10, percent) - k(1, 1e-6, percent));
        let saved = [0.001, 10.0].map(|percent| plain(1e-10, percent) - k(1, 1e-10, percent));
        let at_six = self.y("figure-sound", "Paper, α = 10⁻⁶", 1.0);
        vec![
            Statement {
                source: "§4.3, figure 6",
                says: "k does not depend on N at one share of colluders".into(),
                here: format!(
                    "networks of {} and {} differ by {apart:.2} at most, from 0.1 % on",
                    sizes[0], sizes[1]
                ),
                agrees: apart < 0.1,
                note: "below, the small network has a single colluder, where k is C + 1 = 2",
            },
            Statement {
                source: "abstract, §1",
                says: "a verifier makes 8 operations at N = 1M, C = 10K".into(),
                here: format!("{:.1} on average", 2.0 * at_six),
                agrees: (7.0..=8.0).contains(&(2.0 * at_six)),
                note: "most nodes have k = 4",
            },
            Statement {
                source: "§4.3, figure 6",
                says: "k stays below 6 for C under 1 %, even at α = 10⁻¹⁰".into(),
                here: list(&below_one, 2),
                agrees: below_one.iter().all(|k| *k < 6.0),
                note: "",
            },
            Statement {
                source: "§4.3, figure 6",
                says: "6 participants instead of 100K at N = 10M, C = 1 %".into(),
                here: format!(
                    "{:.2} at α = 10⁻¹⁰, {:.2} at 10⁻⁶",
                    k(1, 1e-10, 1.0),
                    k(1, 1e-6, 1.0)
                ),
                agrees: (k(1, 1e-10, 1.0) - 6.0).abs() < 0.5,
                note: "",
            },
            Statement {
                source: "§4.3, figure 6",
                says: "from α = 10⁻⁶ to 10⁻¹⁰ k grows by 1 (0.01 %) to 5 (10 %)".into(),
                here: list(&steps, 1),
                agrees: steps
                    .iter()
                    .zip([1.0, 5.0])
                    .all(|(seen, said)| (seen - said).abs() < 0.5),
                note: "at 10 % the paper leaves open how its regions are measured: see the variants",
            },
            Statement {
                source: "§4.3, figure 6",
                says: "the k-table saves 1 to 9 (10 %)".into(),
                here: list(&saved, 1),
                agrees: saved
                    .iter()
                    .zip([1.0, 9.0])
                    .all(|(seen, said)| (seen - said).abs() < 0.7),
                note: "as above: one region for all needs 33 at α = 10⁻¹⁰, and 19 at 10⁻⁶, where the table saves 10",
            },
        ]
    }

    /// What α bounds.
    pub(super) fn on_alpha(&self) -> Result<Vec<Statement>, KTableError> {
        let seen = [1e-4, 1e-6, 1e-10].map(|alpha| controlled(self.options, alpha));
        let [four, six, ten] = seen;
        let (four, six, ten) = (four?, six?, ten?);
        let arcs = self.y("figure-sound", "Paper, α = 10⁻⁶", 1.0);
        let panel = self
            .figures
            .iter()
            .find(|one| one.name == "figure-sound")
            .and_then(|one| one.panels.get(1));
        let curve = panel.and_then(|panel| panel.series.first());
        let forged = curve
            .and_then(|curve| curve.points.get(3))
            .map_or(arcs, |point| point.y);
        Ok(vec![
            Statement {
                source: "§4.1",
                says: "at α = 10⁻⁴ an attacker never has k nodes in a region".into(),
                here: format!(
                    "around {four:.1} of {} nodes; {six:.2} at 10⁻⁶, {ten:.2} at 10⁻¹⁰ (C = 1 %, 10 networks)",
                    grouped(self.options.nodes())
                ),
                agrees: four == 0.0,
                note: "α bounds one given region, and every node is the centre of one: about α N of them fail",
            },
            Statement {
                source: "§3.3, §4.1",
                says: "so k signatures include an honest one".into(),
                here: format!(
                    "{forged:.1} arcs at N = {}, C = 1 %, α = 10⁻⁶ where colluders alone can sign a list; none with the sound table",
                    short(self.options.nodes.unwrap_or(1_000_000))
                ),
                agrees: forged == 0.0,
                note: "a forger chooses the region: Commonhold draws by the sound table, at the price that the last figure shows",
            },
        ])
    }
}

/// How many nodes of a network have k colluders or more in the region in which they look for k others, on average over ten
/// networks at C = 1 %.
fn controlled(options: &Options, alpha: f64) -> Result<f64, KTableError> {
    const NETWORKS: u64 = 10;
    let nodes = options.nodes();
    let parameters = Parameters {
        form: Form::Paper,
        ..Parameters::new(nodes, colluders(nodes, 1.0), alpha)
    };
    let setting = Setting::new(&Terms {
        parameters,
        cache: options.cache,
        seats: options.seats,
    })?;
    let mut found = 0;
    for network in 0..NETWORKS {
        let seed = options.seed.wrapping_add(network);
        let population = Population::new(seed, nodes, parameters.colluders);
        let is_controlled = |place: &usize| {
            let others = || Around::new(&population, population.location(*place)).skip(1);
            let row = smallest_row(&setting.rows, &mut Vec::new(), &mut others());
            row.is_some_and(|(k, reach)| {
                let inside = others().take_while(|one| one.distance <= reach);
                inside.filter(|one| population.colludes(one.place)).count() >= k
            })
        };
        found += (0..population.nodes()).filter(is_controlled).count();
    }
    Ok(found as f64 / NETWORKS as f64)
}
