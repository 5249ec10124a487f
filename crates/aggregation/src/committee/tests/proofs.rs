//! Contributions with a proof: the honest run, contributors that lie within what a share hides, and helpers that lie about
//! proofs.

use super::*;
use crate::committee::contribution::Bundle;
use crate::committee::lanes::Seed;
use crate::committee::proofs::Checked;
use crate::committee::statement::Signed;
use crate::committee::terms::Terms;
use crate::validity::Statistic;

/// Values from 0 to 1000 are summed, and proved to be such.
fn proving() -> Net {
    let mut net = Net::new();
    net.prove_sums();
    net
}

fn refused(net: &Net) -> u64 {
    net.ended.clone().unwrap().unwrap().set.refused
}

/// A contribution of match count and value as a liar makes it: well formed and well signed, with a proof made as if the
/// numbers were in range.
fn lie(net: &Net, liar: NodeId, numbers: &[u64], keys: &[crypto::SealingPublicKey]) -> Bundle {
    let rng = &mut Rng::from_number(6);
    Bundle::lying_for_tests(&net.identities[&liar], &net.terms, keys, numbers, rng)
}

#[test]
fn honest_contributions_are_proved_and_added_up() {
    let mut net = proving();
    assert_eq!(net.run(), Ok(vec![15, 120]));
    let evidence = net.ended.clone().unwrap().unwrap();
    assert_eq!((evidence.set.included, evidence.set.refused), (15, 0));
    assert_eq!(net.sets.len(), SEATS, "all of them know the set");
    assert!(net.ended_at < START + Duration::from_secs(3));
    net.assert_only_accused(&[]);
}

#[test]
fn messages_about_proofs_may_arrive_in_any_order() {
    for seed in 0..4 {
        let mut net = proving();
        let mut rng = Rng::from_number(seed);
        net.delay = Box::new(move |_, _, _| Duration::from_millis(rng.below(300)));
        assert_eq!(net.run(), Ok(vec![15, 120]));
        net.assert_only_accused(&[]);
    }
}

#[test]
fn those_who_decline_do_not_match_or_stay_away_have_nothing_to_prove() {
    let mut net = proving();
    let people = net.people.clone();
    net.values.insert(people[3], None);
    net.values.insert(people[5], Some(0));
    net.dead.insert(people[13]);
    assert_eq!(net.run(), Ok(vec![12, 120 - 4 - 6 - 14]));
    let set = net.ended.clone().unwrap().unwrap().set;
    assert_eq!((set.included, set.declined, set.refused), (13, 1, 0));
    assert_eq!((set.asked, set.away()), (15, 1));
}

#[test]
fn what_cannot_be_proved_never_leaves_the_node() {
    let mut net = proving();
    let person = net.people[14];
    net.values.insert(person, Some(1001));
    net.tamper = Box::new(move |from, _, message| {
        assert!(from != person || !matches!(message, Message::Bundle(..)));
        true
    });
    assert_eq!(net.run(), Ok(vec![14, 105]));
    assert!(matches!(net.unfit[..], [(node, _)] if node == person));
}

#[test]
fn who_contributes_more_than_is_allowed_is_left_out() {
    let too_much = [1, 1001];
    let twice = [2, 10];
    let without_matching = [0, 10];
    let negative = [1, Vector::MODULUS - 1];
    let minus_a_person = [Vector::MODULUS - 1, 0];
    for numbers in [too_much, twice, without_matching, negative, minus_a_person] {
        let mut net = proving();
        let liar = net.people[14];
        net.silent.insert(liar);
        net.called = Some(Box::new(move |net, keys| {
            let bundle = lie(net, liar, &numbers, keys);
            let message = Message::Bundle(net.terms.round(), Box::new(bundle));
            net.deliver(LATENCY, liar, net.terms.seats[0], message);
        }));
        assert_eq!(net.run(), Ok(vec![14, 105]), "{numbers:?}");
        assert_eq!(refused(&net), 1, "{numbers:?}");
        assert!(!net.included().contains(&liar));
        net.assert_only_accused(&[]);
    }
}

/// The same numbers are accepted from who proves them, so that it is for the numbers that the others were refused.
#[test]
fn the_greatest_value_is_allowed() {
    let mut net = proving();
    net.values.insert(net.people[14], Some(1000));
    assert_eq!(net.run(), Ok(vec![15, 1105]));
}

#[test]
fn a_contribution_without_a_proof_or_with_too_much_of_it_is_refused() {
    let mut net = proving();
    net.take_seats();
    let (seat, person) = (net.terms.seats[0], net.people[14]);
    let plain = Terms {
        proof: None,
        ..(*net.terms).clone()
    };
    let rng = &mut Rng::from_number(2);
    let identity = Arc::clone(&net.identities[&person]);
    let bundle = Bundle::new(&identity, &plain, &some_keys(), &vector(5), rng).unwrap();
    let message = Message::Bundle(net.terms.round(), Box::new(bundle));
    net.inject(person, seat, message);
    net.assert_accused(person, Misbehaviour::Shape);
    // And the other way round.
    let mut net = Net::waiting();
    let terms = Terms {
        proof: Some(Statistic::Sum { max: 9 }.into()),
        ..(*net.terms).clone()
    };
    let bundle = Bundle::new(&identity, &terms, &some_keys(), &vector(5), rng).unwrap();
    let message = Message::Bundle(net.terms.round(), Box::new(bundle));
    net.inject(person, seat, message);
    net.assert_accused(person, Misbehaviour::Shape);
}

/// No seed leaves a replica before a quorum has signed the candidates.
#[test]
fn the_key_is_unknown_until_the_candidates_are_closed() {
    let mut net = proving();
    let decided = Rc::new(RefCell::new(BTreeSet::new()));
    let known = Rc::clone(&decided);
    net.tamper = Box::new(move |from, _, message| {
        use crate::agreement::Message as Word;
        match message {
            Message::Agreement(_, word) => {
                let is_commit = matches!(**word, Word::Commit(_));
                if is_commit {
                    known.borrow_mut().insert(from);
                }
            }
            Message::Seed(..) => assert!(known.borrow().len() >= 8, "a quorum has voted"),
            _ => {}
        }
        true
    });
    assert_eq!(net.run(), Ok(vec![15, 120]));
}

/// A lane's replica tells a friend its seed beforehand; the friend lacks three, and all that it can choose does not help.
#[test]
fn a_seed_that_is_told_too_early_helps_no_liar() {
    let mut net = proving();
    let liar = net.people[14];
    net.silent.insert(liar);
    net.called = Some(Box::new(move |net, keys| {
        // With the whole key the liar could compute a false proof; with a part of it the challenge is as random as ever.
        let bundle = lie(net, liar, &[1, 5000], keys);
        let message = Message::Bundle(net.terms.round(), Box::new(bundle));
        net.deliver(LATENCY, liar, net.terms.seats[1], message);
        let secret = SealingKey::generate(&mut Rng::from_number(1));
        let seed = Seed::of(net.terms.round(), &secret);
        net.deliver(
            LATENCY,
            net.terms.seats[3],
            liar,
            Message::Seed(net.terms.round(), seed),
        );
    }));
    assert_eq!(net.run(), Ok(vec![14, 105]));
    assert_eq!(refused(&net), 1);
}

#[test]
fn a_false_seed_is_found_out() {
    let mut net = proving();
    let liar = net.terms.seats[5];
    let secret = SealingKey::generate(&mut Rng::from_number(1));
    let false_seed = Seed::of(net.terms.round(), &secret);
    net.tamper = Box::new(move |from, _, message| {
        if let Message::Seed(_, seed) = message
            && from == liar
        {
            *seed = false_seed.clone();
        }
        true
    });
    assert_eq!(net.run(), Ok(vec![15, 120]));
    net.assert_accused(liar, Misbehaviour::Seed);
}

/// A replica says that the share of one contributor is bad. Its mates say what it is.
#[test]
fn a_false_cry_changes_nothing_and_is_found_out() {
    let mut net = proving();
    let liar = net.terms.seats[4];
    let key = net.key(liar);
    net.tamper = Box::new(move |from, _, message| {
        if from == liar {
            match message {
                Message::Checked(checked) => {
                    let mut body = checked.body.clone();
                    body.parts[0] = Digest([4; 32]);
                    **checked = Signed::new(&key, 4, body);
                }
                Message::Verifiers(_, _, verifiers) => verifiers[3] = None,
                _ => {}
            }
        }
        true
    });
    assert_eq!(net.run(), Ok(vec![15, 120]));
    assert_eq!(refused(&net), 0);
    net.assert_accused(liar, Misbehaviour::Checked);
}

/// It signs the right word and gives something else to those of its place; they ask another.
#[test]
fn verifier_shares_that_are_not_the_signed_ones_are_not_used() {
    let mut net = proving();
    let liar = net.terms.seats[4];
    net.tamper = Box::new(move |from, _, message| {
        if let Message::Verifiers(_, _, verifiers) = message
            && from == liar
        {
            verifiers.swap(0, 1);
        }
        true
    });
    assert_eq!(net.run(), Ok(vec![15, 120]));
    net.assert_only_accused(&[]);
}

#[test]
fn any_one_replica_may_die_before_it_has_checked() {
    type Step = fn(&Message) -> bool;
    let steps: [Step; 4] = [
        |message| matches!(message, Message::Seed(..)),
        |message| matches!(message, Message::Checked(_)),
        |message| matches!(message, Message::Verifiers(..)),
        |message| matches!(message, Message::Settlement(..)),
    ];
    for step in steps {
        for seat in [0, 1, 5, 11] {
            let mut net = proving();
            let dying = net.terms.seats[seat];
            net.crash = Box::new(move |from, _, message| from == dying && step(message));
            assert_eq!(net.run(), Ok(vec![15, 120]), "seat {seat}");
            assert!(net.dead.contains(&dying));
            net.assert_only_accused(&[]);
        }
    }
}

/// What is lost of the first of each kind is sent again or asked for.
#[test]
fn what_is_lost_of_the_proofs_is_sent_again() {
    let mut net = proving();
    let mut lost = BTreeSet::new();
    net.tamper = Box::new(move |from, to, message| {
        let kind = match message {
            Message::Seed(..) => 0,
            Message::Checked(_) => 1,
            Message::Verifiers(..) => 2,
            Message::VerifiersWanted(..) => 3,
            _ => return true,
        };
        !lost.insert((kind, from, to))
    });
    assert_eq!(net.run(), Ok(vec![15, 120]));
    net.assert_only_accused(&[]);
}

/// A lane whose majority lies tells half of the others that one contributor failed: there is one set, or no answer.
#[test]
fn a_lane_of_liars_cannot_have_two_sets() {
    let mut net = proving();
    let lane = net.terms.lane(1);
    let liars: Vec<_> = net.terms.replicas(1).to_vec();
    let keys: Vec<_> = liars.iter().map(|liar| net.key(*liar)).collect();
    let terms = Arc::clone(&net.terms);
    let others = liars;
    let false_part = std::cell::Cell::new(None);
    net.tamper = Box::new(move |from, to, message| {
        let (Some(seat), Some(to)) = (terms.seat(from), terms.seat(to)) else {
            return true;
        };
        if !lane.contains(&seat) || to % 2 == 0 {
            return true;
        }
        let key = &keys[seat - lane.start];
        match message {
            Message::Verifiers(_, _, verifiers) => {
                verifiers[2] = None;
                false_part.set(Some(crate::committee::proofs::digest(verifiers)));
            }
            Message::Checked(checked) => {
                let mut body: Checked = checked.body.clone();
                // They wait until they know what to sign.
                let Some(part) = false_part.get() else {
                    return false;
                };
                body.parts[0] = part;
                **checked = Signed::new(key, seat, body);
            }
            _ => {}
        }
        true
    });
    // The last lane has one replica that was told the truth, which is too few. No two sets: the harness sees to that.
    assert_eq!(net.run(), Err(Failure::TimedOut));
    net.assert_only_accused(&others);
}

#[test]
fn faults_of_messages_about_proofs_have_their_names() {
    let mut net = proving();
    net.take_seats();
    let [seat, mate, other] = [0, 1, 3].map(|seat| net.terms.seats[seat]);
    let round = net.terms.round();
    let mut accused = |from: NodeId, message: Message| {
        net.accusations.clear();
        net.inject(from, seat, message);
        net.accusations.first().map(|(_, _, what)| *what)
    };
    let checked = |key: &SigningKey, seat: usize, parts: usize| {
        let body = Checked {
            round,
            set: Digest([1; 32]),
            parts: vec![Digest([2; 32]); parts],
        };
        Message::Checked(Box::new(Signed::new(key, seat, body)))
    };
    let stranger = SigningKey::generate(&mut Rng::from_number(9));
    assert_eq!(
        accused(mate, checked(&stranger, 2, 1)),
        Some(Misbehaviour::Seat)
    );
    assert_eq!(
        accused(mate, checked(&stranger, 1, 1)),
        Some(Misbehaviour::Signature)
    );
    assert_eq!(
        accused(mate, checked(&stranger, 1, 4000)),
        Some(Misbehaviour::Shape)
    );
    // Of another place, and not asked.
    let unasked = Message::Verifiers(round, 0, vec![None]);
    assert_eq!(accused(net_seat(4), unasked), Some(Misbehaviour::Seat));
    let far = Message::Verifiers(round, u32::MAX, vec![None]);
    assert_eq!(accused(other, far), Some(Misbehaviour::Shape));
    assert_eq!(
        accused(other, Message::Verifiers(round, 0, vec![None])),
        None
    );
}

fn net_seat(seat: usize) -> NodeId {
    Net::new().terms.seats[seat]
}
