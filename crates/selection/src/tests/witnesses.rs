//! What a trigger's witness refuses, asked by a trigger that the test plays.

use base::{Duration, NodeId};
use community::ContactError;

use super::network::Network;
use super::talk::{contact, forged, only, why};
use super::world::{SECOND, START, World, people, plan};
use crate::context::names;
use crate::{Announced, Command, Message, Misbehaviour, Refusal, TriggerRequest};

/// A trigger in the hands of the test.
struct Asker<'a> {
    network: Network<'a>,
    trigger: NodeId,
    witnesses: Vec<NodeId>,
}

impl<'a> Asker<'a> {
    fn new(world: &'a World) -> Self {
        let mut network = Network::new(world);
        (1..=40).for_each(|number| network.announce(plan(number), 9, START));
        Self {
            network,
            trigger: people().node(0),
            witnesses: world.trigger_witnesses(&[]),
        }
    }

    fn request(&self, number: u64, attempt: u32) -> TriggerRequest {
        TriggerRequest {
            draw: self.network.world.draw(number, attempt),
            chosen: self.witnesses.clone(),
            skipped: vec![],
        }
    }

    fn ask(&mut self, request: TriggerRequest) -> Message {
        let nearest = self.witnesses[0];
        self.ask_of(nearest, request)
    }

    fn ask_of(&mut self, witness: NodeId, request: TriggerRequest) -> Message {
        let message = Message::Trigger(request);
        let answers = self.network.say(self.trigger, witness, message);
        only(answers)
    }
}

fn is_part(answer: &Message) -> bool {
    matches!(answer, Message::Part(..))
}

#[test]
fn the_nearest_are_answered() {
    let world = World::new(40);
    let mut asker = Asker::new(&world);
    for witness in asker.witnesses.clone() {
        let answer = asker.ask_of(witness, asker.request(1, 0));
        assert!(is_part(&answer));
    }
    assert_eq!(asker.network.count(|m| *m == Message::Probe), 0);
}

#[test]
fn only_announced_questions_of_this_trigger_are_drawn_for() {
    let world = World::new(40);
    let mut asker = Asker::new(&world);
    assert_eq!(why(asker.ask(asker.request(99, 0))), Refusal::NotAnnounced);
    // Another's question, under one's own name and under his.
    let of_another = Announced {
        trigger: people().node(1),
        committees: 1,
        seats: 9,
        opens_at: START,
    };
    let witness = asker.witnesses[0];
    let announce = Command::Announce(plan(50), of_another);
    asker.network.command(witness, announce);
    let mut request = asker.request(50, 0);
    assert_eq!(why(asker.ask(request.clone())), Refusal::Invalid);
    request.draw.trigger = people().node(1);
    assert_eq!(why(asker.ask(request)), Refusal::Invalid);
    // One's own question, in another's name: the attempt would be his.
    let mut request = asker.request(1, 0);
    request.draw.trigger = people().node(1);
    assert_eq!(why(asker.ask(request)), Refusal::Invalid);
}

#[test]
fn nobody_draws_before_the_consent_deadline() {
    let world = World::new(40);
    let mut asker = Asker::new(&world);
    let opens_at = START + SECOND * 10;
    asker.network.announce(plan(50), 9, opens_at);
    assert_eq!(why(asker.ask(asker.request(50, 0))), Refusal::TooEarly);
    // Whoever asks too early has not used up an attempt.
    asker.network.run_for(SECOND * 8);
    assert_eq!(asker.network.now, opens_at);
    assert!(is_part(&asker.ask(asker.request(50, 0))));
}

#[test]
fn nobody_picks_the_witnesses() {
    let world = World::new(40);
    let mut asker = Asker::new(&world);
    let nearest = asker.witnesses.clone();
    let mut by_distance: Vec<_> = (1..40).map(|p| people().node(p)).collect();
    let centre = people().contacts[0].location();
    by_distance.sort_by_key(|node| centre.rank(*node, people().contact(*node).location()));
    assert_eq!(by_distance[..4], nearest);
    let fifth = by_distance[4];
    let [a, b, c, d] = [nearest[0], nearest[1], nearest[2], nearest[3]];
    let nearer = |node| Refusal::Nearer(Box::new(contact(node)));
    let stranger = people().node(150);
    for (chosen, refusal) in [
        // A subset of those around, with a nearer one left out.
        (vec![a, b, c, fifth], nearer(d)),
        (vec![a, c, d, fifth], nearer(b)),
        (vec![a, b, c], nearer(d)),
        (vec![], nearer(a)),
        // An order, which would decide the value.
        (vec![b, a, c, d], Refusal::Invalid),
        // More, twice, oneself.
        (vec![a, b, c, d, fifth], Refusal::Invalid),
        (vec![a, b, c, d, d], Refusal::Invalid),
        (vec![a, b, c, d, asker.trigger], Refusal::Invalid),
        (vec![a, b, c, stranger], Refusal::Unknown(stranger)),
        (vec![stranger; 1000], Refusal::Unknown(stranger)),
    ] {
        let mut request = asker.request(1, 0);
        request.chosen = chosen;
        assert_eq!(why(asker.ask(request)), refusal);
    }
    // Somebody who is not one of them.
    let answer = asker.ask_of(fifth, asker.request(1, 0));
    assert_eq!(why(answer), Refusal::Invalid);
    assert!(is_part(&asker.ask(asker.request(1, 0))));
}

#[test]
fn a_nearer_node_is_only_skipped_when_it_is_away() {
    let world = World::new(40);
    let mut asker = Asker::new(&world);
    let nearest = asker.witnesses.clone();
    let skipping = |asker: &Asker<'_>, skipped: &[NodeId], attempt| TriggerRequest {
        chosen: asker.network.world.trigger_witnesses(skipped),
        skipped: skipped.to_vec(),
        ..asker.request(1, attempt)
    };
    // It is here.
    let request = skipping(&asker, &[nearest[0]], 0);
    let answer = asker.ask_of(nearest[1], request);
    assert_eq!(why(answer), Refusal::SkippedIsAlive(nearest[0]));
    // The one that is asked is here, of course.
    let before = asker.network.count(|m| *m == Message::Probe);
    let request = skipping(&asker, &[nearest[0]], 0);
    let answer = asker.ask_of(nearest[0], request);
    assert_eq!(why(answer), Refusal::SkippedIsAlive(nearest[0]));
    assert_eq!(asker.network.count(|m| *m == Message::Probe), before);
    // It is away.
    asker.network.down.insert(nearest[0]);
    for tells_unreachable in [false, true] {
        asker.network.tells_unreachable = tells_unreachable;
        let request = skipping(&asker, &[nearest[0]], 1 + u32::from(tells_unreachable));
        assert!(is_part(&asker.ask_of(nearest[1], request)));
    }
    // One of two is here.
    let request = skipping(&asker, &nearest[..2], 4);
    let answer = asker.ask_of(nearest[2], request);
    assert_eq!(why(answer), Refusal::SkippedIsAlive(nearest[1]));
    // Strangers are not probed: they would not have been chosen anyway.
    let stranger = people().node(150);
    let mut request = skipping(&asker, &[nearest[0]], 5);
    request.skipped.push(stranger);
    assert!(is_part(&asker.ask_of(nearest[1], request)));
    let probed = |(_, to, m): &(NodeId, NodeId, Message)| *m == Message::Probe && *to == stranger;
    assert!(!asker.network.sent.iter().any(probed));
}

/// Else a trigger could look at the values of many sets and take the one that it likes.
#[test]
fn an_attempt_has_one_set_of_witnesses() {
    let world = World::new(40);
    let mut asker = Asker::new(&world);
    let nearest = asker.witnesses.clone();
    let first = asker.ask_of(nearest[1], asker.request(1, 0));
    // The same again gives the same value.
    let again = asker.ask_of(nearest[1], asker.request(1, 0));
    let (Message::Part(_, _, first), Message::Part(_, _, again)) = (first, again) else {
        panic!("no parts");
    };
    assert_eq!(first.proof.output(), again.proof.output());
    // A colluder plays dead.
    asker.network.down.insert(nearest[0]);
    let without = |asker: &Asker<'_>, attempt| TriggerRequest {
        chosen: world.trigger_witnesses(&nearest[..1]),
        skipped: vec![nearest[0]],
        ..asker.request(1, attempt)
    };
    let answer = asker.ask_of(nearest[1], without(&asker, 0));
    assert_eq!(why(answer), Refusal::Invalid);
    assert!(is_part(&asker.ask_of(nearest[1], without(&asker, 1))));
}

#[test]
fn attempts_are_limited_per_trigger_and_period_whatever_the_digest() {
    let world = World::new(40);
    let mut asker = Asker::new(&world);
    // Sixteen, of different plans and attempts.
    for number in 1..=8 {
        assert!(is_part(&asker.ask(asker.request(number, 0))));
        assert!(is_part(&asker.ask(asker.request(number, u32::MAX))));
    }
    for (number, attempt) in [(1, 1), (9, 0), (10, 7)] {
        let answer = asker.ask(asker.request(number, attempt));
        assert_eq!(why(answer), Refusal::TooManyDraws);
    }
    // What was answered before may be asked again.
    assert!(is_part(&asker.ask(asker.request(1, 0))));
    // A new period, of an hour that began with the clock.
    let left = 3600 - asker.network.now.as_secs() % 3600;
    asker.network.run_for(Duration::from_secs(left - 1));
    let early = why(asker.ask(asker.request(9, 0)));
    assert_eq!(early, Refusal::TooManyDraws);
    assert!(is_part(&asker.ask(asker.request(9, 0))));
}

#[test]
fn a_trigger_that_is_not_known_is_asked_to_introduce_itself() {
    let world = World::new(40);
    let mut asker = Asker::new(&world);
    let (trigger, witness) = (asker.trigger, asker.witnesses[0]);
    asker.network.forget(witness, trigger);
    let answer = asker.ask(asker.request(1, 0));
    assert_eq!(why(answer), Refusal::Unknown(trigger));
    // Nobody else, and nothing else, is listened to.
    let wrong = Message::Introduce(Box::new(contact(asker.witnesses[1])));
    asker.network.forget(witness, asker.witnesses[1]);
    asker.network.say(trigger, witness, wrong);
    let introduction = Message::Introduce(Box::new(contact(trigger)));
    let other = asker.witnesses[2];
    asker.network.say(other, witness, introduction.clone());
    assert_eq!(asker.network.events.len(), 0);
    asker.network.say(trigger, witness, introduction);
    assert!(is_part(&asker.ask(request_without(&asker, other))));
}

/// The test has taken this witness over: it is away, now.
fn request_without(asker: &Asker<'_>, gone: NodeId) -> TriggerRequest {
    let cache = &asker.network.nodes[&asker.witnesses[0]].context;
    let centre = people().contacts[0].location();
    let chosen = cache.witnesses(centre, &[asker.trigger], &[gone]).unwrap();
    TriggerRequest {
        chosen: names(&chosen),
        skipped: vec![gone],
        ..asker.request(1, 0)
    }
}

#[test]
fn a_forged_introduction_is_seen() {
    let world = World::new(40);
    let mut asker = Asker::new(&world);
    let (trigger, witness) = (asker.trigger, asker.witnesses[0]);
    asker.network.forget(witness, trigger);
    asker.ask(asker.request(1, 0));
    let forged = Message::Introduce(Box::new(forged(trigger)));
    asker.network.say(trigger, witness, forged.clone());
    let breach = (
        witness,
        trigger,
        Misbehaviour::Certificate(ContactError::Signature),
    );
    assert_eq!(asker.network.accusations(), [breach]);
    // It costs one look.
    asker.network.say(trigger, witness, forged);
    assert_eq!(asker.network.accusations().len(), 1);
}
