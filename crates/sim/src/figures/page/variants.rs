//! What the paper leaves open, read in several ways.

use overlay::{Form, KTable, KTableError, Parameters};

use super::Found;
use crate::counting::{Population, Setting, degrees};
use crate::figures::colluders;

/// One reading.
type Change = fn(Parameters) -> Parameters;

impl Found<'_> {
    /// The definitions that the paper leaves open, at C = 10 %, where they matter.
    pub(super) fn variants(&self) -> Result<String, KTableError> {
        let mut text = String::from(VARIANTS);
        let plain = |parameters: Parameters| parameters;
        let kinds: [(&str, Change, u32); 5] = [
            (
                "as here: total width, others only, available but for α",
                plain,
                1,
            ),
            ("rs is a radius", plain, 2),
            (
                "the centre is one of the k",
                |parameters| Parameters {
                    centre_counts: true,
                    ..parameters
                },
                1,
            ),
            (
                "available but for 10⁻³",
                |parameters| Parameters {
                    shortage: 1e-3,
                    ..parameters
                },
                1,
            ),
            (
                "a radius, available but for 10⁻³",
                |parameters| Parameters {
                    shortage: 1e-3,
                    ..parameters
                },
                2,
            ),
        ];
        let nodes = self.options.nodes();
        let population = Population::new(self.options.seed, nodes, 0);
        for (name, change, widths) in kinds {
            let mut found = Vec::new();
            for alpha in [1e-6, 1e-10] {
                let parameters = change(Parameters {
                    form: Form::Paper,
                    ..Parameters::new(nodes, colluders(nodes, 10.0), alpha)
                });
                let table = KTable::new(parameters)?;
                let mut setting = Setting::with_table(&table, &parameters, (1.0, 1.0), 1);
                let centre = usize::from(parameters.centre_counts);
                for (k, reach) in &mut setting.rows {
                    *k -= centre;
                    *reach = reach.saturating_mul(u64::from(widths));
                }
                let last = setting.rows.last().map_or(0, |(k, _)| k + centre);
                let mean = degrees(&population, &[setting], &|_| ())[0].mean() + centre as f64;
                found.push((mean, last as f64));
            }
            let (six, ten) = (found[0], found[1]);
            text += &format!(
                "| {name} | {:.1} | {:.1} | {:.1} | {:.0}, {:.0} | {:.1}, {:.1} |\n",
                six.0,
                ten.0,
                ten.0 - six.0,
                six.1,
                ten.1,
                six.1 - six.0,
                ten.1 - ten.0
            );
        }
        Ok(text)
    }
}

const VARIANTS: &str = "
## Definitions that the paper leaves open

Average k at C = 10 %, k without a k-table, and what the table saves. The paper says that k grows by 5 and that the table saves 9: no \
single reading gives both.

| reading | k at 10⁻⁶ | at 10⁻¹⁰ | growth (5) | without table | saved (9) |
|---|---|---|---|---|---|
";
