//! Everything that peers can fill has an end.

use std::sync::Arc;

use base::minicbor::{Decode, Encode};
use base::{
    DecodeError, Digest, Duration, Input, Instant, Location, NodeId, Outbox, Output, Protocol as _,
    decode, encode,
};

use super::network::Network;
use super::world::{SECOND, START, World, authority, certified, contact, people, plan, rules_of};
use crate::builder::{BUILDING_KEPT, BUILDING_MAX, Builder};
use crate::context::{ANNOUNCED_MAX, Context, PROBE, SETTER, names};
use crate::fault::Refusal;
use crate::limit::{CANDIDATES_MAX, SEATS_MAX, SKIPPED_MAX, WITNESSES_MAX};
use crate::protocol::SETTING_MAX;
use crate::site::Site;
use crate::tally::{BUILDS_MAX, ROUNDS_PER_DRAW, TRIGGERS_MAX, Tally};
use crate::witness::{LACKING_MAX, PROBING_MAX, PROBING_PER_PEER};
use crate::{
    ActorList, Announced, BuildRequest, Command, Draw, ListBody, Message, Opened, Opening,
    Selection, SetterRequest, Step, Timer, TriggerRequest, VerifiableRandom,
};

const LIMIT: usize = 1 << 26;

fn is_read<T: Encode<()> + for<'b> Decode<'b, ()>>(value: &T) -> bool {
    match decode::<T>(&encode(value), LIMIT) {
        Ok(_) => true,
        Err(why) => {
            assert_eq!(why, DecodeError::Malformed);
            false
        }
    }
}

/// A list of exactly `max` is read, and one of one more is not.
fn check<I: Clone>(max: usize, item: &I, message: impl Fn(Vec<I>) -> Message) {
    assert!(is_read(&message(vec![item.clone(); max])));
    assert!(!is_read(&message(vec![item.clone(); max + 1])));
}

#[test]
fn no_list_in_a_message_is_longer_than_its_limit() {
    let world = World::new(13);
    let draw = world.draw(1, 0);
    let step = Step::of_trigger(draw);
    let node = people().node(1);
    let random = world.random(draw, START).0;
    let (part, opening_of) = (random.parts[0].clone(), |candidates| Opening {
        proof: random.parts[0].proof,
        candidates,
    });
    let trigger = |chosen, skipped| {
        Message::Trigger(TriggerRequest {
            draw,
            chosen,
            skipped,
        })
    };
    let setting = |random: VerifiableRandom, skipped| SetterRequest {
        random,
        seats: 1,
        skipped,
        site: Site::FIRST,
        moves: vec![],
    };
    let build = |chosen, skipped| {
        Message::Build(Box::new(BuildRequest {
            request: setting(random.clone(), vec![]),
            round: 0,
            at: START,
            chosen,
            skipped,
        }))
    };
    let opens = |openings, contacts| Message::Opens(step, Opened { openings, contacts });
    let setter = |random, skipped| Message::Setter(Box::new(setting(random, skipped)));
    let list = |actors, builders| {
        let body = ListBody {
            descriptor: plan(0),
            draw,
            random: plan(0),
            setter: node,
            at: START,
            actors,
            site: Site::FIRST,
        };
        Message::List(Box::new(ActorList { body, builders }))
    };

    check(WITNESSES_MAX, &node, |nodes| trigger(nodes, vec![]));
    check(SKIPPED_MAX, &node, |nodes| trigger(vec![], nodes));
    check(SKIPPED_MAX, &node, |nodes| setter(random.clone(), nodes));
    check(SKIPPED_MAX, &node, |skipped| {
        let random = random.clone();
        setter(VerifiableRandom { skipped, ..random }, vec![])
    });
    check(WITNESSES_MAX, &part, |parts| {
        let random = random.clone();
        setter(VerifiableRandom { parts, ..random }, vec![])
    });
    check(WITNESSES_MAX, &node, |nodes| build(nodes, vec![]));
    check(SKIPPED_MAX, &node, |nodes| build(vec![], nodes));
    check(WITNESSES_MAX, &plan(1), |list| Message::Commits(step, list));
    check(CANDIDATES_MAX, &node, |nodes| {
        Message::Open(step, opening_of(nodes))
    });
    let opening = opening_of(vec![]);
    check(WITNESSES_MAX, &opening, |list| opens(list, vec![]));
    let contact = (*people().contacts[1]).clone();
    check(CANDIDATES_MAX, &contact, |list| opens(vec![], list));
    check(SEATS_MAX, &node, |nodes| list(nodes, vec![]));
    let builder = world.list_by(
        ListBody {
            descriptor: plan(0),
            draw,
            random: plan(0),
            setter: node,
            at: START,
            actors: vec![],
            site: Site::FIRST,
        },
        &[node],
    );
    check(WITNESSES_MAX, &builder.builders[0], |b| list(vec![], b));
}

fn announced(opens_at: Instant) -> Announced {
    Announced {
        trigger: people().node(0),
        seats: 1,
        committees: 1,
        opens_at,
    }
}

#[test]
fn the_oldest_questions_are_forgotten() {
    let world = World::new(13);
    let identity = Arc::clone(&people().identities[1]);
    let mut context = Context::new(identity, world.rules);
    let max = ANNOUNCED_MAX as u64;
    for number in 0..max {
        context.announce(plan(number), announced(Instant(number)));
    }
    // Saying it again forgets nobody.
    context.announce(plan(5), announced(Instant(5)));
    let open =
        |context: &Context, number| context.open_question(START, plan(number), people().node(0));
    assert_eq!(context.announced(), ANNOUNCED_MAX);
    assert!(open(&context, 0).is_ok());
    context.announce(plan(max), announced(Instant(max)));
    assert_eq!(context.announced(), ANNOUNCED_MAX);
    assert_eq!(open(&context, 0), Err(Refusal::NotAnnounced));
    assert!(open(&context, 1).is_ok() && open(&context, max).is_ok());
}

/// A trigger by number, without a key: counting needs none.
fn asking(trigger: u64, plan_number: u64) -> TriggerRequest {
    TriggerRequest {
        draw: Draw {
            trigger: NodeId(Digest::of("t", &[&trigger.to_be_bytes()]).0),
            digest: plan(plan_number),
            attempt: 0,
        },
        chosen: vec![],
        skipped: vec![],
    }
}

#[test]
fn triggers_are_counted_as_far_as_there_is_room_and_forgotten_with_the_period() {
    let world = World::new(13);
    let descriptor = world.rules.community().descriptor();
    let mut tally = Tally::default();
    let mut count = |now, trigger| tally.count_attempt(now, descriptor, &asking(trigger, 1));
    let max = TRIGGERS_MAX as u64;
    assert!((0..max).all(|trigger| count(START, trigger) == Ok(())));
    assert_eq!(count(START, max), Err(Refusal::Busy));
    assert_eq!(count(START, 0), Ok(()));
    let next = START + Duration::from_secs(descriptor.period_secs);
    assert_eq!(count(next, max), Ok(()));
}

#[test]
fn rounds_are_counted_as_far_as_there_is_room_and_until_they_are_too_old() {
    let mut tally = Tally::default();
    let setter = people().node(2);
    let step = |number, round| Step {
        round,
        ..Step::of_trigger(asking(1, number).draw)
    };
    let mut count = |now, number, round| tally.count_round(now, step(number, round), setter);
    let max = BUILDS_MAX as u64;
    assert!((0..max).all(|number| count(START, number, 0) == Ok(())));
    assert_eq!(count(START, max, 0), Err(Refusal::Busy));
    for round in 1..ROUNDS_PER_DRAW as u32 {
        assert_eq!(count(START, 0, round), Ok(()));
        assert_eq!(count(START, 0, round), Err(Refusal::Invalid));
    }
    assert_eq!(count(START, 0, 100), Err(Refusal::Invalid));
    // By then its random is refused: its parts may be dated 120 s ahead, and are good for as long after.
    let kept = START + Duration::from_secs(240);
    assert_eq!(count(kept, 0, 101), Err(Refusal::Invalid));
    assert_eq!(count(kept + Duration::from_micros(1), max, 0), Ok(()));
}

#[test]
fn lists_are_made_as_far_as_there_is_room_and_given_up() {
    let world = World::new(13);
    let identity = Arc::clone(&people().identities[1]);
    let context = Context::new(identity, world.rules.clone());
    let (random, value) = world.random(world.draw(1, 0), START);
    let mut builder = Builder::default();
    let mut commit = |now, attempt| {
        let mut random = random.clone();
        random.draw.attempt = attempt;
        let request = BuildRequest {
            request: SetterRequest {
                random,
                seats: 1,
                skipped: vec![],
                site: Site::FIRST,
                moves: vec![],
            },
            round: 0,
            at: now,
            chosen: vec![],
            skipped: vec![],
        };
        let mut out = Outbox::new();
        builder.commit(&context, now, people().node(2), request, value, &mut out);
        matches!(
            out.drain().next(),
            Some(Output::Send {
                message: Message::Commit(..),
                ..
            })
        )
    };
    let max = BUILDING_MAX as u32;
    assert!((0..max).all(|attempt| commit(START, attempt)));
    assert!(!commit(START, max));
    // A new round of one in hand takes no room.
    assert!(commit(START, 0));
    assert!(!commit(START + BUILDING_KEPT, max));
    assert!(commit(START + BUILDING_KEPT + SECOND, max));
}

/// Triggers who say that nodes are away keep a witness waiting: each for a few requests, and all together for some.
#[test]
fn requests_that_wait_for_probes_are_few() {
    let world = World::with(40, |d| {
        d.colluders = 12;
        d.draws_per_period = 1000;
    });
    let mut network = Network::new(&world);
    let node = people().node(1);
    let witness = network.nodes.get_mut(&node).unwrap();
    let mut busy = Vec::new();
    for trigger in (2..40).map(|p| people().node(p)) {
        let centre = people().contact(trigger).location();
        let Some((chosen, skipped)) = skipping(witness, trigger, centre, node) else {
            continue;
        };
        for number in 0..6 {
            let digest = Digest::of("plan", &[trigger.as_bytes(), &[number]]);
            let announced = Announced {
                trigger,
                ..announced(START)
            };
            let announce = Command::Announce(digest, announced);
            witness.handle(START, Input::Command(announce), &mut Outbox::new());
            let draw = Draw {
                trigger,
                digest,
                attempt: 0,
            };
            let message = Message::Trigger(TriggerRequest {
                draw,
                chosen: chosen.clone(),
                skipped: skipped.clone(),
            });
            let mut out = Outbox::new();
            let from = trigger;
            witness.handle(START, Input::Message { from, message }, &mut out);
            let refusal = Message::Refused(Step::of_trigger(draw), Refusal::Busy);
            busy.push(out.drain().any(
                |output| matches!(output, Output::Send { message, .. } if message == refusal),
            ));
        }
    }
    let full = PROBING_MAX / PROBING_PER_PEER;
    assert!(busy.len() > 6 * full, "{}", busy.len());
    for (place, of_one) in busy.chunks(6).enumerate() {
        let few = [false, false, false, false, true, true];
        assert_eq!(of_one, if place < full { few } else { [true; 6] });
    }
    let timer = Input::Timer(Timer::Probe);
    witness.handle(START + PROBE, timer, &mut Outbox::new());
    assert!(witness.is_at_rest());
}

/// The witnesses of a trigger, `witness` among them, when one to eight others are away.
fn skipping(
    node: &Selection,
    trigger: NodeId,
    centre: Location,
    witness: NodeId,
) -> Option<(Vec<NodeId>, Vec<NodeId>)> {
    let mut skipped = Vec::new();
    while skipped.len() <= SKIPPED_MAX {
        let chosen = names(&node.context.witnesses(centre, &[trigger], &skipped)?);
        if chosen.contains(&witness) && !skipped.is_empty() {
            return Some((chosen, skipped));
        }
        skipped.extend(chosen.into_iter().find(|node| *node != witness));
    }
    None
}

#[test]
fn introductions_are_waited_for_from_a_few() {
    let world = World::new(200);
    let mut network = Network::new(&world);
    let witness = people().node(0);
    let strangers = || (1..200).map(|p| people().node(p)).take(LACKING_MAX + 1);
    strangers().for_each(|node| network.forget(witness, node));
    let mut out = Outbox::new();
    let selection = network.nodes.get_mut(&witness).unwrap();
    for node in strangers() {
        let question = Announced {
            trigger: node,
            ..announced(START)
        };
        selection.handle(
            START,
            Input::Command(Command::Announce(plan(1), question)),
            &mut out,
        );
        let draw = Draw {
            trigger: node,
            digest: plan(1),
            attempt: 0,
        };
        let message = Message::Trigger(TriggerRequest {
            draw,
            chosen: vec![],
            skipped: vec![],
        });
        selection.handle(
            START,
            Input::Message {
                from: node,
                message,
            },
            &mut out,
        );
    }
    let refused = out.drain().filter(|output| {
        matches!(
            output,
            Output::Send {
                message: Message::Refused(_, Refusal::Unknown(_)),
                ..
            }
        )
    });
    assert_eq!(refused.count(), LACKING_MAX + 1);
    for node in strangers() {
        let message = Message::Introduce(Box::new((**people().contact(node)).clone()));
        selection.handle(
            START,
            Input::Message {
                from: node,
                message,
            },
            &mut out,
        );
    }
    // One made room for the last.
    assert_eq!(out.drain().count(), LACKING_MAX);
}

/// The setter knows four others only, all of whom the trigger says are away: every draw is its own.
#[test]
fn draws_are_set_up_as_far_as_there_is_room() {
    let world = World::with(13, |d| d.draws_per_period = 1000);
    let identity = Arc::clone(&people().identities[1]);
    let mut setter = Selection::new(identity, world.rules.clone());
    let others: Vec<_> = (2..6).map(|p| people().node(p)).collect();
    for person in 1..6 {
        setter.context.know(Arc::clone(&people().contacts[person]));
    }
    let trigger = people().node(0);
    let mut out = Outbox::new();
    let mut ask = |setter: &mut Selection, now, attempt| {
        let command = Command::Announce(plan(1), announced(START));
        setter.handle(now, Input::Command(command), &mut out);
        let message = Message::Setter(Box::new(SetterRequest {
            random: world.random(world.draw(1, attempt), START).0,
            seats: 1,
            skipped: others.clone(),
            site: Site::FIRST,
            moves: vec![],
        }));
        let from = trigger;
        setter.handle(now, Input::Message { from, message }, &mut out);
        let refused = Message::Refused(Step::of_trigger(world.draw(1, attempt)), Refusal::Busy);
        let built = |output| match output {
            Output::Send { message, .. } if message == refused => Some(false),
            Output::Send {
                message: Message::Build(_),
                ..
            } => Some(true),
            _ => None,
        };
        out.drain().find_map(built).unwrap()
    };
    let max = SETTING_MAX as u32;
    assert!((0..max).all(|attempt| ask(&mut setter, START, attempt)));
    assert!(!ask(&mut setter, START, max));
    // None is kept for longer than a trigger waits.
    for attempt in 0..max {
        let timer = Timer::Setter(world.draw(1, attempt), Site::FIRST);
        let now = START + SETTER;
        setter.handle(now, Input::Timer(timer), &mut Outbox::new());
    }
    assert!(setter.is_at_rest());
    assert!(ask(&mut setter, START, max));
}

#[test]
fn who_is_no_longer_certified_is_forgotten() {
    let world = World::new(13);
    let mut rng = base::Rng::from_number(21);
    let mut certified = |secs| certified(&authority(), &mut rng, START + SECOND * secs);
    let (short, long) = (certified(100), certified(200));
    let identity = Arc::clone(&people().identities[1]);
    let mut context = Context::new(identity, world.rules);
    for identity in [&short, &long] {
        context.know(contact(identity));
    }
    let known =
        |context: &Context| [&short, &long].map(|identity| context.cache.contains(identity.node()));
    context.forget(START + SECOND * 100);
    assert_eq!(known(&context), [true, true]);
    context.forget(START + SECOND * 101);
    assert_eq!(known(&context), [false, true]);
    context.forget(START + SECOND * 201);
    assert_eq!(known(&context), [false, false]);
}

#[test]
fn who_is_revoked_is_never_known() {
    let mut descriptor = super::world::descriptor(13, 3);
    descriptor.revoked = vec![people().node(2)];
    let identity = Arc::clone(&people().identities[1]);
    let mut context = Context::new(identity, rules_of(&descriptor));
    context.know(Arc::clone(&people().contacts[2]));
    context.know(Arc::clone(&people().contacts[3]));
    let candidates = context.candidates(people().node(0), Location(0), 1);
    assert_eq!(candidates, [people().node(3)]);
}
