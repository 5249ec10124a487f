//! What colluders see, all of it together, says nothing of honest people's numbers (design: aggregation, "Who sees what").
//!
//! Two worlds differ in the honest people's numbers and in who of them matches, but not in how many do. Colluders are all
//! helpers of all lanes but one, and the asker until the lanes' sums are opened. They open all shares of their lanes and add
//! up what they like. Runs of both worlds are compared by each number that they can compute: two samples are drawn from
//! one distribution, or the test says so. Seeds are fixed, so the outcome is too; if the worlds are alike, it had a chance
//! of about 0.001 to come out otherwise when the seeds were chosen.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use aggregation::committee::{LaneShare, Message, Terms, open_share};
use base::{NodeId, encode};
use crypto::{SealingKey, SealingPublicKey, Vector};

use super::*;
use crate::aggregating::setting::field;
use crate::parallel;

/// Elements of each verifier share that are looked at, the last ones.
const VERIFIER_ELEMENTS: usize = 8;
/// Runs of each world.
const RUNS: u64 = 600;
/// Bins of a number, by its leading bits and again by its trailing ones.
const BINS: usize = 8;
/// 3·10^-7 of all chi-square statistics with seven degrees of freedom are larger: 0.001 over about 3,300 of them.
const CHI_SQUARE_MAX: f64 = 44.0;
/// The same for the normal distribution, both sides.
const DEVIATIONS_MAX: f64 = 5.13;

/// What colluders know after one run.
struct View {
    /// Elements of the field, by what they are.
    numbers: BTreeMap<String, u64>,
    /// How often each byte occurs in all messages of one kind.
    bytes: BTreeMap<&'static str, [u64; 256]>,
}

fn kind(message: &Message) -> &'static str {
    match message {
        Message::LaneSecret(..) => "lane secret",
        Message::LaneKey(_) => "lane key",
        Message::Bundle(..) => "bundle",
        Message::Forward(..) => "forward",
        Message::Holdings(_) => "holdings",
        Message::Support(_) => "support",
        Message::Agreement(..) => "agreement",
        Message::Count(_) => "count",
        Message::Seed(..) => "seed",
        Message::Checked(_) => "checked",
        Message::Verifiers(..) => "verifiers",
        Message::Settlement(..) => "settlement",
        _ => "others",
    }
}

/// All that the helpers of these lanes hear and say, and what the asker hears before lane sums are given.
fn seen(terms: &Terms, lanes: &[usize], all: Vec<Overheard>) -> Vec<Overheard> {
    let colludes = |node: NodeId| {
        let lane = terms.seat(node).map(|seat| terms.sizes.lane_of(seat));
        lane.is_some_and(|lane| lanes.contains(&lane))
    };
    let is_seen = |one: &Overheard| {
        let asker = one.to == terms.querier && !matches!(one.message, Message::Sum(_));
        asker || colludes(one.to) || colludes(one.from)
    };
    all.into_iter().filter(is_seen).collect()
}

/// By lane and contributor, the shares that can be opened with the secrets that were seen.
fn shares(terms: &Terms, lanes: &[usize], seen: &[Overheard]) -> BTreeMap<(usize, NodeId), Vector> {
    let secrets = seen.iter().filter_map(|one| match &one.message {
        Message::LaneSecret(_, secret) => Some((secret.public(), secret.clone())),
        _ => None,
    });
    let secrets: BTreeMap<SealingPublicKey, SealingKey> = secrets.collect();
    let mut shares = BTreeMap::new();
    for one in seen {
        let items = match &one.message {
            Message::Forward(_, items, _) => items.clone(),
            Message::Bundle(_, bundle) => lanes.iter().map(|lane| bundle.item(*lane)).collect(),
            _ => continue,
        };
        for item in items {
            for lane in lanes {
                let key = (*lane, item.header.node());
                let Entry::Vacant(vacant) = shares.entry(key) else {
                    continue;
                };
                let opened = secrets
                    .values()
                    .find_map(|s| open_share(terms, *lane, &item, s).ok());
                if let Some(LaneShare::Plain(vector)) = opened {
                    vacant.insert(vector);
                }
            }
        }
    }
    shares
}

fn view(setting: &Setting, lanes: &[usize], seed: u64) -> View {
    let (run, all) = setting.overhear(seed);
    assert!(matches!(run.ended, Ended::Exact(_)), "{run:?}");
    let seen = seen(setting.terms(), lanes, all);
    let shares = shares(setting.terms(), lanes, &seen);
    let mut numbers = BTreeMap::new();
    let mut note = |what: String, vector: &Vector| {
        for (at, number) in vector.to_u64s().into_iter().enumerate() {
            numbers.insert(format!("{what}, element {at}"), number);
        }
    };
    for (at, person) in setting.contributors().enumerate() {
        let mut sum = Vector::zeros(setting.terms().vector_len);
        for lane in lanes {
            // What is proved is not opened as a vector: its verifier shares are looked at below.
            let Some(share) = shares.get(&(*lane, person)) else {
                assert!(setting.terms().proof.is_some(), "all shares are opened");
                continue;
            };
            note(format!("person {at}, lane {lane}"), share);
            sum.add(share).unwrap();
        }
        note(format!("person {at}, all lanes seen"), &sum);
    }
    let mut bytes = BTreeMap::new();
    let mut verified = BTreeMap::new();
    for one in &seen {
        if let Message::Count(count) = &one.message {
            let lane = setting.terms().sizes.lane_of(count.index());
            note(format!("count of lane {lane}"), &field(&count.body.0.sums));
        }
        if let Message::Verifiers(_, _, verifiers) = &one.message {
            let lane = setting.terms().seat(one.from).map(|seat| seat / 3);
            for (at, verifier) in verifiers.iter().enumerate() {
                // The elements of the field come before the 32 bytes of joint randomness.
                let encoded = encode(verifier);
                let elements = encoded[..encoded.len() - 32].rchunks_exact(8);
                for (element, bytes) in elements.take(VERIFIER_ELEMENTS).enumerate() {
                    let number = u64::from_le_bytes(bytes.try_into().expect("eight bytes"));
                    let what = format!("verifier share {at} of lane {lane:?}, element {element}");
                    verified.insert(what, number);
                }
            }
        }
        let counts = bytes.entry(kind(&one.message)).or_insert([0; 256]);
        encode(&one.message)
            .iter()
            .for_each(|byte| counts[usize::from(*byte)] += 1);
    }
    numbers.append(&mut verified);
    View { numbers, bytes }
}

fn views(setting: &Setting, lanes: &[usize], first: u64, count: u64) -> Vec<View> {
    let part = |range: std::ops::Range<u64>| -> Vec<View> {
        range
            .map(|number| view(setting, lanes, first + number))
            .collect()
    };
    parallel::map(count, part).into_iter().flatten().collect()
}

/// Two worlds of one committee: in the second one other honest people match, and with other numbers.
fn worlds() -> [Setting; 2] {
    [0, 1].map(|world| {
        let mut setting = small(9, 2);
        let all: Vec<_> = setting.contributors().collect();
        for (at, person) in all.into_iter().enumerate() {
            // The first lane's three helpers collude, and know what they contribute.
            let number = match (at, world) {
                (0..3, _) => Some(500),
                (8, 0) | (7, 1) => None,
                (_, 0) => Some(1),
                _ => Some(994),
            };
            setting.set_number(person, number);
        }
        setting
    })
}

/// The numbers and bytes by which two samples differ.
fn differences(a: &[View], b: &[View]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for name in a[0].numbers.keys() {
        let of = |views: &[View]| -> Vec<u64> { views.iter().map(|v| v.numbers[name]).collect() };
        let (a, b) = (of(a), of(b));
        for bits in [|n: u64| n >> 61, |n: u64| n & 7] {
            if chi_square(&bins(&a, bits), &bins(&b, bits)) > CHI_SQUARE_MAX {
                found.insert(name.clone());
            }
        }
    }
    for kind in a[0].bytes.keys() {
        for byte in 0..256 {
            let of = |views: &[View]| -> Vec<f64> {
                let counts = views
                    .iter()
                    .map(|v| v.bytes.get(kind).map_or(0, |c| c[byte]));
                counts.map(|count| count as f64).collect()
            };
            if deviations(&of(a), &of(b)) > DEVIATIONS_MAX {
                found.insert(format!("byte {byte} of {kind}"));
            }
        }
    }
    found
}

fn bins(numbers: &[u64], of: fn(u64) -> u64) -> [f64; BINS] {
    let mut bins = [0.0; BINS];
    numbers
        .iter()
        .for_each(|number| bins[of(*number) as usize] += 1.0);
    bins
}

/// Of two samples of one size: sum of (a − b)² / (a + b).
fn chi_square(a: &[f64; BINS], b: &[f64; BINS]) -> f64 {
    let pairs = a.iter().zip(b).filter(|(a, b)| **a + **b > 0.0);
    pairs.map(|(a, b)| (a - b).powi(2) / (a + b)).sum()
}

/// By how many standard deviations of their difference two means differ (Welch).
fn deviations(a: &[f64], b: &[f64]) -> f64 {
    let moments = |sample: &[f64]| {
        let n = sample.len() as f64;
        let mean = sample.iter().sum::<f64>() / n;
        let spread = sample.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0);
        (mean, spread / n)
    };
    let ((a, va), (b, vb)) = (moments(a), moments(b));
    if a == b {
        0.0
    } else {
        (a - b).abs() / (va + vb).sqrt()
    }
}

#[test]
fn colluders_short_of_one_lane_see_nothing_of_honest_numbers() {
    let [one, other] = worlds();
    let a = views(&one, &[0], 0, RUNS);
    let b = views(&other, &[0], RUNS, RUNS);
    assert!(a[0].numbers.len() > 30 && a[0].bytes.len() >= 8);
    assert_eq!(differences(&a, &b), BTreeSet::new());
}

/// The verifier shares of the lane that they lack come to the colluders as well, and the seed.
#[test]
fn colluders_short_of_one_lane_see_nothing_in_proofs() {
    let [one, other] = worlds().map(Setting::with_proofs);
    let a = views(&one, &[0], 0, RUNS / 3);
    let b = views(&other, &[0], RUNS, RUNS / 3);
    let of_other_lane = |name: &&String| name.contains("of lane Some(1)");
    assert!(a[0].numbers.keys().filter(of_other_lane).count() > 30);
    assert_eq!(differences(&a, &b), BTreeSet::new());
}

/// The control: with the last lane, the same test finds every honest person's number, and who matches.
#[test]
fn colluders_in_every_lane_see_everything_and_the_test_says_so() {
    let [one, other] = worlds();
    let a = views(&one, &[0, 1], 0, 40);
    let b = views(&other, &[0, 1], 40, 40);
    let found = differences(&a, &b);
    let expected = (3..9).map(|at| format!("person {at}, all lanes seen, element 1"));
    let matches = [7, 8].map(|at| format!("person {at}, all lanes seen, element 0"));
    let expected: BTreeSet<_> = expected.chain(matches).collect();
    assert!(found.is_superset(&expected), "{found:?}");
    // What is random in each lane stays so.
    let apart = |name: &&String| name.contains(", lane ");
    assert_eq!(found.iter().find(apart), None);
}

/// Helpers, and whoever watches the wire, cannot tell who matches: every message goes between the same nodes at the same
/// time and is as long.
#[test]
fn who_matches_is_not_seen_from_outside() {
    let mut setting = small(12, 2);
    let person = *setting.seatless().first().expect("some have no seat");
    for seed in 0..4 {
        let mut outside = |number| {
            setting.set_number(person, number);
            let (run, all) = setting.overhear(seed);
            assert!(matches!(run.ended, Ended::Exact(_)), "{run:?}");
            let outside: Vec<_> = all.iter().map(Overheard::outside).collect();
            (run.ended, outside)
        };
        let (matching, not) = (outside(Some(700)), outside(None));
        assert_ne!(matching.0, not.0, "it does make a difference");
        assert_eq!(matching.1, not.1);
    }
}
