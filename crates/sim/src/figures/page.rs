//! What the paper's text says in numbers, beside what is counted here: docs/reproduction.md.

mod caches;
mod degree;
mod strategies;
mod variants;

use overlay::KTableError;
use selection::strategy::Strategy;

use super::strategies::Surveys;
use super::{Options, colluders};
use crate::chart::Figure;
use crate::counting::Totals;

/// What is compared.
pub struct Found<'a> {
    pub options: &'a Options,
    pub surveys: &'a Surveys,
    pub figures: &'a [Figure],
}

/// One thing that the paper says.
struct Statement {
    /// Where.
    source: &'static str,
    says: String,
    here: String,
    agrees: bool,
    /// Why it differs, or what one should know.
    note: &'static str,
}

impl Found<'_> {
    /// The page. `link` says where a figure is, given its file's name.
    ///
    /// # Errors
    ///
    /// When no k-table exists for one of the settings.
    pub fn page(&self, link: impl Fn(&str) -> String) -> Result<String, KTableError> {
        let mut page = String::from(HEAD);
        page += "| SEP2P | it says | counted here | |\n|---|---|---|---|\n";
        let mut statements = self.on_strategies();
        statements.extend(self.on_k());
        statements.extend(self.on_alpha()?);
        statements.extend(self.on_caches());
        for Statement {
            source,
            says,
            here,
            agrees,
            note,
        } in statements
        {
            let verdict = if agrees { "agrees" } else { "**differs**" };
            let note = if note.is_empty() {
                String::new()
            } else {
                format!(": {note}")
            };
            page += &format!("| {source} | {says} | {here} | {verdict}{note} |\n");
        }
        page += &self.variants()?;
        page += "\n## Figures\n";
        for figure in self.figures {
            let file = format!("{}.svg", figure.name);
            page += &format!(
                "\n### {}\n\n{}. Numbers: [{name}.csv]({csv}).\n\n![{}]({svg})\n",
                figure.title,
                figure.setting,
                figure.title,
                name = figure.name,
                csv = link(&format!("{}.csv", figure.name)),
                svg = link(&file)
            );
        }
        Ok(page)
    }

    fn totals(&self, strategy: Strategy, percent: f64, attacked: bool) -> Totals {
        self.surveys
            .totals(strategy, percent, attacked)
            .unwrap_or_default()
    }

    fn effectiveness(&self, strategy: Strategy, percent: f64) -> f64 {
        let nodes = self.options.nodes();
        let share = colluders(nodes, percent) as f64 / nodes as f64;
        let totals = self.totals(strategy, percent, true);
        totals
            .effectiveness(self.options.seats as usize, share)
            .unwrap_or(f64::NAN)
    }

    fn y(&self, figure: &str, series: &str, x: f64) -> f64 {
        let figures = self.figures.iter().filter(|one| one.name == figure);
        let mut all = figures
            .flat_map(|one| &one.panels)
            .flat_map(|panel| &panel.series);
        let named = all.find(|one| one.name == series);
        let point = named.and_then(|one| one.points.iter().find(|point| point.x == x));
        point.map_or(f64::NAN, |point| point.y)
    }
}

fn list(numbers: &[f64], digits: usize) -> String {
    let texts: Vec<_> = numbers
        .iter()
        .map(|number| format!("{number:.digits$}"))
        .collect();
    texts.join(", ")
}

const HEAD: &str = "\
# The evaluation of SEP2P, reproduced

SEP2P (J. Loudet, I. Sandu Popa, L. Bouganim, EDBT 2019) is evaluated in its §4 by a simulator that was not published. This \
page is written by

```
commonhold simulate figure all --out docs/figures --page docs/reproduction.md
```

in about half a minute on two cores. It counts what our state machines do, for every node of the network as the execution \
setter; `crates/sim/tests/counting.rs` holds the counts against the machines themselves, operation by operation. Colluders \
really play: whoever is near enough claims to be S, and seats whom it likes. The paper's figures carry no readable numbers, \
so that what its text says is compared. Where we differ we have not tuned anything to agree.

Lookups are Chord's, as in the paper, each hop a request and its answer. The overlay that Commonhold runs needs fewer: it has \
fingers both ways, and a cache at the end of the way (3.7 steps on average among 2,000 nodes, where Chord takes 6.5). \
`--overlay can` counts CAN instead.

## What the text says

Unless it is said otherwise: N = 100K, A = 32, α = 10⁻⁶, caches of 512, Chord, C from 0.001 % to 10 %, latency and work at C = 1 %.

";
