//! Replicas that crash or lie.

use super::*;
use crate::committee::statement::{Denial, Denied, LaneCount, LaneTotal, Signed};

#[test]
fn the_first_replica_of_every_lane_may_be_dead() {
    let mut net = Net::new();
    for lane in 0..4 {
        net.dead.insert(net.terms.seats[3 * lane]);
    }
    // Four of fifteen are away, and whoever tries two dead replicas gives up.
    let totals = net.run().unwrap();
    assert!((9..=11).contains(&totals[0]), "{totals:?}");
    net.assert_only_accused(&[]);
}

#[test]
fn any_one_replica_may_die_in_the_middle() {
    for seat in 0..SEATS {
        let mut net = Net::new();
        net.die_when_called.insert(net.terms.seats[seat]);
        let totals = net.run().unwrap();
        assert_eq!(totals[0], 14, "those who handed to it went to another");
        net.assert_only_accused(&[]);
    }
}

#[test]
fn a_lane_without_majority_gives_no_answer() {
    let mut net = Net::new();
    net.die_when_called
        .extend([net.terms.seats[4], net.terms.seats[5]]);
    assert_eq!(net.run(), Err(Failure::TimedOut));
    net.assert_only_accused(&[]);
}

#[test]
fn without_lane_keys_nobody_is_called() {
    let mut net = Net::new();
    net.dead.extend([net.terms.seats[4], net.terms.seats[5]]);
    assert_eq!(net.run(), Err(Failure::TimedOut));
    assert!(net.now < net.terms.closes_at + Duration::from_secs(3));
}

#[test]
fn a_liar_may_give_its_mates_different_secrets() {
    let mut net = Net::new();
    let (liar, victim) = (net.terms.seats[0], net.terms.seats[2]);
    let other = SealingKey::generate(&mut Rng::from_number(9));
    net.tamper = Box::new(move |from, to, message| {
        if let Message::LaneSecret(_, secret) = message
            && (from, to) == (liar, victim)
        {
            *secret = other.clone();
        }
        true
    });
    assert_eq!(net.run(), Ok(vec![15, 120]));
    net.assert_only_accused(&[]);
}

#[test]
fn a_liar_may_give_no_secret() {
    let mut net = Net::new();
    let liar = net.terms.seats[0];
    net.tamper = Box::new(move |from, _, message| {
        from != liar || !matches!(message, Message::LaneSecret(..) | Message::LaneKey(..))
    });
    assert_eq!(net.run(), Ok(vec![15, 120]));
}

#[test]
fn a_replica_that_missed_its_lanes_secret_gets_it() {
    let mut net = Net::new();
    let victim = net.terms.seats[1];
    let mut lost = false;
    net.tamper = Box::new(move |_, to, message| {
        let loses = !lost && to == victim && matches!(message, Message::LaneSecret(..));
        lost |= loses;
        !loses
    });
    assert_eq!(net.run(), Ok(vec![15, 120]));
    assert!(net.counted.contains(&victim));
    net.assert_only_accused(&[]);
}

#[test]
fn only_lane_mates_get_secrets_and_shares() {
    let mut net = Net::new();
    let (mine, other_lane) = (net.terms.seats[0], net.terms.seats[3]);
    let round = net.terms.round();
    let outsider = net.people[14];
    let members: BTreeSet<_> = net.people.iter().copied().collect();
    net.give(mine, Command::Serve(Arc::clone(&net.terms), members.into()));
    let told = net.queue.len();
    for from in [other_lane, outsider] {
        net.inject(from, mine, Message::SecretWanted(round));
        net.inject(from, mine, Message::SharesWanted(round, net.people.clone()));
        let secret = SealingKey::generate(&mut Rng::from_number(3));
        net.inject(from, mine, Message::LaneSecret(round, secret));
    }
    assert_eq!(net.queue.len(), told, "they get no answer");
    assert_eq!(net.accusations.len(), 6);
    assert!(
        net.accusations
            .iter()
            .all(|(_, _, what)| *what == Misbehaviour::Seat)
    );
}

/// The first message of each kind between any two is lost; contributions and the agreement have their own ways.
#[test]
fn what_is_lost_is_sent_again() {
    let mut net = Net::new();
    let mut lost = BTreeSet::new();
    net.tamper = Box::new(move |from, to, message| {
        let kind = match message {
            Message::LaneSecret(..) => 0,
            Message::LaneKey(_) => 1,
            Message::Holdings(_) => 2,
            Message::Support(_) => 3,
            Message::Count(_) => 4,
            Message::Sum(_) => 5,
            _ => return true,
        };
        !lost.insert((kind, from, to))
    });
    assert_eq!(net.run(), Ok(vec![15, 120]));
    net.assert_only_accused(&[]);
}

#[test]
fn a_secret_that_overtakes_the_news_of_its_computation_is_kept() {
    let mut net = Net::new();
    let [giver, seat] = [net.terms.seats[0], net.terms.seats[1]];
    let round = net.terms.round();
    let secret = SealingKey::generate(&mut Rng::from_number(3));
    net.inject(giver, seat, Message::LaneSecret(round, secret.clone()));
    let told = Rc::new(RefCell::new(Vec::new()));
    let log = Rc::clone(&told);
    net.tamper = Box::new(move |_, _, message| {
        if let Message::LaneKey(signed) = message {
            log.borrow_mut().push(signed.body.public);
        }
        true
    });
    net.give(
        seat,
        Command::Serve(Arc::clone(&net.terms), BTreeSet::new().into()),
    );
    assert_eq!(*told.borrow(), [secret.public()]);
}

#[test]
fn a_replica_that_is_never_called_learns_the_keys_from_the_set() {
    let mut net = Net::new();
    let late = net.terms.seats[2];
    net.uncalled.insert(late);
    net.values.insert(late, Some(0));
    net.tamper = Box::new(|_, _, message| !matches!(message, Message::Done(_)));
    assert_eq!(net.run(), Ok(vec![14, 117]));
    assert!(net.counted.contains(&late));
    net.assert_only_accused(&[]);
}

#[test]
fn a_replica_whose_shares_never_come_asks_in_vain_but_in_measure() {
    let mut net = Net::new();
    let late = net.terms.seats[2];
    net.values.insert(late, Some(0));
    let asked = Rc::new(RefCell::new(0));
    let count = Rc::clone(&asked);
    net.tamper = Box::new(move |from, to, message| {
        if from == late && matches!(message, Message::SharesWanted(..)) {
            *count.borrow_mut() += 1;
        }
        // So that it goes on for a while.
        !(matches!(message, Message::Done(_))
            || to == late && matches!(message, Message::Forward(..)))
    });
    assert_eq!(net.run(), Ok(vec![14, 117]));
    let seconds = net.now.since(net.ended_at).as_secs() as i32;
    assert!(*asked.borrow() > 0);
    assert!(
        *asked.borrow() <= 2 * (seconds + 3),
        "one request to each mate in a second: {asked:?}"
    );
    net.assert_only_accused(&[]);
}

/// Makes `seat` say another count than it should, to those for whom `whom` holds.
fn false_count(net: &mut Net, seat: usize, whom: impl Fn(usize) -> bool + 'static) -> NodeId {
    let liar = net.terms.seats[seat];
    let key = net.key(liar);
    let terms = Arc::clone(&net.terms);
    net.tamper = Box::new(move |from, to, message| {
        if let Message::Count(count) = message
            && from == liar
            && terms.seat(to).is_some_and(&whom)
        {
            let mut body = count.body.clone();
            body.0.sums[0] = body.0.sums[0].wrapping_add(100) % Vector::MODULUS;
            **count = Signed::new(&key, seat, LaneCount(body.0));
        }
        true
    });
    liar
}

#[test]
fn a_false_count_is_a_conflict_and_no_answer() {
    let mut net = Net::new();
    let liar = false_count(&mut net, 4, |_| true);
    assert_eq!(net.run(), Err(Failure::Conflict));
    net.assert_only_accused(&[liar]);
}

/// Where fewer may lie in a lane than it takes, the liar is named and the answer stands.
#[test]
fn a_false_count_may_be_outvoted() {
    let mut net = Net::new();
    Arc::make_mut(&mut net.terms).outvotes = true;
    let liar = false_count(&mut net, 4, |_| true);
    assert_eq!(net.run(), Ok(vec![15, 120]));
    net.assert_accused(liar, Misbehaviour::Sum);
}

/// Two of three who lie in the same words have outvoted the third, who can still name them.
#[test]
fn enough_liars_of_one_lane_are_named_by_their_mate() {
    let mut net = Net::new();
    Arc::make_mut(&mut net.terms).outvotes = true;
    let liars = [4, 5].map(|seat| net.terms.seats[seat]);
    let keys = liars.map(|liar| net.key(liar));
    net.tamper = Box::new(move |from, _, message| {
        if let Message::Count(count) = message
            && let Some(liar) = liars.iter().position(|liar| *liar == from)
        {
            let mut body = count.body.clone();
            body.0.sums[0] = 3;
            **count = Signed::new(&keys[liar], 4 + liar, LaneCount(body.0));
        }
        // Nothing is given on these counts: it would be wrong, as the bounds say.
        !matches!(message, Message::Sum(_) | Message::Denied(_))
    });
    assert_eq!(net.run(), Err(Failure::TimedOut));
    net.assert_only_accused(&liars);
    let mate = net.terms.seats[3];
    let by_mate = |liar| net.accusations.contains(&(mate, liar, Misbehaviour::Sum));
    assert!(liars.into_iter().all(by_mate));
}

#[test]
fn a_count_that_is_false_to_few_leaves_the_answer_exact() {
    let mut net = Net::new();
    let liar = false_count(&mut net, 4, |seat| seat == 0);
    // One deceived replica sees a conflict and denies; that many seats alone are not believed.
    assert_eq!(net.run(), Ok(vec![15, 120]));
    net.assert_only_accused(&[liar]);
}

#[test]
fn a_count_that_is_false_to_many_is_a_conflict() {
    let mut net = Net::new();
    let liar = false_count(&mut net, 4, |seat| seat < 4);
    assert_eq!(net.run(), Err(Failure::Conflict));
    net.assert_only_accused(&[liar]);
}

#[test]
fn each_fault_of_a_count_has_its_name() {
    type Change = fn(&mut Signed<LaneCount>, &SigningKey);
    let cases: [(Change, Misbehaviour); 4] = [
        (
            |count, key| *count = Signed::new(key, 9, count.body.clone()),
            Misbehaviour::Seat,
        ),
        (
            |count, _| count.body.0.sums[0] ^= 1,
            Misbehaviour::Signature,
        ),
        (
            |count, key| {
                let mut body = count.body.clone();
                body.0.sums.push(1);
                *count = Signed::new(key, 10, body);
            },
            Misbehaviour::Shape,
        ),
        (
            |count, key| {
                let mut body = count.body.clone();
                body.0.set = Digest([7; 32]);
                *count = Signed::new(key, 10, body);
            },
            Misbehaviour::OtherSet,
        ),
    ];
    for (change, what) in cases {
        let mut net = Net::new();
        let liar = net.terms.seats[10];
        let key = net.key(liar);
        net.tamper = Box::new(move |from, _, message| {
            if let Message::Count(count) = message
                && from == liar
            {
                change(count, &key);
            }
            true
        });
        assert_eq!(net.run(), Ok(vec![15, 120]), "{what:?}");
        net.assert_accused(liar, what);
    }
}

#[test]
fn counts_about_another_set_that_come_before_the_decision_are_forgotten() {
    let mut net = Net::new();
    let liar = net.terms.seats[10];
    let total = LaneTotal {
        round: net.terms.round(),
        set: Digest([7; 32]),
        sums: vec![1000],
        open: Vec::new(),
    };
    let count = Signed::new(&net.key(liar), 10, LaneCount(total));
    for seat in net.terms.seats.clone() {
        let message = Message::Count(Box::new(count.clone()));
        net.deliver(Duration::from_millis(50), liar, seat, message);
    }
    assert_eq!(net.run(), Ok(vec![15, 120]));
    net.assert_only_accused(&[liar]);
}

#[test]
fn only_the_querier_can_end_a_computation() {
    let mut net = Net::waiting();
    let (seat, round) = (net.terms.seats[0], net.terms.round());
    let liar = net.terms.seats[1];
    net.inject(liar, seat, Message::Done(round));
    net.assert_accused(liar, Misbehaviour::Seat);
    let has_state = |net: &Net| !net.nodes[&seat].footprint_for_tests(round).is_empty();
    assert!(has_state(&net));
    net.inject(net.querier, seat, Message::Done(round));
    assert!(!has_state(&net));
}

#[test]
fn a_liar_alone_cannot_deny_an_answer() {
    for liars in [3, 4] {
        let mut net = Net::new();
        let round = net.terms.round();
        for seat in 0..liars {
            let liar = net.terms.seats[seat];
            let why = Denied::SmallCrowd;
            let denial = Signed::new(&net.key(liar), seat, Denial { round, why });
            net.push(
                net.querier,
                LATENCY,
                Input::Message {
                    from: liar,
                    message: Message::Denied(denial),
                },
            );
        }
        let ended = net.run();
        if liars == 3 {
            assert_eq!(ended, Ok(vec![15, 120]));
        } else {
            assert_eq!(ended, Err(Failure::SmallCrowd), "more than assumed");
        }
    }
}

#[test]
fn votes_wait_for_the_disk() {
    let mut net = Net::new();
    let hanging = net.terms.seats.clone();
    net.hanging.extend(&hanging);
    net.tamper = Box::new(|_, _, message| {
        if let Message::Agreement(_, message) = message {
            let is_proposal = matches!(**message, crate::agreement::Message::Proposal { .. });
            assert!(is_proposal, "no vote leaves before it is stored");
        }
        true
    });
    assert_eq!(net.run(), Err(Failure::TimedOut));
}
