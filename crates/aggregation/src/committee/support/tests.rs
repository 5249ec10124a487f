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

fn said(seat: usize, asked: u64, entries: &[Entry]) -> Signed<Holdings> {
    let (round, list) = (terms().round(), list_digest(entries));
    Signed::new(&key(seat), seat, Holdings { round, asked, list })
}

/// What was heard, and the lists.
#[derive(Clone)]
struct Heard {
    said: BTreeMap<u16, Signed<Holdings>>,
    lists: BTreeMap<Digest, Vec<Entry>>,
}

impl Heard {
    /// Everybody holds the first four people's shares.
    fn honest() -> Self {
        let mut heard = Self {
            said: BTreeMap::new(),
            lists: BTreeMap::new(),
        };
        (0..6).for_each(|seat| heard.say(seat, (0..4).map(entry).collect()));
        heard
    }

    fn say(&mut self, seat: usize, entries: Vec<Entry>) {
        self.said.insert(seat as u16, said(seat, 7, &entries));
        self.lists.insert(list_digest(&entries), entries);
    }

    fn supported_under(&self, salt: u8, lanes: &[Signed<LaneKey>]) -> Option<Supported> {
        let frame = ([salt; 32], AT);
        Support::new(
            &terms(),
            lanes,
            frame,
            &self.said,
            &self.lists,
            &Sets::new(),
        )
    }

    fn supported(&self) -> Supported {
        self.supported_under(3, &lanes())
            .expect("all lanes are covered")
    }

    /// What one knows who has heard all and holds `list`.
    fn known<'a>(&'a self, list: &'a [Entry], lanes: &'a [Signed<LaneKey>]) -> Known<'a> {
        Known {
            heard: &self.said,
            list,
            held: list.to_vec(),
            lanes: Some(lanes),
        }
    }
}

type Supported = (Support, Reasons, Inclusion);

fn first_four() -> Vec<Entry> {
    (0..4).map(entry).collect()
}

/// Half of the first lane lacks the first person's share.
fn mixed() -> Heard {
    let mut heard = Heard::honest();
    heard.say(1, (1..4).map(entry).collect());
    heard
}

#[test]
fn the_same_set_follows_for_whoever_checks() {
    for heard in [Heard::honest(), mixed()] {
        let (support, _, inclusion) = heard.supported();
        support.check(&terms()).unwrap();
        let (list, lanes) = (first_four(), lanes());
        let known = heard.known(&list, &lanes);
        let reasons = support.gather(&known, &Supplement::default()).unwrap();
        let derived = support.derive(&terms(), &reasons, &Sets::new()).unwrap();
        assert_eq!(derived.body, inclusion.body);
        assert_eq!(derived.entries, inclusion.entries);
        let body = &inclusion.body;
        assert_eq!((body.included, body.declined, body.asked), (4, 0, 7));
        assert_eq!(body.away(), 3);
        assert!(body.bytes().len() <= 256);
    }
}

/// The point of it: as long as all hold the same, however much it is, a few words.
#[test]
fn what_all_hold_is_not_repeated() {
    let mut heard = Heard::honest();
    for seat in 0..6 {
        heard.say(seat, (0..1000).map(entry).collect());
    }
    let (support, ..) = heard.supported();
    assert!(encode(&support).len() < 250, "{}", encode(&support).len());
    heard.say(1, (1..1000).map(entry).collect());
    let (support, ..) = heard.supported();
    assert!(encode(&support).len() < 10_000);
}

#[test]
fn what_is_lacking_is_named_and_can_be_had() {
    for (heard, has_tags) in [(Heard::honest(), false), (mixed(), true)] {
        let (support, reasons, inclusion) = heard.supported();
        let nothing = BTreeMap::new();
        let mut known = heard.known(&[], &[]);
        (known.heard, known.lanes) = (&nothing, None);
        let lacking = support.gather(&known, &Supplement::default()).unwrap_err();
        assert_eq!((lacking.seats.len(), lacking.entries.len()), (6, 4));
        assert!(lacking.lanes && lacking.has_shape(&terms()));
        let answer = reasons.supplement(&lacking);
        let picked = support.pick(&terms(), answer.clone(), &lacking).unwrap();
        let gathered = support.gather(&known, &picked).unwrap();
        assert_eq!(gathered, reasons);
        let derived = support.derive(&terms(), &gathered, &Sets::new()).unwrap();
        assert_eq!(derived.body, inclusion.body);
        // One who has most of it asks for the rest.
        let (list, lanes) = (first_four()[1..].to_vec(), lanes());
        let lacking = support
            .gather(&heard.known(&list, &lanes), &Supplement::default())
            .unwrap_err();
        assert!(lacking.seats.is_empty() && !lacking.lanes);
        assert_eq!(lacking.entries.len(), if has_tags { 1 } else { 4 });
    }
}

#[test]
fn a_false_answer_is_not_taken() {
    for heard in [Heard::honest(), mixed()] {
        let (support, reasons, _) = heard.supported();
        let all = Lacking {
            seats: (0..6).collect(),
            entries: (0..4).collect(),
            lanes: true,
        };
        let answer = reasons.supplement(&all);
        let mut other = answer.clone();
        other.entries.insert(2, entry(9));
        assert_eq!(support.pick(&terms(), other, &all), Err(Misbehaviour::Set));
        let mut forged = answer.clone();
        forged.said[0].body.asked += 1;
        let signature = Err(Misbehaviour::Signature);
        assert_eq!(support.pick(&terms(), forged, &all), signature);
        let mut other_lanes = answer.clone();
        other_lanes.lanes.swap(0, 1);
        let picked = support.pick(&terms(), other_lanes, &all).unwrap();
        assert!(picked.lanes.is_empty());
        // Nothing is taken that was not asked for.
        let picked = support.pick(&terms(), answer, &Lacking::default());
        assert_eq!(picked, Ok(Supplement::default()));
    }
}

#[test]
fn who_is_missing_in_the_majority_of_one_lane_is_out() {
    let mut heard = Heard::honest();
    let decline = Entry {
        declines: true,
        ..entry(3)
    };
    for seat in [0, 1] {
        let mut entries: Vec<_> = (1..4).map(entry).collect();
        entries[2] = decline;
        heard.say(seat, entries);
    }
    let (.., inclusion) = heard.supported();
    // The first is held by one of the first lane; the last is said to decline by two of it, by none of the other.
    assert_eq!(inclusion.entries, [entry(1), entry(2)]);
    assert_eq!(inclusion.body.declined, 0);
}

#[test]
fn a_root_says_nothing_without_its_salt() {
    let (.., one) = Heard::honest().supported();
    let (.., other) = Heard::honest().supported_under(4, &lanes()).unwrap();
    assert_ne!(one.body.root, other.body.root);
    assert_eq!(one.entries, other.entries);
}

#[test]
fn each_fault_of_a_support_has_its_name() {
    use Misbehaviour as M;
    type Change = fn(&mut Support);
    let cases: [(Change, Misbehaviour); 9] = [
        (|s| s.round = Digest([0; 32]), M::OtherRound),
        (|s| s.lists[1] = s.lists[0].clone(), M::Order),
        (|s| s.lists[1].seats = s.lists[0].seats.clone(), M::Order),
        (|s| s.lists[0].seats[0] |= 64, M::Seat),
        (|s| s.lists[0].seats.push(0), M::Shape),
        (|s| s.tags.truncate(3), M::Shape),
        (|s| s.tags.clear(), M::Shape),
        (|s| s.lists[0].holds = Holds::Lacks(vec![4]), M::Shape),
        (|s| s.lists[0].holds = Holds::Bits(vec![].into()), M::Shape),
    ];
    let (good, reasons, _) = mixed().supported();
    for (change, what) in cases {
        let mut support = good.clone();
        change(&mut support);
        assert_eq!(support.check(&terms()), Err(what));
    }
    let mut few = good.clone();
    few.lists.iter_mut().for_each(|of| of.seats[0] &= !6);
    assert_eq!(few.check(&terms()), Err(M::TooFew));
    let mut long = good.clone();
    long.len = ENTRIES_MAX as u32 + 1;
    long.tags = vec![0; ENTRIES_MAX + 1];
    assert_eq!(long.check(&terms()), Err(M::Shape));

    let refused = |support: &Support, reasons: &Reasons| match support.derive(
        &terms(),
        reasons,
        &Sets::new(),
    ) {
        Err(Underivable::False(what)) => what,
        other => panic!("{other:?}"),
    };
    let mut forgetful = good.clone();
    forgetful.forget_all_for_tests();
    assert_eq!(refused(&forgetful, &reasons), M::Set);
    let other_set = Support {
        set: Digest([0; 32]),
        ..good.clone()
    };
    assert_eq!(refused(&other_set, &reasons), M::Set);
    let mut order = reasons;
    order.entries.swap(0, 1);
    assert_eq!(refused(&good, &order), M::Order);
}

#[test]
fn nobody_is_named_twice_by_one_replica() {
    let twice = Entry {
        header: Digest([6; 32]),
        ..entry(3)
    };
    let mut heard = Heard::honest();
    let mut entries = first_four();
    entries.push(twice);
    heard.say(2, entries);
    let (support, reasons, _) = heard.supported();
    let refused = support.derive(&terms(), &reasons, &Sets::new());
    assert_eq!(refused.unwrap_err(), Misbehaviour::Order.into());
}

#[test]
fn statements_of_too_few_give_no_set() {
    let mut heard = Heard::honest();
    heard.said.retain(|seat, _| ![1, 2].contains(seat));
    assert!(heard.supported_under(3, &lanes()).is_none());
    // Nor those whose lists are not known.
    let mut heard = Heard::honest();
    heard.lists.clear();
    assert!(heard.supported_under(3, &lanes()).is_none());
}

#[test]
fn liars_who_claim_to_hold_thousands_are_left_out_of_the_reasons() {
    let mut heard = Heard::honest();
    let ghosts = |from: u64| (from..from + CONTRIBUTORS_MAX as u64).map(entry).collect();
    for (seat, from) in [(0, 10_000), (4, 20_000)] {
        heard.say(seat, ghosts(from));
    }
    let (support, reasons, inclusion) = heard.supported();
    assert_eq!(inclusion.body.included, 4);
    assert!(reasons.entries.len() <= ENTRIES_MAX);
    let derived = support.derive(&terms(), &reasons, &Sets::new()).unwrap();
    assert_eq!(derived.body, inclusion.body);
}

/// Of two keys that a lane signed, a set is for one.
#[test]
fn a_set_is_for_one_key_of_each_lane() {
    let mut other = lanes();
    let secret = SealingKey::from_bytes(&[9; 32]);
    other[0] = Signed::new(&key(0), 0, LaneKey::of(terms().round(), &secret));
    let (.., body) = Heard::honest().supported_under(3, &other).unwrap();
    let (.., one) = Heard::honest().supported();
    assert_eq!(one.body.root, body.body.root);
    assert_ne!(one.body.lanes, body.body.lanes);
    // Who signed it makes no difference.
    let mut resigned = lanes();
    resigned[0] = Signed::new(&key(2), 2, resigned[0].body);
    let (.., same) = Heard::honest().supported_under(3, &resigned).unwrap();
    assert_eq!(one.body, same.body);
}

#[test]
fn those_whose_proofs_fail_are_counted() {
    let (support, _, inclusion) = Heard::honest().supported();
    let body = support.without_refused(&inclusion.body, &inclusion.entries[1..]);
    assert_eq!((body.included, body.refused, body.away()), (3, 1, 3));
    assert_ne!(body.root, inclusion.body.root);
    assert_eq!(
        support.without_refused(&inclusion.body, &inclusion.entries),
        inclusion.body
    );
}
