//! An actor list's signatures together, against one by one.

use base::{Digest, Instant};
use crypto::verify;
use selection::{ActorList, ListBody, Rules};

use crate::drawing::{Drawers, Size};
use crate::report::{Goal, Row};
use crate::timing::{median, time};

const SEATS: u32 = 12;
const RUNS: usize = 201;

/// Lists with k = 4 and k = 8 builders.
pub fn run() -> Vec<Row> {
    let small = Size {
        nodes: 200,
        colluders: 3,
    };
    let large = Size {
        nodes: 2000,
        colluders: 40,
    };
    let mut rows = measure(&small, 4, 0.60);
    rows.extend(measure(&large, 8, 0.55));
    rows
}

fn measure(size: &Size, k: usize, goal: f64) -> Vec<Row> {
    let mut drawers = Drawers::new(size);
    let list = std::iter::repeat_with(|| drawers.draw(SEATS).1)
        .take(100)
        .flatten()
        .find(|list| list.builders.len() == k)
        .expect("one point in a hundred of this community has this k");
    let (at, digest) = (list.body.at, list.body.draw.digest);
    let (mut together, mut singly) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        together.push(micros(|| check_list(&list, drawers.rules(), at, digest)));
        singly.push(micros(|| check_singly(&list, drawers.rules(), at)));
    }
    let ratio = together
        .iter()
        .zip(&singly)
        .map(|(list, single)| list / single);
    let ratio = median(ratio.collect());
    let row = |what: String, value, unit, goal| Row {
        what,
        value,
        unit,
        goal,
    };
    let checks = list.checks();
    vec![
        row(
            format!("{checks} signatures of a list, one by one"),
            median(singly),
            "us",
            None,
        ),
        row(format!("a list, k = {k}"), median(together), "us", None),
        row(
            format!("ratio of both, k = {k}"),
            ratio,
            "",
            Some(Goal::AtMost(goal)),
        ),
    ]
}

fn micros(work: impl FnOnce()) -> f64 {
    time(work).0.as_secs_f64() * 1e6
}

fn check_list(list: &ActorList, rules: &Rules, at: Instant, digest: Digest) {
    assert_eq!(list.verify(rules, at, digest), Ok(()));
}

fn check_singly(list: &ActorList, rules: &Rules, at: Instant) {
    let descriptor = rules.community().descriptor();
    let issuers = descriptor.issuers();
    let bytes = list.body.signed_bytes();
    for builder in &list.builders {
        let (certificate, signature) = (&builder.certificate, &builder.signature);
        assert_eq!(
            certificate.verify(&descriptor.community, &issuers, at),
            Ok(())
        );
        let signed = verify(certificate.node(), ListBody::DOMAIN, &bytes, signature);
        assert_eq!(signed, Ok(()));
    }
}
