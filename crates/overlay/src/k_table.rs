//! How many nodes of which region include an honest one: SEP2P §3.3, §3.6.

use thiserror::Error;

use crate::binomial::{Binomial, Tails, largest_chance};

/// The largest k of any table. When a third of a billion nodes collude, α = 2^-64 needs 377; colluders that need more
/// than this are so many that no practical number of helpers would do.
const LARGEST_K: u32 = 1024;

/// Against whom the rows hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Form {
    /// SEP2P's equations (1) and (2): bounds the colluders in one *given* region. For comparison with the paper only: a
    /// forger chooses the region where his colluders happen to sit close together.
    Paper,
    /// Bounds the chance that *any* region of the ring, of any row's size, holds that row's k colluders.
    #[default]
    Sound,
}

/// What a table is computed from. The paper leaves the last three open.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Parameters {
    /// N: nodes on the ring, at least 1.
    pub nodes: u64,
    /// C: nodes assumed to collude, below N.
    pub colluders: u64,
    /// α: accepted chance that k colluders share a region, in (0, 1).
    pub alpha: f64,
    /// Against whom the rows hold.
    pub form: Form,
    /// k of the first row: 1 to 1024, at least 2 in the sound form.
    pub smallest_k: u32,
    /// Accepted chance that the last row's region holds fewer than k nodes, in (0, 1).
    pub shortage: f64,
    /// Whether the region is centred on a node that counts as one of the k.
    pub centre_counts: bool,
}

/// One choice: k nodes of a region of this size.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Row {
    /// How many nodes of the region must take part.
    pub k: u32,
    /// rs: total width of the region as a share of the ring, at most 1.
    pub region_size: f64,
    /// Probability that such a region holds k nodes at all.
    pub holds_k_nodes: f64,
}

/// Why there is no table.
#[derive(Debug, Clone, Copy, PartialEq, Error)]
pub enum KTableError {
    /// N is 0.
    #[error("a community without nodes has no k-table")]
    NoNodes,
    /// C is not below N.
    #[error("{colluders} colluders among {nodes} nodes leave nobody honest")]
    Colluders {
        /// C.
        colluders: u64,
        /// N.
        nodes: u64,
    },
    /// α is not a probability to speak of.
    #[error("the security threshold {0} does not lie between 0 and 1")]
    Alpha(f64),
    /// The accepted chance of too few nodes is not a probability to speak of.
    #[error("the accepted chance of too few nodes {0} does not lie between 0 and 1")]
    Shortage(f64),
    /// No table starts at this k.
    #[error("no k-table of this form can start at k = {0}")]
    SmallestK(u32),
    /// No region small enough to keep the colluders apart is large enough to hold k nodes.
    #[error(
        "with so many colluders no k up to {LARGEST_K} is safe: lower their assumed number or raise α"
    )]
    Infeasible,
}

/// Rows by growing k: a node takes the first whose region holds k nodes around it.
///
/// ```
/// use overlay::{KTable, Parameters};
///
/// let table = KTable::new(Parameters::new(10_000, 100, 1e-6))?;
/// let last = table.rows().last().expect("a table has rows");
/// assert_eq!(last.k, 9);
/// assert!(last.region_size < 0.0032 && last.holds_k_nodes > 1.0 - 1e-6);
/// # Ok::<(), overlay::KTableError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct KTable {
    rows: Vec<Row>,
}

impl Parameters {
    /// The sound form, k from 2, its last row available with a probability of at least 1 - α, not counting the centre.
    pub fn new(nodes: u64, colluders: u64, alpha: f64) -> Self {
        Self {
            nodes,
            colluders,
            alpha,
            form: Form::default(),
            smallest_k: 2,
            shortage: alpha,
            centre_counts: false,
        }
    }

    fn check(&self) -> Result<(), KTableError> {
        let probability = |number: f64| number > 0.0 && number < 1.0;
        let least_k = match self.form {
            Form::Paper => 1,
            // Any one colluder fills some region alone.
            Form::Sound => 2,
        };
        if self.nodes == 0 {
            Err(KTableError::NoNodes)
        } else if self.colluders >= self.nodes {
            Err(KTableError::Colluders {
                colluders: self.colluders,
                nodes: self.nodes,
            })
        } else if !probability(self.alpha) {
            Err(KTableError::Alpha(self.alpha))
        } else if !probability(self.shortage) {
            Err(KTableError::Shortage(self.shortage))
        } else if !(least_k..=LARGEST_K).contains(&self.smallest_k) {
            Err(KTableError::SmallestK(self.smallest_k))
        } else {
            Ok(())
        }
    }

    /// α of each row, in a table of this many.
    fn alpha_of_row(&self, rows: u32) -> f64 {
        match self.form {
            Form::Paper => self.alpha,
            Form::Sound => self.alpha / f64::from(rows),
        }
    }

    /// The largest region that k colluders share with a probability of at most `alpha`; `near` is a guess.
    fn region_size(&self, k: u32, alpha: f64, near: f64) -> f64 {
        match self.form {
            Form::Paper => largest_chance(self.colluders, k, alpha, near),
            // A region with k colluders reaches, from the first of them on, over k - 1 of the others.
            Form::Sound => {
                let others = self.colluders.saturating_sub(1);
                largest_chance(others, k - 1, alpha / self.colluders as f64, near)
            }
        }
    }

    fn nodes_in(&self, region_size: f64, k: u32) -> Tails {
        let centre = u32::from(self.centre_counts);
        Binomial::new(self.nodes - u64::from(centre), region_size).tails(k - centre)
    }

    /// The smallest number R for which the table built with α / R has at most R rows.
    ///
    /// It is the first R whose R-th row, built with α / R, is large enough. A smaller R' will not do: its table would
    /// have to end at some row r <= R' that is large enough with α / R', hence with α / r, and r would have been found
    /// first. For the same reason the table has exactly R rows.
    fn count_rows(&self) -> Option<u32> {
        let mut size = 0.0;
        (1..=LARGEST_K - self.smallest_k + 1).find(|&rows| {
            let k = self.smallest_k + rows - 1;
            size = self.region_size(k, self.alpha_of_row(rows), size);
            self.nodes_in(size, k).below <= self.shortage
        })
    }
}

impl KTable {
    /// Computes the table; the same bits on every machine with IEEE 754 arithmetic.
    ///
    /// # Errors
    ///
    /// When a parameter is out of its range, or so many nodes collude that no k is safe.
    pub fn new(parameters: Parameters) -> Result<Self, KTableError> {
        parameters.check()?;
        let rows = parameters.count_rows().ok_or(KTableError::Infeasible)?;
        let alpha = parameters.alpha_of_row(rows);
        let mut region_size = 0.0;
        let row = |k| {
            region_size = parameters.region_size(k, alpha, region_size);
            Row {
                k,
                region_size,
                holds_k_nodes: parameters.nodes_in(region_size, k).at_least,
            }
        };
        let first = parameters.smallest_k;
        Ok(Self {
            rows: (first..first + rows).map(row).collect(),
        })
    }

    /// All rows, by growing k and growing region. Never empty.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// The row of this k.
    pub fn row(&self, k: u32) -> Option<&Row> {
        let first = self.rows.first()?.k;
        self.rows.get(usize::try_from(k.checked_sub(first)?).ok()?)
    }
}

#[cfg(test)]
mod tests {
    use base::Rng;
    use proptest::prelude::*;

    use super::*;

    fn table(nodes: u64, colluders: u64, alpha: f64, form: Form) -> KTable {
        KTable::new(Parameters {
            form,
            ..Parameters::new(nodes, colluders, alpha)
        })
        .unwrap()
    }

    /// The rows of tests/vectors/k_table.csv as written, one table after the other.
    fn vectors() -> Vec<Vec<Vec<&'static str>>> {
        let lines = include_str!("../tests/vectors/k_table.csv").lines();
        let rows: Vec<Vec<_>> = lines
            .filter(|line| !line.starts_with('#'))
            .map(|l| l.split(',').collect())
            .collect();
        rows.chunk_by(|a, b| a[..4] == b[..4])
            .map(<[_]>::to_vec)
            .collect()
    }

    #[test]
    fn agrees_with_the_vectors_to_their_last_digit() {
        let tables = vectors();
        assert_eq!(tables.len(), 16);
        for expected in tables {
            let first = &expected[0];
            let form = if first[0] == "paper" {
                Form::Paper
            } else {
                Form::Sound
            };
            let (nodes, colluders) = (first[1].parse().unwrap(), first[2].parse().unwrap());
            let found = table(nodes, colluders, first[3].parse().unwrap(), form);
            assert_eq!(found.rows().len(), expected.len(), "{first:?}");
            for (row, fields) in found.rows().iter().zip(expected) {
                let number = |field: usize| fields[field].parse::<f64>().unwrap();
                assert_eq!(row.k.to_string(), fields[4]);
                assert!(
                    (row.region_size / number(5) - 1.0).abs() < 6e-12,
                    "{fields:?} {row:?}"
                );
                // Nine significant digits were written.
                let holds: f64 = format!("{:.8e}", row.holds_k_nodes).parse().unwrap();
                assert_eq!(holds, number(6), "{fields:?} {row:?}");
            }
        }
    }

    /// Nodes on different machines must agree who is legitimate.
    #[test]
    fn has_the_same_bits_everywhere() {
        let bits = |form| {
            let table = table(100_000, 1000, 1e-10, form);
            table.rows().iter().fold(0u64, |all, row| {
                all.rotate_left(7) ^ row.region_size.to_bits()
            })
        };
        assert_eq!(
            (bits(Form::Paper), bits(Form::Sound)),
            (0xad155d38a28e1258, 0xa34d46f1e69d39ca)
        );
    }

    #[test]
    fn refuses_what_no_table_exists_for() {
        let refused = |parameters| KTable::new(parameters).unwrap_err();
        let plain = Parameters::new(100, 5, 1e-6);
        assert_eq!(
            refused(Parameters { nodes: 0, ..plain }),
            KTableError::NoNodes
        );
        let all = Parameters {
            colluders: 100,
            ..plain
        };
        assert_eq!(
            refused(all),
            KTableError::Colluders {
                colluders: 100,
                nodes: 100
            }
        );
        for bad in [0.0, 1.0, -1e-6, f64::INFINITY] {
            assert_eq!(
                refused(Parameters {
                    alpha: bad,
                    ..plain
                }),
                KTableError::Alpha(bad)
            );
            assert_eq!(
                refused(Parameters {
                    shortage: bad,
                    ..plain
                }),
                KTableError::Shortage(bad)
            );
        }
        assert!(matches!(
            refused(Parameters {
                alpha: f64::NAN,
                ..plain
            }),
            KTableError::Alpha(_)
        ));
        for (form, smallest_k) in [(Form::Paper, 0), (Form::Sound, 1), (Form::Sound, 1025)] {
            let bad = Parameters {
                form,
                smallest_k,
                ..plain
            };
            assert_eq!(refused(bad), KTableError::SmallestK(smallest_k));
        }
    }

    #[test]
    fn too_many_colluders_are_infeasible() {
        let nodes = 1_000_000_000;
        let crowded = Parameters::new(nodes, nodes - 1, 1e-6);
        assert_eq!(KTable::new(crowded), Err(KTableError::Infeasible));
        // Three nodes cannot be found where there are two.
        let lonely = Parameters {
            smallest_k: 3,
            ..Parameters::new(2, 1, 1e-6)
        };
        assert_eq!(KTable::new(lonely), Err(KTableError::Infeasible));
    }

    #[test]
    fn finds_rows_by_k() {
        let table = table(10_000, 100, 1e-6, Form::Sound);
        assert_eq!(table.row(2), table.rows().first());
        assert_eq!(table.row(9), table.rows().last());
        assert!([0, 1, 10, u32::MAX].iter().all(|&k| table.row(k).is_none()));
    }

    #[test]
    fn open_definitions_can_be_chosen() {
        let plain = Parameters::new(10_000, 100, 1e-6);
        let rows = |parameters| KTable::new(parameters).unwrap().rows().to_vec();
        let ends = |parameters| rows(parameters).last().unwrap().k;
        let paper = Parameters {
            form: Form::Paper,
            ..plain
        };
        assert_eq!(
            rows(Parameters {
                smallest_k: 4,
                ..paper
            })[..],
            rows(paper)[2..]
        );
        let alone = rows(Parameters {
            smallest_k: 1,
            ..paper
        })[0];
        assert!((alone.region_size / 1e-8 - 1.0).abs() < 1e-6, "{alone:?}");
        // A centre that is one of the k leaves one fewer to find; a lower target is met earlier.
        let small = Parameters {
            form: Form::Paper,
            ..Parameters::new(1000, 10, 1e-6)
        };
        assert_eq!(
            (
                ends(small),
                ends(Parameters {
                    centre_counts: true,
                    ..small
                })
            ),
            (6, 5)
        );
        assert_eq!(
            (
                ends(paper),
                ends(Parameters {
                    shortage: 1e-3,
                    ..paper
                })
            ),
            (6, 5)
        );
    }

    /// The definition, by trying every number of rows from 1 up.
    #[test]
    fn sound_tables_have_the_smallest_consistent_number_of_rows() {
        for (nodes, colluders, alpha) in [(40, 3, 1e-6), (1000, 10, 1e-2), (5000, 1600, 1e-4)] {
            let plain = Parameters::new(nodes, colluders, alpha);
            let rows_with = |alpha: f64| {
                (2..)
                    .position(|k| {
                        let bound = alpha / colluders as f64;
                        let size = largest_chance(colluders - 1, k - 1, bound, 0.0);
                        plain.nodes_in(size, k).below <= plain.shortage
                    })
                    .unwrap()
                    + 1
            };
            let smallest = (1..).find(|&r| rows_with(alpha / r as f64) <= r).unwrap();
            let found = table(nodes, colluders, alpha, Form::Sound);
            assert_eq!(found.rows().len(), smallest);
            assert_eq!(rows_with(alpha / smallest as f64), smallest);
        }
    }

    #[test]
    fn extremes_end_and_are_numbers() {
        for nodes in [1, 2, 3, 40, 1000, 1_000_000_000, u64::MAX] {
            for colluders in [0, 1, 2, 3, 100, nodes / 100, nodes / 3] {
                for alpha in [f64::from_bits(1), 1e-300, 2f64.powi(-64), 1e-2, 1.0 - 1e-16] {
                    for form in [Form::Paper, Form::Sound] {
                        let plain = Parameters::new(nodes, colluders, alpha);
                        // The whole grid would take seconds: the largest table is tried once, below.
                        if colluders < 1000 || alpha > 1e-3 {
                            let built = KTable::new(Parameters { form, ..plain });
                            built.iter().for_each(check_shape);
                        }
                    }
                }
            }
        }
        let largest = table(1_000_000_000, 333_333_333, 2f64.powi(-64), Form::Sound);
        check_shape(&largest);
        assert_eq!(largest.rows().len(), 376);
    }

    fn check_shape(table: &KTable) {
        for row in table.rows() {
            assert!((0.0..=1.0).contains(&row.region_size), "{row:?}");
            assert!((0.0..=1.0).contains(&row.holds_k_nodes), "{row:?}");
        }
        let grow =
            |pair: &[Row]| pair[0].k + 1 == pair[1].k && pair[0].region_size <= pair[1].region_size;
        assert!(table.rows().windows(2).all(grow), "{table:?}");
    }

    fn parameters() -> impl Strategy<Value = Parameters> {
        (1.0..9.0f64, 0.0..0.33f64, 2.0..19.0f64, any::<bool>()).prop_map(
            |(size, share, digits, paper)| {
                let nodes = 10f64.powf(size) as u64;
                let colluders = ((nodes as f64 * share * share) as u64).max(1);
                let form = if paper { Form::Paper } else { Form::Sound };
                Parameters {
                    form,
                    ..Parameters::new(nodes, colluders, 10f64.powf(-digits))
                }
            },
        )
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn rows_grow_and_only_the_last_is_large_enough(parameters in parameters()) {
            let table = KTable::new(parameters).unwrap();
            check_shape(&table);
            for row in table.rows() {
                prop_assert_eq!(row.region_size == 1.0, u64::from(row.k) > parameters.colluders);
                let short = Binomial::new(parameters.nodes, row.region_size).tails(row.k).below;
                let last = row.k == table.rows().last().unwrap().k;
                prop_assert_eq!(short <= parameters.alpha, last);
            }
        }

        #[test]
        fn regions_grow_with_alpha_and_shrink_with_colluders(
            parameters in parameters(),
            k in 2..40u32,
            factor in 1.01..100.0f64,
        ) {
            let more = (parameters.colluders as f64 * factor).ceil() as u64;
            let crowded = Parameters { colluders: more, ..parameters };
            let size = |of: &Parameters, alpha| of.region_size(k, alpha, 0.0);
            let this = size(&parameters, parameters.alpha);
            prop_assert!(size(&parameters, parameters.alpha * factor) >= this);
            prop_assert!(size(&crowded, parameters.alpha) <= this);
            prop_assert!(parameters.region_size(k + 1, parameters.alpha, 0.0) >= this);
        }
    }

    /// How often, in 1000 communities, some region of some row's size holds that row's k colluders.
    fn fooled(table: &KTable, colluders: usize) -> usize {
        let mut rng = Rng::from_number(102);
        let mut fits = || {
            let mut places: Vec<_> = (0..colluders).map(|_| rng.unit()).collect();
            places.sort_by(f64::total_cmp);
            let around: Vec<_> = places.iter().map(|place| place + 1.0).collect();
            let ring = [places, around].concat();
            table.rows().iter().any(|row| {
                let k = row.k as usize;
                k <= colluders
                    && ring
                        .windows(k)
                        .any(|run| run[k - 1] - run[0] <= row.region_size)
            })
        };
        (0..1000).filter(|_| fits()).count()
    }

    #[test]
    fn a_forger_beats_the_papers_table_and_not_the_sound_one() {
        let alpha = 1e-2;
        assert!(fooled(&table(10_000, 100, alpha, Form::Paper), 100) > 990);
        // α promises 10 of 1000 on average.
        assert!(fooled(&table(10_000, 100, alpha, Form::Sound), 100) <= 20);
    }
}
