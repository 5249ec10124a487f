//! What one contribution with proof costs its author and a replica, by the engine itself.

use std::sync::Arc;

use aggregation::committee::{LaneKey, Message, Signed, Terms};
use aggregation::sizes::Sizes;
use aggregation::validity::Binding;
use base::{NodeId, Rng, encode};
use crypto::{SealingKey, SigningKey, seal};

use crate::bare;
use crate::committee::{BUCKETS, Computation, People, publics, terms, vector};
use crate::report::{Goal, Row};
use crate::timing::{cpu_time, median, micros};

/// Of one replica of each of 15 lanes there is another that makes its secret.
pub const SIZES: Sizes = Sizes {
    lanes: 15,
    replicas: 2,
    signers: 2,
};
/// People of one leaf (design: aggregation, step 5), passed on in three messages.
const CONTRIBUTORS: usize = 512;
const AUTHORS: u64 = 301;
const ROUNDS: u64 = 5;
/// By the library, in each round.
const BARE_RUNS: usize = 51;

/// What a replica may take for one contribution, besides checking its proof.
const TAKING_US: f64 = 114.0;
/// What it may take for the proof, as times what the library takes with its own circuit.
const PROVING: f64 = 1.3;

/// The author's part, then a replica's.
pub fn run() -> Vec<Row> {
    let mut rows = author();
    rows.extend(replica());
    rows
}

/// Keys of lanes, each signed by the lane's first seat, all of them new.
pub fn fresh_lanes(
    run: u64,
    sizes: Sizes,
    querier: NodeId,
) -> (Arc<Terms>, Vec<Signed<LaneKey>>, Vec<SealingKey>) {
    let mut rng = Rng::from_number(run).fork("fresh lanes");
    let seats: Vec<_> = (0..sizes.seats())
        .map(|_| SigningKey::generate(&mut rng))
        .collect();
    let nodes = seats.iter().map(SigningKey::node).collect();
    let terms = Arc::new(terms(run, nodes, sizes, querier));
    let secrets: Vec<_> = (0..terms.lanes())
        .map(|_| SealingKey::generate(&mut rng))
        .collect();
    let sign = |(lane, secret): (usize, &SealingKey)| {
        let seat = terms.lane(lane).start;
        Signed::new(&seats[seat], seat, LaneKey::of(terms.round(), secret))
    };
    let lanes = secrets.iter().enumerate().map(sign).collect();
    (terms, lanes, secrets)
}

fn author() -> Vec<Row> {
    let people = People::new(SIZES, 1);
    let (place, querier) = (people.contributors().start, people.terms(0).querier);
    let mut spent = [const { Vec::new() }; 5];
    let mut upload = 0;
    for run in 0..AUTHORS {
        let (terms, lanes, _) = fresh_lanes(run, SIZES, querier);
        let (whole, message) = people.contribute(place, &terms, &lanes);
        let (encoding, bytes) = cpu_time(|| encode(&message));
        upload = bytes.len();
        let (checking, checked) = cpu_time(|| terms.check_lanes(&lanes));
        checked.expect("seats signed them");
        let validity = terms.validity().expect("terms with a proof");
        let rng = &mut Rng::from_number(run);
        let binding = Binding::new(&terms.round(), querier);
        let (proving, shares) = cpu_time(|| validity.shard(&vector(0), &binding, rng));
        let (_, shares) = shares.expect("a histogram's vector");
        let plain = encode(&shares[1]);
        let (sealing, ()) = cpu_time(|| {
            for key in publics(&lanes) {
                seal(&key, b"bench", b"", &plain, rng).expect("a fresh key");
            }
        });
        for (all, one) in
            spent
                .iter_mut()
                .zip([whole + encoding, checking, proving, sealing, encoding])
        {
            all.push(micros(one) / 1000.0);
        }
    }
    let [whole, checking, proving, sealing, encoding] = spent.map(median);
    let row = |what: &str, value, unit, goal: Option<f64>| Row {
        what: format!(
            "contributor, m = {}, {BUCKETS} buckets: {what}",
            SIZES.lanes
        ),
        value,
        unit,
        goal: goal.map(Goal::AtMost),
    };
    vec![
        row("all, keys new", whole, "ms", Some(3.0)),
        row("of it, checking the lanes' keys", checking, "ms", None),
        row("of it, proving and splitting", proving, "ms", None),
        row("of it, sealing to all lanes", sealing, "ms", None),
        row("of it, encoding", encoding, "ms", None),
        row("upload", upload as f64, "B", Some(6000.0)),
    ]
}

fn replica() -> Vec<Row> {
    let people = People::new(SIZES, CONTRIBUTORS);
    let bare = bare::histogram(SIZES.lanes.into(), BUCKETS);
    // Second replicas of the first two lanes, and the first one of the third.
    let (watched, passing) = ([1, 3], 4);
    let mut found: [[Vec<f64>; 6]; 2] = Default::default();
    for round in 0..ROUNDS {
        let costs: Vec<_> = (0..BARE_RUNS).map(|_| bare.cost()).collect();
        let (spent, ..) = Computation::run(&people, round, passing, &watched);
        for (role, spent) in spent.into_iter().enumerate() {
            let library = median(costs.iter().map(|cost| cost.check[role]).collect());
            let [taking, proving, reading] = [spent.taking, spent.proving, spent.reading]
                .map(|spent| micros(spent) / CONTRIBUTORS as f64);
            let allowed = TAKING_US + PROVING * library;
            let ratio = (taking + proving) / allowed;
            let values = [taking, proving, reading, library, allowed, ratio];
            for (all, one) in found[role].iter_mut().zip(values) {
                all.push(one);
            }
        }
    }
    let roles = ["first lane", "other lane"].into_iter().zip(found);
    roles
        .flat_map(|(role, found)| of_role(role, found.map(median)))
        .collect()
}

fn of_role(role: &str, [taking, proving, reading, library, allowed, ratio]: [f64; 6]) -> Vec<Row> {
    let row = |what: &str, value, unit, goal: Option<f64>| Row {
        what: format!("replica, {role}, {CONTRIBUTORS} together, each: {what}"),
        value,
        unit,
        goal: goal.map(Goal::AtMost),
    };
    vec![
        row("taking it in", taking, "us", None),
        row("checking its proof", proving, "us", None),
        row("the library's check", library, "us", None),
        row("114 us + 1.3 of the library's", allowed, "us", None),
        row("ratio of both", ratio, "", Some(1.0)),
        row("besides, reading messages", reading, "us", None),
    ]
}

/// What somebody sends, as a bundle.
pub fn bundle(message: Message) -> aggregation::committee::Bundle {
    match message {
        Message::Bundle(_, bundle) => *bundle,
        _ => unreachable!("a contributor sends nothing else"),
    }
}
