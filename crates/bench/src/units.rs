//! What a seat pays by unit: the times of `aggregation::sizes::costs`.

use aggregation::committee::{Item, open_share};
use base::Rng;
use crypto::{Batch, SigningKey, open, seal, verify};
use sim::START;

use crate::committee::{Computation, People};
use crate::contribution::{SIZES, bundle, fresh_lanes};
use crate::report::Row;
use crate::timing::{cpu_time, median, micros};

const RUNS: usize = 201;
/// Headers in a batch.
const HEADERS: usize = 150;

/// Signatures and sealing, alone and together.
pub fn run() -> Vec<Row> {
    let people = People::new(SIZES, HEADERS);
    let mut rows = alone();
    rows.extend(contributions(&people));
    rows.extend(words(&people));
    rows
}

/// The middle time of one of `parts` pieces of work.
fn each(parts: usize, mut work: impl FnMut()) -> f64 {
    let runs = (0..RUNS).map(|_| micros(cpu_time(&mut work).0) / parts as f64);
    median(runs.collect())
}

fn row(what: impl Into<String>, value: f64) -> Row {
    Row {
        what: what.into(),
        value,
        unit: "us",
        goal: None,
    }
}

fn alone() -> Vec<Row> {
    let mut rng = Rng::from_number(1);
    let (signer, secret) = (
        SigningKey::generate(&mut rng),
        crypto::SealingKey::generate(&mut rng),
    );
    let (public, node) = (secret.public(), signer.node());
    let signature = signer.sign("bench", b"message");
    let sealed = seal(&public, b"bench", b"", &[7; 64], &mut rng).expect("a fresh key");
    vec![
        row(
            "sealing 64 bytes",
            each(1, || {
                seal(&public, b"bench", b"", &[7; 64], &mut rng).expect("a fresh key");
            }),
        ),
        row(
            "opening 64 bytes",
            each(1, || {
                open(&secret, b"bench", b"", &sealed).expect("just sealed");
            }),
        ),
        row(
            "making a signature",
            each(1, || {
                signer.sign("bench", b"message");
            }),
        ),
        row(
            "checking a signature alone",
            each(1, || {
                verify(node, "bench", b"message", &signature).expect("just signed");
            }),
        ),
    ]
}

/// Of headers and shares.
fn contributions(people: &People) -> Vec<Row> {
    let (terms, lanes, secrets) = fresh_lanes(1, SIZES, people.terms(0).querier);
    let contributors = people.contributors();
    let bundles: Vec<_> = contributors
        .map(|place| bundle(people.contribute(place, &terms, &lanes).1))
        .collect();
    let headers = each(HEADERS, || {
        let mut batch = Batch::new();
        for bundle in &bundles {
            let checked = bundle
                .header
                .check_in(&mut batch, &terms, people.community(), START);
            checked.expect("honest");
        }
        batch.verify().expect("honest");
    });
    let header = each(1, || {
        let checked = bundles[0].header.check(&terms, people.community(), START);
        checked.expect("honest");
    });
    let keys = each(lanes.len(), || {
        terms.check_lanes(&lanes).expect("seats signed them")
    });
    let mut rows = vec![
        row("a header's two signatures, alone", header),
        row(
            format!("a header's two signatures, of {HEADERS} headers"),
            headers,
        ),
        row(format!("a lane key's signature, of {}", lanes.len()), keys),
    ];
    for (lane, which) in [(0, "first"), (1, "other")] {
        let items: Vec<Item> = bundles.iter().map(|bundle| bundle.item(lane)).collect();
        let opening = each(HEADERS, || {
            for item in &items {
                open_share(&terms, lane, item, &secrets[lane]).expect("honest");
            }
        });
        rows.push(row(
            format!("opening a share with proof, {which} lane"),
            opening,
        ));
    }
    rows
}

/// Of what seats sign together.
fn words(people: &People) -> Vec<Row> {
    let (_, terms, evidence) = Computation::run(people, 1, 0, &[]);
    let (quorum, signers) = (terms.quorum(), terms.sizes.signers);
    let set = evidence.set.digest();
    let certificate = each(1, || {
        let instance = terms.final_instance();
        let checked = evidence
            .certificate
            .verify(instance, set, &terms.seats, quorum);
        checked.expect("honest");
    });
    let endorsement = each(1, || evidence.sums[0].check(&terms, 0).expect("honest"));
    vec![
        row(
            format!("an endorsement of {signers} signatures"),
            endorsement,
        ),
        row(format!("a certificate of {quorum} signatures"), certificate),
    ]
}
