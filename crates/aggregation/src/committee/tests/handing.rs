//! Replicas that get a contribution from its author and crash, or pass it on to few.

use super::*;
use crate::sizes::Sizes;

const SECOND_TRY: Duration = Duration::from_millis(1500);

/// Lets the replica that `person` hands its contribution to crash when it has sent this many of its next messages.
fn crash_after(net: &mut Net, person: NodeId, sent: usize) -> Rc<RefCell<Option<NodeId>>> {
    let first = Rc::new(RefCell::new(None));
    let (known, mut count) = (Rc::clone(&first), 0);
    net.crash = Box::new(move |from, to, message| {
        if from == person && matches!(message, Message::Bundle(..)) {
            known.borrow_mut().get_or_insert(to);
        }
        let passes_on = matches!(message, Message::Forward(..) | Message::Accepted(_));
        count += usize::from(passes_on && *known.borrow() == Some(from));
        passes_on && *known.borrow() == Some(from) && count > sent
    });
    first
}

#[test]
fn a_replica_may_crash_at_any_moment_of_passing_on() {
    // To a seat of each other lane, to two mates; then, while it waits for the others' word.
    for sent in [0, 1, 3, 4, 5] {
        let mut net = Net::new();
        let person = net.people[14];
        let first = crash_after(&mut net, person, sent);
        assert!(net.run().is_ok());
        let dead = first.borrow().expect("it was handed to somebody");
        assert!(net.dead.contains(&dead));
        assert!(net.included().contains(&person), "after {sent} messages");
        // Had all got it, the answer would be there before the second try.
        if sent < 5 {
            let accepted = net.accepted[&person];
            assert!(accepted >= START + SECOND_TRY, "by the second replica");
        }
        net.assert_only_accused(&[]);
    }
}

#[test]
fn only_those_who_were_tried_can_acknowledge() {
    let mut net = Net::new();
    let person = net.people[14];
    crash_after(&mut net, person, 0);
    let round = net.terms.round();
    net.called = Some(Box::new(move |net, _| {
        let wait = Duration::from_millis(70);
        let stranger = net.querier;
        net.deliver(wait, stranger, person, Message::Accepted(round));
    }));
    assert!(net.run().is_ok());
    assert!(net.included().contains(&person), "it was not put off");
    net.assert_only_accused(&[]);
}

/// To whom each hands its contribution, in order.
type Tried = Rc<RefCell<Vec<(NodeId, NodeId)>>>;

fn watch(net: &mut Net) -> Tried {
    let tried = Tried::default();
    let log = Rc::clone(&tried);
    net.tamper = Box::new(move |from, to, message| {
        if matches!(message, Message::Bundle(..)) {
            log.borrow_mut().push((from, to));
        }
        true
    });
    tried
}

#[test]
fn a_replica_that_cannot_be_reached_is_replaced_at_once() {
    // The same chance leads a person to the same replica.
    let mut net = Net::new();
    let tried = watch(&mut net);
    net.run().expect("all are honest");
    let is_last = |(from, _): &&(NodeId, NodeId)| *from == net.people[14];
    let (person, dead) = *tried.borrow().iter().find(is_last).expect("it tries");

    let mut net = Net::new();
    let tried = watch(&mut net);
    net.tells_unreachable = true;
    net.die_when_called.insert(dead);
    assert_eq!(net.run().unwrap()[0], 14);
    let tried = tried.borrow();
    let by_person = tried.iter().filter(|(from, _)| *from == person);
    let by_person: Vec<_> = by_person.map(|(_, to)| *to).collect();
    assert_eq!((by_person.len(), by_person[0]), (2, dead));
    assert!(net.accepted[&person] < START + SECOND_TRY, "no wait");
    net.assert_only_accused(&[]);
}

#[test]
fn a_liar_that_passes_on_to_few_and_keeps_silent_leaves_nobody_out() {
    for spared in 0..4 {
        let mut net = Net::new();
        let person = net.people[14];
        let terms = Arc::clone(&net.terms);
        let mut first = None;
        net.tamper = Box::new(move |from, to, message| {
            if from == person && matches!(message, Message::Bundle(..)) {
                first.get_or_insert(to);
            }
            let to_one_lane = |to| terms.seat(to).map(|seat| seat / 3) == Some(spared);
            match message {
                Message::Accepted(_) => Some(from) != first || to != person,
                Message::Forward(_, items, _) if Some(from) == first && !to_one_lane(to) => {
                    items.retain(|item| item.header.node() != person);
                    true
                }
                _ => true,
            }
        });
        assert_eq!(net.run(), Ok(vec![15, 120]), "lane {spared} got it first");
        net.assert_only_accused(&[]);
    }
}

/// Whether this passes `person`'s contribution on from the seat of a lane that had it first.
fn passes_on(message: &Message, person: NodeId) -> bool {
    let Message::Forward(_, items, Way::From(_)) = message else {
        return false;
    };
    items.iter().any(|item| item.header.node() == person)
}

/// One liar in each lane says that it holds what it gets, and passes nothing on, or only to one, or garbled.
#[test]
fn a_mate_that_does_not_pass_on_leaves_nobody_out() {
    for way in 0..3 {
        let mut net = Net::new();
        let liars = [0, 4, 8].map(|seat| net.terms.seats[seat]);
        let terms = Arc::clone(&net.terms);
        let kept = Rc::new(RefCell::new(0));
        let count = Rc::clone(&kept);
        net.tamper = Box::new(move |from, to, message| {
            let passes = |person: &NodeId| passes_on(message, *person);
            if !liars.contains(&from) || !terms.seats.iter().any(passes) {
                return true;
            }
            *count.borrow_mut() += 1;
            let seat = terms.seat(to).expect("a mate");
            match (way, message) {
                (0, _) => false,
                (1, _) => seat % 3 == 2,
                (_, Message::Forward(_, items, _)) => {
                    items
                        .iter_mut()
                        .for_each(|item| item.path.push(Digest([0; 32])));
                    true
                }
                _ => true,
            }
        });
        assert_eq!(net.run(), Ok(vec![15, 120]));
        assert!(*kept.borrow() > 0);
        let by = START + Duration::from_millis(1500);
        assert!(
            net.accepted.values().all(|at| *at < by),
            "the first one saw to it"
        );
        net.assert_only_accused(&liars);
    }
}

/// Who is dead passes nothing on, nor says that it does not: all others hold everything well before the end.
#[test]
fn a_third_of_the_seats_may_be_dead() {
    let sizes = Sizes {
        lanes: 8,
        replicas: 5,
        signers: 2,
    };
    let mut net = Net::sized(60, sizes, 4);
    for seat in (0..40).step_by(3) {
        net.die_when_called.insert(net.terms.seats[seat]);
    }
    // So that what they hold is not forgotten.
    net.tamper = Box::new(|_, _, message| !matches!(message, Message::Done(_)));
    let totals = net.run().unwrap();
    assert!((35..=46).contains(&totals[0]), "{totals:?}");
    let round = net.terms.round();
    for seat in net
        .terms
        .seats
        .iter()
        .filter(|seat| !net.dead.contains(seat))
    {
        let footprint = net.nodes[seat].footprint_for_tests(round);
        assert!(
            footprint.contains(&("held", totals[0] as usize)),
            "{footprint:?}"
        );
        assert!(footprint.contains(&("handing", 0)), "{footprint:?}");
        assert!(net.counted.contains(seat));
    }
    net.assert_only_accused(&[]);
}

/// Nobody is told that a contribution is passed on while only its first replica has it.
#[test]
fn a_contribution_is_accepted_when_others_hold_it() {
    let mut net = Net::new();
    let held = Rc::new(RefCell::new(
        std::collections::BTreeMap::<_, BTreeSet<_>>::new(),
    ));
    let log = Rc::clone(&held);
    net.tamper = Box::new(move |from, to, message| {
        match message {
            Message::Held(_, names) => {
                for name in names {
                    log.borrow_mut().entry(*name).or_default().insert(from);
                }
            }
            Message::Accepted(_) => assert_eq!(log.borrow()[&to].len(), SEATS - 1),
            _ => {}
        }
        true
    });
    assert_eq!(net.run(), Ok(vec![15, 120]));
    assert_eq!(net.accepted.len(), 15);
}

#[test]
fn a_liar_that_garbles_what_it_passes_on_leaves_nobody_out() {
    let mut net = Net::new();
    let person = net.people[14];
    let mut first = None;
    net.tamper = Box::new(move |from, to, message| {
        if from == person && matches!(message, Message::Bundle(..)) {
            first.get_or_insert(to);
        }
        match message {
            Message::Accepted(_) => Some(from) != first || to != person,
            Message::Forward(_, items, _) if Some(from) == first => {
                let theirs =
                    |item: &&mut crate::committee::contribution::Item| item.header.node() == person;
                for item in items.iter_mut().filter(theirs) {
                    item.sealed[40] ^= 1;
                }
                true
            }
            _ => true,
        }
    });
    assert_eq!(net.run(), Ok(vec![15, 120]));
    net.assert_only_accused(&[]);
}

/// Most of what is sent to one replica during the collection is lost; it has the shares from its mates, of whom one lies.
#[test]
fn missing_shares_come_from_mates_even_if_one_of_them_lies() {
    let mut net = Net::new();
    let [victim, liar] = [net.terms.seats[0], net.terms.seats[1]];
    let mut closed = false;
    net.tamper = Box::new(move |from, to, message| {
        closed |= matches!(message, Message::Holdings(_));
        match message {
            Message::Forward(_, items, _) if to == victim => {
                if from == liar && closed {
                    items.iter_mut().for_each(|item| item.sealed[50] ^= 1);
                }
                closed
            }
            _ => true,
        }
    });
    let totals = net.run().unwrap();
    // What the victim itself was handed is not lost.
    assert_eq!(totals, vec![15, 120]);
    assert!(net.counted.contains(&victim));
    net.assert_only_accused(&[]);
}

/// One replica is called late, and has by then been given another ciphertext.
#[test]
fn a_false_ciphertext_that_waits_is_replaced_by_the_right_one() {
    let mut net = Net::new();
    let (late, person) = (net.terms.seats[2], net.people[14]);
    net.uncalled.insert(late);
    net.values.insert(late, Some(0));
    let round = net.terms.round();
    net.called = Some(Box::new(move |net, _| {
        let collecting = Input::Command(Command::Collecting(round, net.lanes.clone()));
        net.push(late, Duration::from_secs(1), collecting);
    }));
    let mut asked = false;
    net.tamper = Box::new(move |from, to, message| {
        asked |= from == late && matches!(message, Message::SharesWanted(..));
        if let Message::Forward(_, items, _) = message
            && to == late
            && !asked
        {
            let theirs = items.iter_mut().filter(|i| i.header.node() == person);
            theirs.for_each(|item| item.sealed[40] ^= 1);
        }
        !matches!(message, Message::Done(_))
    });
    assert_eq!(net.run(), Ok(vec![14, 117]));
    assert!(net.counted.contains(&late));
    net.assert_only_accused(&[]);
}
