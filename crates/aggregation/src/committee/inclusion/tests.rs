use base::Duration;
use crypto::{SealingKey, SigningKey};

use super::*;
use crate::committee::place::Place;
use crate::sizes::Sizes;

const AT: Instant = Instant::from_secs(1_800_000_000);

fn key(seat: usize) -> SigningKey {
    SigningKey::from_seed([seat as u8 + 1; 32])
}

/// Two lanes of three; one liar is borne.
fn terms() -> Terms {
    Terms {
        question: Digest([1; 32]),
        list: Digest([2; 32]),
        seats: (0..6).map(|seat| key(seat).node()).collect(),
        sizes: Sizes {
            lanes: 2,
            replicas: 3,
            signers: 2,
        },
        liars: 1,
        outvotes: false,
        vector_len: 1,
        cells: 1,
        proof: None,
        threshold: 1,
        querier: NodeId([9; 32]),
        closes_at: AT + Duration::from_secs(10),
        place: Place::default(),
    }
}

/// A key of each lane, signed by a seat of it.
fn lanes() -> Vec<Signed<LaneKey>> {
    let secret = |lane: u8| SealingKey::from_bytes(&[lane + 1; 32]);
    let key = |lane: u8| LaneKey::of(terms().round(), &secret(lane));
    vec![
        Signed::new(&self::key(1), 1, key(0)),
        Signed::new(&self::key(5), 5, key(1)),
    ]
}

fn entry(number: u64) -> Entry {
    let mut contributor = [0; 32];
    contributor[..8].copy_from_slice(&number.to_be_bytes());
    Entry {
        contributor: NodeId(contributor),
        header: Digest([5; 32]),
        declines: false,
    }
}

fn say(seat: usize, asked: u64, entries: Vec<Entry>) -> Signed<Holdings> {
    let round = terms().round();
    let holdings = Holdings {
        round,
        asked,
        entries,
    };
    Signed::new(&key(seat), seat, holdings)
}

type Said = BTreeMap<u16, Signed<Holdings>>;

fn all(statements: impl IntoIterator<Item = Signed<Holdings>>) -> Said {
    statements.into_iter().map(|s| (s.seat, s)).collect()
}

/// Everybody holds the first four people's shares.
fn honest() -> Said {
    all((0..6).map(|seat| say(seat, 7, (0..4).map(entry).collect())))
}

fn supported(said: &Said) -> (Support, Inclusion) {
    Support::new(&terms(), &lanes(), [3; 32], AT, said, &Sets::new())
        .expect("all lanes are covered")
}

#[test]
fn the_same_set_follows_for_whoever_checks() {
    let (support, inclusion) = supported(&honest());
    let derived = support.derive(&terms(), &Sets::new()).unwrap();
    assert_eq!(derived.body, inclusion.body);
    assert_eq!(derived.entries, inclusion.entries);
    let body = &inclusion.body;
    assert_eq!((body.included, body.declined, body.asked), (4, 0, 7));
    assert_eq!(body.away(), 3);
    assert!(body.bytes().len() <= 256);
}

#[test]
fn who_is_missing_in_the_majority_of_one_lane_is_out() {
    let mut said = honest();
    let decline = Entry {
        declines: true,
        ..entry(3)
    };
    for seat in [0, 1] {
        let mut entries: Vec<_> = (1..4).map(entry).collect();
        entries[2] = decline;
        said.insert(seat as u16, say(seat, 7, entries));
    }
    let (_, inclusion) = supported(&said);
    // The first is held by one of the first lane; the last is said to decline by two of it, by none of the other.
    assert_eq!(inclusion.entries, [entry(1), entry(2)]);
    assert_eq!(inclusion.body.declined, 0);
}

#[test]
fn a_root_says_nothing_without_its_salt() {
    let (_, one) = supported(&honest());
    let other = Support::new(&terms(), &lanes(), [4; 32], AT, &honest(), &Sets::new())
        .unwrap()
        .1;
    assert_ne!(one.body.root, other.body.root);
    assert_eq!(one.entries, other.entries);
}

#[test]
fn each_fault_of_a_support_has_its_name() {
    let (good, _) = supported(&honest());
    let refused = |change: fn(&mut Support)| {
        let mut support = good.clone();
        change(&mut support);
        match support.derive(&terms(), &Sets::new()) {
            Err(Underivable::False(what)) => what,
            other => panic!("{other:?}"),
        }
    };
    use Misbehaviour as M;
    assert_eq!(refused(|s| s.round = Digest([0; 32])), M::OtherRound);
    assert_eq!(refused(|s| s.rows.swap(0, 1)), M::Order);
    assert_eq!(refused(|s| s.rows[1] = s.rows[0].clone()), M::Order);
    assert_eq!(refused(|s| s.rows.push(s.rows[0].clone())), M::Shape);
    assert_eq!(refused(|s| s.rows.truncate(4)), M::TooFew);
    assert_eq!(refused(|s| s.rows[5].seat = 6), M::Seat);
    assert_eq!(refused(|s| s.entries.swap(0, 1)), M::Order);
    assert_eq!(refused(|s| s.rows[0].asked += 1), M::Signature);
    assert_eq!(refused(|s| s.rows[0].holds[0] ^= 1), M::Signature);
    assert_eq!(refused(|s| s.rows[0].holds[0] |= 16), M::Shape);
    assert_eq!(refused(|s| s.rows[0].holds = vec![].into()), M::Shape);
    assert_eq!(refused(|s| s.entries[0].declines = true), M::Signature);
    let other = |s: &mut Support| s.rows[0].signature = s.rows[1].signature;
    assert_eq!(refused(other), M::Signature);
    assert_eq!(refused(|s| s.lanes.truncate(1)), M::Shape);
    assert_eq!(refused(|s| s.lanes.swap(0, 1)), M::Seat);
    let other_seed = |s: &mut Support| s.lanes[0].body.seed = Digest([7; 32]);
    assert_eq!(refused(other_seed), M::Signature);
    let long = |s: &mut Support| s.entries = (0..=ENTRIES_MAX as u64).map(entry).collect();
    assert_eq!(refused(long), M::Shape);
}

#[test]
fn nobody_is_named_twice_by_one_replica() {
    let twice = Entry {
        header: Digest([6; 32]),
        ..entry(3)
    };
    let mut said = honest();
    let mut entries: Vec<_> = (0..4).map(entry).collect();
    entries.push(twice);
    said.insert(2, say(2, 7, entries));
    assert_eq!(
        check_holdings(&terms(), &said[&2]),
        Err(Misbehaviour::Order)
    );
    let (support, _) = supported(&said);
    assert_eq!(
        support.derive(&terms(), &Sets::new()).unwrap_err(),
        Misbehaviour::Order.into()
    );
}

#[test]
fn statements_of_too_few_give_no_set() {
    let mut said = honest();
    said.retain(|seat, _| ![1, 2].contains(seat));
    assert!(Support::new(&terms(), &lanes(), [3; 32], AT, &said, &Sets::new()).is_none());
}

#[test]
fn liars_who_claim_to_hold_thousands_are_left_out_of_the_reasons() {
    let mut said = honest();
    let ghosts = |from: u64| (from..from + CONTRIBUTORS_MAX as u64).map(entry).collect();
    for (seat, from) in [(0, 10_000), (4, 20_000)] {
        said.insert(seat as u16, say(seat, 7, ghosts(from)));
    }
    let (support, inclusion) = supported(&said);
    assert_eq!(inclusion.body.included, 4);
    assert!(support.entries.len() <= ENTRIES_MAX);
    assert_eq!(
        support.derive(&terms(), &Sets::new()).unwrap().body,
        inclusion.body
    );
}

/// Of two keys that a lane signed, a set is for one.
#[test]
fn a_set_is_for_one_key_of_each_lane() {
    let mut other = lanes();
    let secret = SealingKey::from_bytes(&[9; 32]);
    other[0] = Signed::new(&key(0), 0, LaneKey::of(terms().round(), &secret));
    let other = Support::new(&terms(), &other, [3; 32], AT, &honest(), &Sets::new()).unwrap();
    let body = other.0.derive(&terms(), &Sets::new()).unwrap().body;
    assert_eq!(body, other.1.body);
    let (_, one) = supported(&honest());
    assert_eq!(one.body.root, body.root);
    assert_ne!(one.body.lanes, body.lanes);
    // Who signed it makes no difference.
    let mut resigned = lanes();
    resigned[0] = Signed::new(&key(2), 2, resigned[0].body);
    let same = Support::new(&terms(), &resigned, [3; 32], AT, &honest(), &Sets::new())
        .unwrap()
        .1;
    assert_eq!(one.body, same.body);
}

#[test]
fn those_whose_proofs_fail_are_counted() {
    let (support, inclusion) = supported(&honest());
    let body = support.without_refused(&inclusion.body, &inclusion.entries[1..]);
    assert_eq!((body.included, body.refused, body.away()), (3, 1, 3));
    assert_ne!(body.root, inclusion.body.root);
    assert_eq!(
        support.without_refused(&inclusion.body, &inclusion.entries),
        inclusion.body
    );
}
