//! Proofs that a contribution is valid, against what the library does with its own histogram.

use aggregation::validity::{Binding, Challenge, Statistic, Validity};
use base::{Digest, NodeId, Rng};
use crypto::Vector;
use prio::codec::Encode as _;
use prio::vdaf::prio3::{Prio3, Prio3Histogram, optimal_chunk_length};
use prio::vdaf::{Aggregator as _, Client as _};

use crate::report::{Goal, Row};
use crate::timing::{median, time};

const BUCKETS: u32 = 100;
const RUNS: usize = 301;

/// Histograms for committees of 10 and 15 lanes.
pub fn run() -> Vec<Row> {
    [10, 15].into_iter().flat_map(measure).collect()
}

/// What is done, its cost, and the greatest ratio that is good enough.
type Step = (&'static str, fn(&Cost) -> f64, Option<f64>);

/// What one contribution costs, in microseconds, and its bytes.
struct Cost {
    shard: f64,
    /// Of a replica of the first lane, which holds elements, and of another, which holds seeds.
    check: [f64; 2],
    upload: usize,
    /// What one lane tells the others.
    told: usize,
}

fn measure(lanes: usize) -> Vec<Row> {
    let (ours, bare) = (Ours::new(lanes), Bare::new(lanes));
    let (mut our_costs, mut bare_costs) = (Vec::new(), Vec::new());
    for run in 0..RUNS as u64 {
        our_costs.push(ours.cost(run));
        bare_costs.push(bare.cost());
    }
    let middle = |costs: &[Cost], of: fn(&Cost) -> f64| median(costs.iter().map(of).collect());
    let ratio = |of: fn(&Cost) -> f64| {
        let both = our_costs.iter().zip(&bare_costs);
        median(both.map(|(ours, bare)| of(ours) / of(bare)).collect())
    };
    let row = |what: &str, value, unit, goal| Row {
        what: format!("{what}, m = {lanes}"),
        value,
        unit,
        goal,
    };
    let mut rows = Vec::new();
    let steps: [Step; 3] = [
        ("prove and split", |cost| cost.shard, None),
        ("check, first lane", |cost| cost.check[0], Some(1.3)),
        ("check, other lane", |cost| cost.check[1], Some(1.3)),
    ];
    for (what, of, goal) in steps {
        rows.push(row(what, middle(&our_costs, of), "us", None));
        let bare = format!("{what}, the library's histogram");
        rows.push(row(&bare, middle(&bare_costs, of), "us", None));
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

struct Ours {
    validity: Validity,
    vector: Vector,
}

impl Ours {
    fn new(lanes: usize) -> Self {
        let statistic = Statistic::Histogram { buckets: BUCKETS };
        let mut vector = vec![0; statistic.vector_len()];
        (vector[0], vector[42]) = (1, 1);
        Self {
            validity: Validity::new(statistic, lanes).expect("within all limits"),
            vector: Vector::from_u64s(&vector).expect("small numbers"),
        }
    }

    fn cost(&self, run: u64) -> Cost {
        let validity = &self.validity;
        let mut rng = Rng::from_number(run);
        let binding = Binding::new(&Digest::of("bench", &[]), NodeId(rng.bytes32()));
        let challenge = Challenge::new(&rng.bytes32(), &Digest::of("header", &[]));
        let (shard, sharded) = time(|| validity.shard(&self.vector, &binding, &mut rng));
        let (public, shares) = sharded.expect("one bucket of a hundred");
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

struct Bare {
    prio3: Prio3Histogram,
    lanes: usize,
}

impl Bare {
    fn new(lanes: usize) -> Self {
        let buckets = BUCKETS as usize;
        let few = lanes.try_into().expect("few lanes");
        let prio3 = Prio3::new_histogram(few, buckets, optimal_chunk_length(buckets));
        Self {
            prio3: prio3.expect("within all limits"),
            lanes,
        }
    }

    fn cost(&self) -> Cost {
        let (context, nonce, key) = (b"bench", [1; 16], [2; 32]);
        let (shard, sharded) = time(|| self.prio3.shard(context, &41, &nonce));
        let (public, shares) = sharded.expect("one bucket of a hundred");
        let prepare = |lane: usize| {
            self.prio3
                .verify_init(&key, context, lane, &(), &nonce, &public, &shares[lane])
                .expect("an honest contribution")
        };
        let verifiers: Vec<_> = (0..self.lanes).map(|lane| prepare(lane).1).collect();
        let check = [0, 1].map(|lane| {
            let verifiers = verifiers.clone();
            let (spent, share) = time(|| {
                let (state, _) = prepare(lane);
                let message = self
                    .prio3
                    .verifier_shares_to_message(context, &(), verifiers)?;
                self.prio3.verify_next(context, state, message)
            });
            share.expect("an honest contribution");
            micros(spent)
        });
        let bytes = |encoded: Result<Vec<u8>, _>| encoded.expect("vectors grow").len();
        Cost {
            shard: micros(shard),
            check,
            upload: bytes(public.get_encoded())
                + shares
                    .iter()
                    .map(|share| bytes(share.get_encoded()))
                    .sum::<usize>(),
            told: bytes(verifiers[0].get_encoded()),
        }
    }
}

fn micros(spent: std::time::Duration) -> f64 {
    spent.as_secs_f64() * 1e6
}
