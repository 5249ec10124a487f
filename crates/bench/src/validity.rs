//! Proofs that a contribution is valid, against what the library does with its own circuits.

use aggregation::statistic::{Declaration, Measure, Statistic as Declared, Value};
use aggregation::validity::{Binding, Challenge, GROUPS_MAX, Shape, Statistic, Validity};
use base::{Digest, NodeId, Rng};
use community::{Column, Kind, Range};
use crypto::Vector;
use prio::flp::Type;

use crate::bare::{self, Bare, Cost};
use crate::report::{Goal, Row};
use crate::timing::{median, micros, time};

const BUCKETS: usize = 100;
const SUMS: usize = 10;
/// The greatest value of what is added up.
const MAX: u64 = u16::MAX as u64;
const RUNS: u64 = 301;
const RUNS_ALONE: u64 = 51;
/// Lanes of what is measured by itself.
const LANES: usize = 15;

/// Histograms and ten sums beside the library's, for committees of 10 and 15 lanes; then what it has no circuit for.
pub fn run() -> Vec<Row> {
    let beside = [10, LANES].into_iter().flat_map(|lanes| {
        let mut rows = histogram(lanes);
        rows.extend(sums(lanes));
        rows
    });
    beside.chain(declared()).chain(simple()).collect()
}

fn histogram(lanes: usize) -> Vec<Row> {
    let statistic = Statistic::Histogram {
        buckets: BUCKETS as u32,
    };
    let mut vector = vec![0; statistic.vector_len()];
    (vector[0], vector[42]) = (1, 1);
    let ours = Ours::new(statistic, &vector, lanes);
    beside("histogram of 100", &ours, &bare::histogram(lanes, BUCKETS))
}

fn sums(lanes: usize) -> Vec<Row> {
    let values = (1..=SUMS as u64).map(|i| 6_000 * i);
    let vector: Vec<u64> = std::iter::once(1).chain(values.clone()).collect();
    let bare = bare::sums(lanes, MAX, values.map(u128::from).collect());
    let ours = Ours::new(Shape::sums(1, &[MAX; SUMS]), &vector, lanes);
    beside("10 sums of 16 bits", &ours, &bare)
}

/// Of 16-bit values of each of ten million people.
fn declared() -> Vec<Row> {
    let columns = |count: usize| -> Vec<Column> {
        let range = Range {
            decimals: 0,
            min: 0,
            max: u16::MAX.into(),
        };
        (0..count)
            .map(|index| Column {
                name: index.to_string(),
                kind: Kind::Number(range),
            })
            .collect()
    };
    let moments = Measure::Moments {
        column: 0,
        order: 4,
    };
    let regression = Measure::Linear {
        response: 0,
        predictors: vec![1, 2, 3],
    };
    let measures = [
        ("4 moments of 16 bits", 1, moments),
        ("regression by 3 predictors, 16 bits", 4, regression),
    ];
    let rows = measures.into_iter().map(|(what, count, measure)| {
        let statistic = Declared::new(Declaration {
            columns: columns(count),
            group_by: Vec::new(),
            measure,
            contributors: 10_000_000,
            rows: 1,
        })
        .expect("a sound declaration");
        let row: Vec<_> = (1..=count as i64)
            .map(|i| Value::Number(16_000 * i))
            .collect();
        let vector = statistic.encode(&[row]).expect("in range");
        let shape = Shape::of(&statistic).expect("16 bits to the fourth power");
        alone(what, &Ours::new(shape, &vector, LANES))
    });
    rows.flatten().collect()
}

fn simple() -> Vec<Row> {
    let max = u64::from(u32::MAX);
    let limit = Statistic::GroupedSum {
        groups: GROUPS_MAX,
        max: (1 << 62) - 1,
    };
    let statistics = [
        ("count", Statistic::Count),
        ("sum of 32 bits", Statistic::Sum { max }),
        (
            "sum of 32 bits in 20 groups",
            Statistic::GroupedSum { groups: 20, max },
        ),
        (
            "histogram of 1,000",
            Statistic::Histogram { buckets: 1_000 },
        ),
        ("sum of 62 bits in 16,384 groups, the limit", limit),
    ];
    let rows = statistics.into_iter().map(|(what, statistic)| {
        let nobody = vec![0; statistic.vector_len()];
        alone(what, &Ours::new(statistic, &nobody, LANES))
    });
    rows.flatten().collect()
}

/// What is done, its cost, and the greatest ratio that is good enough.
type Step = (&'static str, fn(&Cost) -> f64, Option<f64>);

const STEPS: [Step; 3] = [
    ("prove and split", |cost| cost.shard, None),
    ("check, first lane", |cost| cost.check[0], Some(1.3)),
    ("check, other lane", |cost| cost.check[1], Some(1.3)),
];

fn middle(costs: &[Cost], of: fn(&Cost) -> f64) -> f64 {
    median(costs.iter().map(of).collect())
}

/// Ours and the library's take turns.
fn beside<T: Type>(task: &str, ours: &Ours, bare: &Bare<T>) -> Vec<Row> {
    let (mut our_costs, mut bare_costs) = (Vec::new(), Vec::new());
    for run in 0..RUNS {
        our_costs.push(ours.cost(run));
        bare_costs.push(bare.cost());
    }
    let ratio = |of: fn(&Cost) -> f64| {
        let both = our_costs.iter().zip(&bare_costs);
        median(both.map(|(ours, bare)| of(ours) / of(bare)).collect())
    };
    let row = |what: &str, value, unit, goal| Row {
        what: format!("{task}, m = {}: {what}", bare.lanes),
        value,
        unit,
        goal,
    };
    let mut rows = Vec::new();
    for (what, of, goal) in STEPS {
        rows.push(row(what, middle(&our_costs, of), "us", None));
        let library = format!("{what}, the library's");
        rows.push(row(&library, middle(&bare_costs, of), "us", None));
        let both = format!("{what}, ratio of both");
        rows.push(row(&both, ratio(of), "", goal.map(Goal::AtMost)));
    }
    for (what, cost) in [("ours", &our_costs[0]), ("the library's", &bare_costs[0])] {
        let upload = format!("shares and proofs, {what}");
        rows.push(row(&upload, cost.upload as f64, "B", None));
        let told = format!("a lane's word on one, {what}");
        rows.push(row(&told, cost.told as f64, "B", None));
    }
    rows
}

fn alone(task: &str, ours: &Ours) -> Vec<Row> {
    let costs: Vec<_> = (0..RUNS_ALONE).map(|run| ours.cost(run)).collect();
    let row = |what: &str, value, unit, goal| Row {
        what: format!("{task}, m = {LANES}: {what}"),
        value,
        unit,
        goal,
    };
    let steps = STEPS.map(|(what, of, _)| row(what, middle(&costs, of), "us", None));
    let mut rows = Vec::from(steps);
    rows.push(row("shares and proofs", costs[0].upload as f64, "B", None));
    rows.push(row("a lane's word on one", costs[0].told as f64, "B", None));
    let bound = ours.validity.lie_bound().log2();
    let goal = Some(Goal::AtMost(-100.0));
    rows.push(row("a lie passes, power of two", bound, "", goal));
    rows
}

struct Ours {
    validity: Validity,
    vector: Vector,
}

impl Ours {
    fn new(shape: impl Into<Shape>, vector: &[u64], lanes: usize) -> Self {
        Self {
            validity: Validity::new(shape, lanes).expect("within all limits"),
            vector: Vector::from_u64s(vector).expect("small numbers"),
        }
    }

    fn cost(&self, run: u64) -> Cost {
        let validity = &self.validity;
        let mut rng = Rng::from_number(run);
        let binding = Binding::new(&Digest::of("bench", &[]), NodeId(rng.bytes32()));
        let challenge = Challenge::new(&rng.bytes32(), &Digest::of("header", &[]));
        let (shard, sharded) = time(|| validity.shard(&self.vector, &binding, &mut rng));
        let (public, shares) = sharded.expect("a valid contribution");
        let prepare = |lane: usize| {
            validity
                .prepare(lane, &challenge, &binding, &public, &shares[lane])
                .expect("an honest contribution")
        };
        let verifiers: Vec<_> = (0..validity.lanes()).map(|lane| prepare(lane).1).collect();
        let check = [0, 1].map(|lane| {
            let (spent, share) = time(|| {
                let (prepared, _) = prepare(lane);
                let decision = validity.combine(&prepared, &verifiers)?;
                validity.finish(prepared, &decision)
            });
            share.expect("an honest contribution");
            micros(spent)
        });
        Cost {
            shard: micros(shard),
            check,
            upload: validity.public_share_len()
                + (0..validity.lanes())
                    .map(|lane| validity.input_share_len(lane))
                    .sum::<usize>(),
            told: validity.verifier_share_len(),
        }
    }
}
