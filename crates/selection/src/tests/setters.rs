//! What a setter refuses of a trigger and of builders that the test plays.

use base::{Digest, Duration, Input, Instant, NodeId};
use community::ContactError;
use crypto::Signature;

use super::network::{LATENCY, Network};
use super::talk::{Change, contact, forged, forged_at, only, why};
use super::world::{SECOND, START, World, people, plan};
use crate::relocation::SparseBody;
use crate::site::Site;
use crate::{
    DRAW_TOLERANCE, Draw, Event, ListBody, Message, Misbehaviour, Opening, Refusal, SetterRequest,
    Step,
};

const SEATS: u32 = 9;
const SOON: Duration = Duration::from_millis(100);

/// A setter among puppets.
struct Stage<'a> {
    network: Network<'a>,
    trigger: NodeId,
    draw: Draw,
    value: Digest,
    setter: NodeId,
    builders: Vec<NodeId>,
    request: SetterRequest,
    /// When the setter was asked.
    began: Instant,
}

impl<'a> Stage<'a> {
    fn new(world: &'a World) -> Self {
        let mut network = Network::new(world);
        network.patience = SOON;
        network.announce(plan(1), SEATS, START);
        let draw = world.draw(1, 0);
        let (random, value) = world.random(draw, START);
        let setter = world.setter(value, &[]);
        let builders = world.builders(value, setter, &[]);
        network.puppets.extend(&builders);
        Self {
            network,
            trigger: people().node(0),
            draw,
            value,
            setter,
            builders,
            request: SetterRequest {
                random,
                seats: SEATS,
                skipped: vec![],
                site: Site::FIRST,
                moves: vec![],
            },
            began: START,
        }
    }

    fn say(&mut self, from: NodeId, message: Message) -> Vec<Message> {
        self.network.say(from, self.setter, message)
    }

    fn ask(&mut self, change: impl FnOnce(&mut SetterRequest)) -> Vec<Message> {
        let mut request = self.request.clone();
        change(&mut request);
        self.began = self.network.now + LATENCY;
        self.say(self.trigger, Message::Setter(Box::new(request)))
    }

    /// The trigger has asked, and these many builders have committed.
    fn committed(world: &'a World, builders: usize) -> Self {
        let mut stage = Self::new(world);
        let builds = stage.ask(|_| ());
        assert_eq!(builds.len(), stage.builders.len());
        let commitment = Opening::commitment(&stage.opening(0).candidates);
        for place in 0..builders {
            stage.say_as(place, Message::Commit(stage.step(), commitment));
        }
        stage
    }

    /// All builders have committed, and these many have opened.
    fn opened(world: &'a World, builders: usize) -> Self {
        let mut stage = Self::committed(world, 4);
        for place in 0..builders {
            let opening = stage.opening(place);
            stage.say_as(place, Message::Open(stage.step(), opening));
        }
        stage
    }

    fn say_as(&mut self, place: usize, message: Message) -> Vec<Message> {
        self.say(self.builders[place], message)
    }

    fn step(&self) -> Step {
        Step::of_trigger(self.draw)
    }

    fn opening(&self, place: usize) -> Opening {
        let node = self.builders[place];
        let input = self.step().setter_input(node, &self.value, self.setter);
        let mut candidates: Vec<_> = (1..self.network.world.size)
            .map(|p| people().node(p))
            .collect();
        candidates.sort();
        Opening {
            proof: people().identity(node).vrf.prove(&input),
            candidates,
        }
    }

    /// The setter accuses this builder, and gives up at once, so that the trigger can draw another point.
    fn breaks(&mut self, place: usize, message: Message, what: Misbehaviour) {
        let answers = self.say_as(place, message);
        assert_eq!(answers, [Message::SetterGaveUp(self.draw, Site::FIRST)]);
        let breach = (self.setter, self.builders[place], what);
        assert_eq!(self.network.accusations(), [breach]);
        let now = self.network.now;
        assert!(self.network.nodes[&self.setter].is_at_rest(), "{now:?}");
    }
}

#[test]
fn a_setter_makes_a_list_of_what_builders_sign() {
    let world = World::new(40);
    let mut stage = Stage::opened(&world, 3);
    let opening = stage.opening(3);
    let opens = stage.say_as(3, Message::Open(stage.step(), opening));
    assert_eq!(opens.len(), 4);
    // It began when it was asked, and draws what an honest draw does.
    let body = ListBody {
        at: stage.began,
        ..Network::new(&world).draw(1, SEATS).unwrap().body
    };
    let list = world.list_by(body, &stage.builders);
    let mut answers = Vec::new();
    for (place, builder) in list.builders.iter().enumerate() {
        assert_eq!(answers, []);
        answers = stage.say_as(place, Message::Signed(stage.step(), builder.signature));
    }
    assert_eq!(answers, [Message::List(Box::new(list))]);
}

#[test]
fn a_setter_checks_the_request() {
    let world = World::new(40);
    let mut stage = Stage::new(&world);
    let setter = stage.setter;
    let mut refused = |change: fn(&mut SetterRequest)| why(only(stage.ask(change)));
    assert_eq!(refused(|r| r.seats += 1), Refusal::Invalid);
    assert_eq!(refused(|r| r.seats = 0), Refusal::Invalid);
    let of_another = refused(|r| r.random.draw.trigger = people().node(1));
    assert_eq!(of_another, Refusal::Invalid);
    let unknown = refused(|r| r.random.draw.digest = plan(2));
    assert_eq!(unknown, Refusal::NotAnnounced);
    let is_here = only(stage.ask(|r| r.skipped.push(setter)));
    assert_eq!(why(is_here), Refusal::SkippedIsAlive(setter));
    let opens_at = START + SECOND * 500;
    stage.network.announce(plan(1), SEATS, opens_at);
    assert_eq!(why(only(stage.ask(|_| ()))), Refusal::TooEarly);
    // Announced with too many seats for any list.
    stage.network.announce(plan(1), 5000, START);
    let too_many = only(stage.ask(|r| r.seats = 5000));
    assert_eq!(why(too_many), Refusal::Invalid);
    assert_eq!(stage.network.accusations(), []);
    assert!(stage.network.nodes[&stage.setter].is_at_rest());
}

#[test]
fn a_setter_checks_the_random() {
    use Misbehaviour as M;
    let world = World::new(40);
    let mut stage = Stage::new(&world);
    let changes: [Change<SetterRequest>; 5] = [
        (|r| r.random.draw.attempt = 1, M::Signature),
        (|r| r.random.parts.swap(0, 1), M::Order),
        (|r| r.random.parts.truncate(1), M::NoSuchRow),
        (|r| r.random.parts[2].proof.0[0] ^= 1, M::RandomProof),
        (
            |r| r.random.parts[0].at = START + DRAW_TOLERANCE * 2,
            M::Time,
        ),
    ];
    for (case, (change, what)) in changes.into_iter().enumerate() {
        assert_eq!(why(only(stage.ask(change))), Refusal::Invalid);
        let breach = (stage.setter, stage.trigger, what);
        assert_eq!(stage.network.accusations()[case..], [breach]);
    }
}

#[test]
fn only_the_nearest_node_sets_up() {
    let world = World::new(40);
    let mut stage = Stage::new(&world);
    let nearest = stage.setter;
    stage.setter = world.setter(stage.value, &[nearest]);
    stage.network.puppets.clear();
    let nearer = Refusal::Nearer(Box::new(contact(nearest)));
    assert_eq!(why(only(stage.ask(|_| ()))), nearer);
}

#[test]
fn commitments_come_once_and_before_openings() {
    let world = World::new(40);
    let commit = |stage: &Stage<'_>| Message::Commit(stage.step(), Digest([1; 32]));
    let mut twice = Stage::committed(&world, 2);
    twice.breaks(1, commit(&twice), Misbehaviour::OutOfTurn);
    let mut late = Stage::committed(&world, 4);
    late.breaks(1, commit(&late), Misbehaviour::OutOfTurn);
    let mut later = Stage::opened(&world, 4);
    later.breaks(1, commit(&later), Misbehaviour::OutOfTurn);
}

#[test]
fn openings_come_once_and_after_commitments() {
    let world = World::new(40);
    let open = |stage: &Stage<'_>| Message::Open(stage.step(), stage.opening(1));
    let mut early = Stage::committed(&world, 3);
    early.breaks(1, open(&early), Misbehaviour::OutOfTurn);
    let mut twice = Stage::opened(&world, 2);
    twice.breaks(1, open(&twice), Misbehaviour::OutOfTurn);
    let mut late = Stage::opened(&world, 4);
    late.breaks(1, open(&late), Misbehaviour::OutOfTurn);
}

#[test]
fn signatures_come_last_and_hold() {
    let world = World::new(40);
    let signed = |stage: &Stage<'_>| Message::Signed(stage.step(), Signature([7; 64]));
    let mut early = Stage::opened(&world, 3);
    early.breaks(1, signed(&early), Misbehaviour::OutOfTurn);
    let mut forged = Stage::opened(&world, 4);
    forged.breaks(1, signed(&forged), Misbehaviour::Signature);
}

#[test]
fn openings_must_be_what_was_committed_and_drawn() {
    use Misbehaviour as M;
    let world = World::new(40);
    let changes: [Change<Opening>; 4] = [
        (|o| o.candidates.truncate(20), M::Commitment),
        (|o| o.candidates.clear(), M::Commitment),
        (|o| o.proof.0[0] ^= 1, M::RandomProof),
        (|o| o.proof.0 = [255; 80], M::RandomProof),
    ];
    for (change, what) in changes {
        let mut stage = Stage::opened(&world, 1);
        let mut opening = stage.opening(1);
        change(&mut opening);
        stage.breaks(1, Message::Open(stage.step(), opening), what);
    }
    // Another's value.
    let mut stage = Stage::opened(&world, 1);
    let opening = stage.opening(2);
    stage.breaks(1, Message::Open(stage.step(), opening), M::RandomProof);
}

/// The builder has committed to something that no honest node would name.
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
    for change in changes {
        let mut stage = Stage::new(&world);
        assert!(!stage.builders.contains(&revoked) && stage.setter != revoked);
        stage.ask(|_| ());
        let mut opening = stage.opening(0);
        opening.candidates.retain(|node| *node != revoked);
        let good = Opening::commitment(&opening.candidates);
        change(&mut opening.candidates);
        let bad = Opening::commitment(&opening.candidates);
        for (place, commitment) in [bad, good, good, good].into_iter().enumerate() {
            stage.say_as(place, Message::Commit(stage.step(), commitment));
        }
        let message = Message::Open(stage.step(), opening);
        stage.breaks(0, message, Misbehaviour::Candidates);
    }
}

#[test]
fn only_builders_of_this_round_are_heard() {
    let world = World::new(40);
    let mut stage = Stage::committed(&world, 3);
    let commitment = Opening::commitment(&stage.opening(0).candidates);
    let other_round = Step {
        round: 1,
        ..stage.step()
    };
    let other_draw = Step {
        draw: world.draw(1, 1),
        round: 0,
        site: Site::FIRST,
    };
    for step in [other_round, other_draw] {
        assert_eq!(stage.say_as(3, Message::Commit(step, commitment)), []);
        assert_eq!(
            stage.say_as(3, Message::Refused(step, Refusal::Invalid)),
            []
        );
    }
    let stranger = people().node(150);
    let commit = Message::Commit(stage.step(), commitment);
    assert_eq!(stage.say(stranger, commit.clone()), []);
    let refusal = Message::Refused(stage.step(), Refusal::Invalid);
    assert_eq!(stage.say(stranger, refusal), []);
    // It still waits for the fourth.
    let commits = stage.say_as(3, commit);
    assert!(commits.iter().all(|m| matches!(m, Message::Commits(..))));
    assert_eq!(commits.len(), 4);
    assert_eq!(stage.network.accusations(), []);
}

#[test]
fn a_refusal_ends_the_round_and_says_why() {
    let world = World::new(40);
    let stranger = people().node(150);
    for refusal in [
        Refusal::Invalid,
        Refusal::Busy,
        Refusal::NotAnnounced,
        Refusal::TooManyDraws,
        Refusal::Unknown(stranger),
        Refusal::SkippedIsAlive(stranger),
    ] {
        let mut stage = Stage::committed(&world, 2);
        let answers = stage.say_as(2, Message::Refused(stage.step(), refusal));
        assert_eq!(answers, [Message::SetterGaveUp(stage.draw, Site::FIRST)]);
        assert_eq!(stage.network.accusations(), []);
    }
}

#[test]
fn a_builder_that_does_not_know_another_is_introduced() {
    let world = World::new(40);
    let mut stage = Stage::committed(&world, 2);
    let missing = stage.builders[0];
    let refusal = Refusal::Unknown(missing);
    let answers = stage.say_as(2, Message::Refused(stage.step(), refusal));
    let introduction = Message::Introduce(Box::new(contact(missing)));
    let gave_up = Message::SetterGaveUp(stage.draw, Site::FIRST);
    assert_eq!(answers, [introduction, gave_up]);
}

#[test]
fn a_nearer_builder_is_heard_of_when_its_contact_holds() {
    let world = World::new(40);
    // Certified, but unknown here; and the contact of a known one, forged.
    let newcomer = contact(people().node(150));
    let mut stage = Stage::committed(&world, 2);
    let nearer = Refusal::Nearer(Box::new(newcomer.clone()));
    stage.say_as(2, Message::Refused(stage.step(), nearer));
    let heard = stage
        .network
        .events
        .iter()
        .filter_map(|(node, event)| match event {
            Event::Heard(contact) => Some((*node, (**contact).clone())),
            _ => None,
        });
    assert_eq!(heard.collect::<Vec<_>>(), [(stage.setter, newcomer)]);

    let mut stage = Stage::committed(&world, 2);
    let nearer = Refusal::Nearer(Box::new(forged(people().node(150))));
    let what = Misbehaviour::Certificate(ContactError::Signature);
    stage.breaks(2, Message::Refused(stage.step(), nearer), what);
    // What is known already is no news, and costs nothing.
    let mut stage = Stage::committed(&world, 2);
    let old = forged_at(people().node(5), START - SECOND);
    let nearer = Refusal::Nearer(Box::new(old));
    stage.say_as(2, Message::Refused(stage.step(), nearer));
    assert_eq!(stage.network.accusations(), []);
}

/// All next builders find out that one is not away, and say so at the same time.
#[test]
fn a_builder_that_is_not_away_is_asked_again() {
    let world = World::new(40);
    let mut stage = Stage::committed(&world, 3);
    let late = stage.builders[3];
    stage.network.run_for(SECOND * 2);
    // The second round, without the fourth.
    let second = Step {
        round: 1,
        ..stage.step()
    };
    let others = world.builders(stage.value, stage.setter, &[late]);
    stage.network.puppets.extend(&others);
    let mut builds = Vec::new();
    for node in others {
        let refusal = Message::Refused(second, Refusal::SkippedIsAlive(late));
        builds.extend(stage.say(node, refusal));
    }
    // One third round, with it.
    let expected = stage.builders.clone();
    assert_eq!(builds.len(), 4);
    for message in builds {
        let Message::Build(request) = message else {
            panic!("not a request: {message:?}");
        };
        assert_eq!((request.round, &request.chosen), (2, &expected));
        assert_eq!(request.skipped, []);
    }
    // And so on, but not for ever: these stay silent, and the next ones say that they are here.
    stage.network.run_for(SECOND * 2);
    let fourth = Step {
        round: 3,
        ..stage.step()
    };
    let other = world.builders(stage.value, stage.setter, &expected)[0];
    let refusal = Message::Refused(fourth, Refusal::SkippedIsAlive(late));
    let gave_up = Message::SetterGaveUp(stage.draw, Site::FIRST);
    assert_eq!(stage.say(other, refusal), [gave_up]);
}

/// Told that a builder cannot be reached, and then that it is here after all, a setter waits for it again.
#[test]
fn a_builder_that_could_not_be_reached_gets_another_chance() {
    let world = World::new(40);
    let mut stage = Stage::committed(&world, 3);
    let late = stage.builders[3];
    stage.network.input(stage.setter, Input::Unreachable(late));
    let others = world.builders(stage.value, stage.setter, &[late]);
    stage.network.puppets.extend(&others);
    let round = |stage: &Stage<'_>, round| Step {
        round,
        ..stage.step()
    };
    let refusal = Message::Refused(round(&stage, 1), Refusal::SkippedIsAlive(late));
    stage.say(others[0], refusal);
    let commitment = Opening::commitment(&stage.opening(0).candidates);
    let commit = Message::Commit(round(&stage, 2), commitment);
    for place in 0..3 {
        let answers = stage.say_as(place, commit.clone());
        assert!(answers.iter().all(|m| matches!(m, Message::Build(_))));
    }
    let commits = stage.say_as(3, commit);
    assert_eq!(commits.len(), 4);
    assert!(commits.iter().all(|m| matches!(m, Message::Commits(..))));
}

#[test]
fn builders_who_stay_silent_end_the_draw_here() {
    let world = World::new(40);
    let mut stage = Stage::new(&world);
    stage
        .network
        .puppets
        .extend((1..40).map(|p| people().node(p)));
    let setter = stage.setter;
    stage.network.puppets.remove(&setter);
    stage.ask(|_| ());
    // Two seconds a round, and no more than eight nodes may be left out.
    stage.network.run_for(SECOND * 8);
    let gave_up = Message::SetterGaveUp(stage.draw, Site::FIRST);
    assert!(stage.network.inbox.contains(&(setter, gave_up)));
    assert!(stage.network.nodes[&setter].is_at_rest());
}

/// Too few are named by all builders together.
#[test]
fn too_few_candidates_are_told_to_the_trigger() {
    let world = World::new(40);
    let mut stage = Stage::new(&world);
    stage.ask(|_| ());
    let few: Vec<_> = stage.opening(0).candidates[..8].to_vec();
    let commitment = Opening::commitment(&few);
    for place in 0..4 {
        stage.say_as(place, Message::Commit(stage.step(), commitment));
    }
    let mut answers = Vec::new();
    for place in 0..4 {
        let opening = Opening {
            candidates: few.clone(),
            ..stage.opening(place)
        };
        answers = stage.say_as(place, Message::Open(stage.step(), opening));
    }
    // All are shown what was opened, and sign that it is too little.
    assert!(answers.iter().all(|m| matches!(m, Message::Opens(..))));
    let body = SparseBody {
        descriptor: world.rules.community().digest(),
        draw: stage.draw,
        random: stage.value,
        site: Site::FIRST,
        setter: stage.setter,
        at: stage.began,
        seats: SEATS,
    };
    let bytes = body.signed_bytes();
    for place in 0..4 {
        let key = &people().identity(stage.builders[place]).key;
        let signature = key.sign(SparseBody::DOMAIN, &bytes);
        answers = stage.say_as(place, Message::Signed(stage.step(), signature));
    }
    let Message::Sparse(sparse) = only(answers) else {
        panic!("no evidence");
    };
    assert_eq!(sparse.body, body);
    assert_eq!(sparse.verify(&world.rules, stage.network.now), Ok(()));
    assert!(stage.network.nodes[&stage.setter].is_at_rest());
}

/// A trigger that asks twice has one draw set up.
#[test]
fn a_draw_is_set_up_once() {
    let world = World::new(40);
    let mut stage = Stage::new(&world);
    assert_eq!(stage.ask(|_| ()).len(), 4);
    assert_eq!(stage.ask(|_| ()), []);
}
