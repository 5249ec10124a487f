//! What a list builder refuses, asked by a setter that the test plays.

use base::{Digest, Instant, NodeId};
use community::ContactError;
use crypto::verify;

use super::network::Network;
use super::talk::{Change, contact, forged, only, why};
use super::world::{SECOND, START, World, people, plan};
use crate::relocation::SparseBody;
use crate::site::Site;
use crate::tally::ROUNDS_PER_DRAW;
use crate::{
    BuildRequest, DRAW_TOLERANCE, Draw, Message, Misbehaviour, Opened, Opening, Refusal,
    SetterRequest, Step,
};

/// A setter in the hands of the test, and one of its builders, which is not.
struct Placer<'a> {
    network: Network<'a>,
    draw: Draw,
    value: Digest,
    setter: NodeId,
    builders: Vec<NodeId>,
    request: SetterRequest,
}

const SEATS: u32 = 9;

impl<'a> Placer<'a> {
    fn new(world: &'a World) -> Self {
        let mut network = Network::new(world);
        network.announce(plan(1), SEATS, START);
        let draw = world.draw(1, 0);
        let (random, value) = world.random(draw, START);
        let setter = world.setter(value, &[]);
        Self {
            network,
            draw,
            value,
            setter,
            builders: world.builders(value, setter, &[]),
            request: SetterRequest {
                random,
                seats: SEATS,
                skipped: vec![],
                site: Site::FIRST,
                moves: vec![],
            },
        }
    }

    fn build(&self, round: u32) -> BuildRequest {
        BuildRequest {
            request: self.request.clone(),
            round,
            at: self.network.now,
            chosen: self.builders.clone(),
            skipped: vec![],
        }
    }

    fn step(&self, round: u32) -> Step {
        Step {
            round,
            ..Step::of_trigger(self.draw)
        }
    }

    fn say(&mut self, message: Message) -> Vec<Message> {
        let builder = self.builders[0];
        self.network.say(self.setter, builder, message)
    }

    fn ask(&mut self, request: BuildRequest) -> Message {
        only(self.say(Message::Build(Box::new(request))))
    }

    fn refused(&mut self, change: impl FnOnce(&mut BuildRequest)) -> Refusal {
        let mut request = self.build(0);
        change(&mut request);
        why(self.ask(request))
    }

    /// What each builder would name: the same, but for changes.
    fn candidates(&self) -> Vec<Vec<NodeId>> {
        let world = self.network.world;
        let mut all: Vec<_> = (1..world.size).map(|p| people().node(p)).collect();
        all.sort();
        vec![all; self.builders.len()]
    }

    fn openings(&self, round: u32, candidates: &[Vec<NodeId>]) -> Vec<Opening> {
        let opening = |(node, candidates): (&NodeId, &Vec<NodeId>)| {
            let setter = self.setter;
            let input = self.step(round).setter_input(*node, &self.value, setter);
            Opening {
                proof: people().identity(*node).vrf.prove(&input),
                candidates: candidates.clone(),
            }
        };
        self.builders.iter().zip(candidates).map(opening).collect()
    }

    /// A whole round: what the builder says to the openings.
    fn round(
        &mut self,
        round: u32,
        candidates: &[Vec<NodeId>],
        change: impl FnOnce(&mut Opened),
    ) -> Message {
        let commits = self.ask(self.build(round));
        assert!(matches!(commits, Message::Commit(..)), "{commits:?}");
        let commitments = candidates.iter().map(|c| Opening::commitment(c)).collect();
        let opens = only(self.say(Message::Commits(self.step(round), commitments)));
        assert!(matches!(opens, Message::Open(..)), "{opens:?}");
        let mut opened = Opened {
            openings: self.openings(round, candidates),
            contacts: vec![],
        };
        change(&mut opened);
        only(self.say(Message::Opens(self.step(round), opened)))
    }

    /// What the builder has just accused the setter of, if of anything.
    fn accusations(&self) -> Vec<Misbehaviour> {
        let accusations = self.network.accusations().into_iter();
        let of_setter = accusations
            .inspect(|(by, of, _)| assert_eq!((*by, *of), (self.builders[0], self.setter)));
        of_setter.map(|(_, _, what)| what).collect()
    }
}

#[test]
fn a_builder_signs_for_the_nearest_setter() {
    let world = World::new(40);
    let mut placer = Placer::new(&world);
    let candidates = placer.candidates();
    let answer = placer.round(0, &candidates, |_| ());
    assert!(matches!(answer, Message::Signed(..)), "{answer:?}");
    assert_eq!(placer.accusations(), []);
}

#[test]
fn a_builder_checks_the_request() {
    let world = World::new(40);
    let mut placer = Placer::new(&world);
    let late = START + DRAW_TOLERANCE + SECOND * 60;
    assert_eq!(placer.refused(|r| r.request.seats += 1), Refusal::Invalid);
    assert_eq!(placer.refused(|r| r.at = late), Refusal::Invalid);
    assert_eq!(placer.refused(|r| r.at = Instant(0)), Refusal::Invalid);
    let unannounced = placer.refused(|r| r.request.random.draw.digest = plan(2));
    assert_eq!(unannounced, Refusal::NotAnnounced);
    let of_another = placer.refused(|r| r.request.random.draw.trigger = people().node(1));
    assert_eq!(of_another, Refusal::Invalid);
    let opens_at = START + SECOND * 500;
    placer.network.announce(plan(3), SEATS, opens_at);
    let early = placer.refused(|r| r.request.random.draw.digest = plan(3));
    assert_eq!(early, Refusal::TooEarly);
    assert_eq!(placer.accusations(), []);
}

/// Each kind of bad evidence is the setter's fault, too: it should have checked.
#[test]
fn a_builder_checks_the_random() {
    use Misbehaviour as M;
    let world = World::new(40);
    let mut placer = Placer::new(&world);
    let changes: [Change<BuildRequest>; 5] = [
        (|r| r.request.random.draw.attempt = 1, M::Signature),
        (|r| r.request.random.parts.swap(0, 1), M::Order),
        (|r| r.request.random.parts.truncate(1), M::NoSuchRow),
        (
            |r| r.request.random.parts[2].proof.0[0] ^= 1,
            M::RandomProof,
        ),
        (
            |r| r.request.random.parts[0].at = START + DRAW_TOLERANCE * 2,
            M::Time,
        ),
    ];
    for (case, (change, what)) in changes.into_iter().enumerate() {
        assert_eq!(placer.refused(change), Refusal::Invalid);
        assert_eq!(placer.accusations().last(), Some(&what), "case {case}");
        assert_eq!(placer.accusations().len(), case + 1);
    }
}

#[test]
fn only_the_nearest_node_sets_up() {
    let world = World::new(40);
    let mut placer = Placer::new(&world);
    let (nearest, nearer) = (placer.setter, contact(placer.setter));
    // The next one has chosen its builders well: the nearest node is the first of them.
    placer.setter = world.setter(placer.value, &[nearest]);
    placer.builders = world.builders(placer.value, placer.setter, &[]);
    assert_eq!(placer.builders.remove(0), nearest);
    let mut request = placer.build(0);
    request.chosen.insert(0, nearest);
    let answer = placer.ask(request);
    assert_eq!(why(answer), Refusal::Nearer(Box::new(nearer)));
}

#[test]
fn a_setter_is_only_replaced_when_it_is_away() {
    let world = World::new(40);
    let mut placer = Placer::new(&world);
    let nearest = placer.setter;
    placer.setter = world.setter(placer.value, &[nearest]);
    placer.request.skipped = vec![nearest];
    // The one that is said to be away is the nearest builder, too: another is asked.
    placer.builders = world.builders(placer.value, placer.setter, &[]);
    let asked = placer.builders[1];
    let ask = |placer: &mut Placer<'_>, round| {
        let request = Message::Build(Box::new(placer.build(round)));
        only(placer.network.say(placer.setter, asked, request))
    };
    assert_eq!(why(ask(&mut placer, 0)), Refusal::SkippedIsAlive(nearest));
    placer.network.down.insert(nearest);
    assert!(matches!(ask(&mut placer, 1), Message::Commit(..)));
    // Whoever is said to be away knows better.
    placer.network.down.clear();
    placer.network.sent.clear();
    let request = Message::Build(Box::new(placer.build(2)));
    let answer = only(placer.network.say(placer.setter, nearest, request));
    assert_eq!(why(answer), Refusal::SkippedIsAlive(nearest));
    assert_eq!(placer.network.count(|m| *m == Message::Probe), 0);
}

#[test]
fn nobody_picks_the_builders() {
    let world = World::new(40);
    let mut placer = Placer::new(&world);
    let nearest = placer.builders.clone();
    let [a, b, c, d] = [nearest[0], nearest[1], nearest[2], nearest[3]];
    let fifth = *world
        .builders(placer.value, placer.setter, &nearest[3..])
        .last()
        .unwrap();
    let nearer = |node| Refusal::Nearer(Box::new(contact(node)));
    let stranger = people().node(150);
    for (chosen, refusal) in [
        (vec![a, b, c, fifth], nearer(d)),
        (vec![a, b, c], nearer(d)),
        // Twenty-four orders would be twenty-four lists to choose from.
        (vec![a, b, d, c], Refusal::Invalid),
        (vec![a, b, c, d, fifth], Refusal::Invalid),
        (vec![a, b, c, d, placer.setter], Refusal::Invalid),
        (vec![a, b, c, d, placer.draw.trigger], Refusal::Invalid),
        (vec![a, b, c, stranger], Refusal::Unknown(stranger)),
    ] {
        assert_eq!(placer.refused(|r| r.chosen = chosen), refusal);
    }
    // One that is here may not be left out.
    let skipping = |r: &mut BuildRequest| {
        r.skipped = vec![b];
        r.chosen = vec![a, c, d, fifth];
    };
    assert_eq!(placer.refused(skipping), Refusal::SkippedIsAlive(b));
    assert_eq!(placer.accusations(), []);
}

#[test]
fn a_setter_that_is_not_known_is_refused() {
    let world = World::new(40);
    let mut placer = Placer::new(&world);
    placer.network.forget(placer.builders[0], placer.setter);
    let setter = placer.setter;
    assert_eq!(placer.refused(|_| ()), Refusal::Unknown(setter));
}

/// A setter that has seen one result cannot try others until it likes one.
#[test]
fn rounds_happen_once_and_a_few_times() {
    let world = World::new(40);
    let mut placer = Placer::new(&world);
    let candidates = placer.candidates();
    let mut values = Vec::new();
    for round in 0..ROUNDS_PER_DRAW as u32 {
        let commits = placer.ask(placer.build(round));
        assert!(matches!(commits, Message::Commit(..)));
        let commitments = candidates.iter().map(|c| Opening::commitment(c)).collect();
        let opens = only(placer.say(Message::Commits(placer.step(round), commitments)));
        let Message::Open(_, opening) = opens else {
            panic!("not opened: {opens:?}");
        };
        values.push(opening.proof.output().unwrap());
        // The same round once more, with the result in hand.
        assert_eq!(why(placer.ask(placer.build(round))), Refusal::Invalid);
    }
    values.sort();
    values.dedup();
    assert_eq!(values.len(), ROUNDS_PER_DRAW);
    let more = placer.build(ROUNDS_PER_DRAW as u32);
    assert_eq!(why(placer.ask(more)), Refusal::Invalid);
}

#[test]
fn commitments_must_hold_ours_and_come_once() {
    let world = World::new(40);
    let mut placer = Placer::new(&world);
    let good: Vec<_> = placer
        .candidates()
        .iter()
        .map(|c| Opening::commitment(c))
        .collect();
    let zero = Digest([0; 32]);
    for (round, bad) in [
        vec![],
        good[..3].to_vec(),
        [&good[..], &[zero]].concat(),
        vec![zero, good[1], good[2], good[3]],
    ]
    .into_iter()
    .enumerate()
    {
        let round = round as u32;
        placer.ask(placer.build(round));
        let answer = only(placer.say(Message::Commits(placer.step(round), bad)));
        assert_eq!(why(answer), Refusal::Invalid);
        assert_eq!(placer.accusations().last(), Some(&Misbehaviour::Commitment));
        // That was that: the right ones come too late.
        let late = Message::Commits(placer.step(round), good.clone());
        assert_eq!(placer.say(late), []);
    }
    assert_eq!(placer.accusations().len(), 4);
    // Twice.
    placer.ask(placer.build(4));
    let commits = Message::Commits(placer.step(4), good);
    assert!(matches!(
        only(placer.say(commits.clone())),
        Message::Open(..)
    ));
    assert_eq!(why(only(placer.say(commits))), Refusal::Invalid);
    assert_eq!(placer.accusations().last(), Some(&Misbehaviour::OutOfTurn));
}

#[test]
fn nothing_is_said_about_rounds_that_are_not_in_hand() {
    let world = World::new(40);
    let mut placer = Placer::new(&world);
    let candidates = placer.candidates();
    let commitments: Vec<_> = candidates.iter().map(|c| Opening::commitment(c)).collect();
    let commits =
        |placer: &Placer<'_>, round| Message::Commits(placer.step(round), commitments.clone());
    let opens = |placer: &Placer<'_>, round| {
        let opened = Opened {
            openings: placer.openings(round, &candidates),
            contacts: vec![],
        };
        Message::Opens(placer.step(round), opened)
    };
    assert_eq!(placer.say(commits(&placer, 0)), []);
    assert_eq!(placer.say(opens(&placer, 0)), []);
    placer.ask(placer.build(1));
    assert_eq!(placer.say(commits(&placer, 0)), []);
    assert_eq!(placer.say(opens(&placer, 2)), []);
    // Another node than the setter.
    let (other, builder) = (placer.builders[1], placer.builders[0]);
    let message = commits(&placer, 1);
    assert_eq!(placer.network.say(other, builder, message), []);
    assert_eq!(placer.accusations(), []);
}

#[test]
fn openings_must_be_what_was_committed() {
    use Misbehaviour as M;
    let world = World::new(40);
    let changes: [Change<Opened>; 6] = [
        (|o| o.openings[1].candidates.truncate(5), M::Commitment),
        (|o| o.openings.truncate(3), M::Commitment),
        (|o| o.openings.push(o.openings[0].clone()), M::Commitment),
        (|o| o.openings.clear(), M::Commitment),
        (|o| o.openings[1].proof.0[0] ^= 1, M::RandomProof),
        (
            |o| o.openings[1].proof = o.openings[2].proof,
            M::RandomProof,
        ),
    ];
    let mut placer = Placer::new(&world);
    let candidates = placer.candidates();
    for (round, (change, what)) in changes.into_iter().enumerate() {
        let answer = placer.round(round as u32, &candidates, change);
        assert_eq!(why(answer), Refusal::Invalid);
        assert_eq!(placer.accusations().last(), Some(&what), "round {round}");
        assert_eq!(placer.accusations().len(), round + 1);
    }
}

#[test]
fn openings_before_commitments_are_out_of_turn() {
    let world = World::new(40);
    let mut placer = Placer::new(&world);
    let candidates = placer.candidates();
    for (round, openings) in [vec![], placer.openings(1, &candidates)]
        .into_iter()
        .enumerate()
    {
        let round = round as u32;
        placer.ask(placer.build(round));
        let contacts = vec![];
        let opened = Opened { openings, contacts };
        let answer = only(placer.say(Message::Opens(placer.step(round), opened)));
        assert_eq!(why(answer), Refusal::Invalid);
        assert_eq!(placer.accusations().last(), Some(&Misbehaviour::OutOfTurn));
    }
}

#[test]
fn candidates_must_be_in_order_and_may_not_be_the_trigger_or_revoked() {
    let revoked = people().node(39);
    let world = World::with(40, |d| d.revoked = vec![revoked]);
    let changes: [fn(&mut Vec<NodeId>); 4] = [
        |c| {
            c.push(people().node(0));
            c.sort();
        },
        |c| {
            c.push(people().node(39));
            c.sort();
        },
        |c| c.swap(0, 1),
        |c| c.push(*c.last().unwrap()),
    ];
    let mut placer = Placer::new(&world);
    let builder = placer.builders[0];
    assert_ne!(builder, revoked);
    placer.network.forget(builder, revoked);
    for (round, change) in changes.into_iter().enumerate() {
        let mut candidates = placer.candidates();
        candidates
            .iter_mut()
            .for_each(|c| c.retain(|n| *n != revoked));
        change(&mut candidates[2]);
        let answer = placer.round(round as u32, &candidates, |_| ());
        assert_eq!(why(answer), Refusal::Invalid);
        // Lists travel in order, so that one out of order is not the one that was committed to.
        let what = if round < 2 {
            Misbehaviour::Candidates
        } else {
            Misbehaviour::Commitment
        };
        assert_eq!(placer.accusations().last(), Some(&what));
    }
    assert_eq!(placer.accusations().len(), 4);
}

#[test]
fn there_must_be_a_candidate_for_each_seat() {
    let world = World::new(13);
    let mut placer = Placer::new(&world);
    let builder = placer.builders[0];
    // All builders know so few.
    let keep: Vec<_> = [&placer.builders[..], &[placer.setter, people().node(0)]].concat();
    for person in 0..13 {
        let node = people().node(person);
        if !keep.contains(&node) {
            placer.network.forget(builder, node);
        }
    }
    let mut few: Vec<_> = placer.builders.clone();
    few.push(placer.setter);
    few.sort();
    let at = placer.network.now;
    let answer = placer.round(0, &vec![few; 4], |_| ());
    // It signs that they are too few, and nothing else.
    let Message::Signed(_, signature) = answer else {
        panic!("{answer:?}");
    };
    let sparse = SparseBody {
        descriptor: world.rules.community().digest(),
        draw: placer.draw,
        random: placer.value,
        site: Site::FIRST,
        setter: placer.setter,
        at,
        seats: SEATS,
    };
    let bytes = sparse.signed_bytes();
    assert_eq!(
        verify(builder, SparseBody::DOMAIN, &bytes, &signature),
        Ok(())
    );
    assert_eq!(placer.accusations(), []);
}

/// A builder names somebody of whom the others have not heard: an actor's certificate must be shown.
#[test]
fn actors_must_be_genuine() {
    let world = World::new(40);
    let newcomers: Vec<_> = (100..160).map(|p| people().node(p)).collect();
    let shown = |forge: bool| {
        move |opened: &mut Opened| {
            let show = |p: usize| {
                let node = people().node(p);
                if forge { forged(node) } else { contact(node) }
            };
            opened.contacts = (100..160).map(show).collect();
        }
    };
    let mut placer = Placer::new(&world);
    let mut candidates = placer.candidates();
    candidates[1].extend(&newcomers);
    candidates[1].sort();
    let unknown = placer.round(0, &candidates, |_| ());
    let Refusal::Unknown(node) = why(unknown) else {
        panic!("signed for a stranger");
    };
    assert!(newcomers.contains(&node));
    assert_eq!(placer.accusations(), []);
    let answer = placer.round(1, &candidates, shown(true));
    assert_eq!(why(answer), Refusal::Invalid);
    let breach = Misbehaviour::Certificate(ContactError::Signature);
    assert_eq!(placer.accusations(), [breach]);
    let signed = placer.round(2, &candidates, shown(false));
    assert!(matches!(signed, Message::Signed(..)), "{signed:?}");
}

/// A stranger who is not drawn does no harm.
#[test]
fn who_is_not_seated_need_not_be_known() {
    let world = World::new(40);
    let mut placer = Placer::new(&world);
    let mut signed = 0;
    for round in 0..ROUNDS_PER_DRAW as u32 {
        let mut candidates = placer.candidates();
        candidates[1].push(people().node(150));
        candidates[1].sort();
        match placer.round(round, &candidates, |_| ()) {
            Message::Signed(..) => signed += 1,
            other => assert_eq!(why(other), Refusal::Unknown(people().node(150))),
        }
    }
    // Nine of forty are seated.
    assert!(signed >= 4, "{signed}");
}
