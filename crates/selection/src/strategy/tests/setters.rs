//! Setters and builders of a paper list, and whoever lies to them.

use base::{Digest, Instant, NodeId, Rng};
use crypto::{Certificate, Signature};

use super::network::Network;
use super::world::{SECOND, START, World, people, plan};
use crate::strategy::*;
use crate::{Draw, point_of};

/// A builder, and the honest words to it of a setter that the test plays.
struct Built<'a> {
    network: Network<'a>,
    draw: Draw,
    request: Request,
    random: Digest,
    setter: NodeId,
    /// k, the builder first.
    builders: Vec<NodeId>,
}

impl<'a> Built<'a> {
    fn new(world: &'a World) -> Self {
        Self::of(world, 8)
    }

    fn of(world: &'a World, seats: u32) -> Self {
        let request = Request {
            random: world.random(1, START),
            relocations: Vec::new(),
            seats,
        };
        let random = request.value();
        let setter = world.setter(&random);
        Self {
            network: Network::new(world),
            draw: world.draw(1),
            request,
            random,
            setter,
            builders: world.builders(&random, setter),
        }
    }

    fn k(&self) -> u32 {
        self.builders.len() as u32
    }

    fn say(&mut self, message: Message) -> Option<Message> {
        let builder = self.builders[0];
        let mut answers = self.network.say(self.setter, builder, message);
        assert!(answers.len() < 2, "{answers:?}");
        answers.pop()
    }

    fn build(&mut self) -> Digest {
        let build = Message::Build(self.draw, Box::new(self.request.clone()), self.k());
        match self.say(build) {
            Some(Message::Commit(_, hash)) => hash,
            other => panic!("no hash: {other:?}"),
        }
    }

    /// The builder's opening to an honest L1, and those of the others, who name the same candidates.
    fn open(&mut self, hash: Digest) -> Vec<Opening> {
        let candidates = self.all();
        let mut rng = Rng::from_number(8);
        let others: Vec<_> = (1..self.k())
            .map(|_| Opening {
                random: Digest(rng.bytes32()),
                candidates: candidates.clone(),
            })
            .collect();
        self.open_with(hash, others)
    }

    fn open_with(&mut self, hash: Digest, others: Vec<Opening>) -> Vec<Opening> {
        let hash_of = |opening: &Opening| commitment_with(&opening.random, &opening.candidates);
        let hashes: Vec<_> = [hash]
            .into_iter()
            .chain(others.iter().map(hash_of))
            .collect();
        match self.say(Message::Commits(self.draw, hashes)) {
            Some(Message::Open(_, own, _)) => {
                assert_eq!(hash_of(&own), hash);
                [own].into_iter().chain(others).collect()
            }
            other => panic!("no opening: {other:?}"),
        }
    }

    fn all(&self) -> Candidates {
        let world = self.network.world;
        Candidates::new(world.mesh.iter().map(|contact| contact.node()))
    }

    fn show(&mut self, openings: &[Opening], shown: &[Certificate]) -> Option<Message> {
        self.say(Message::Opens(self.draw, openings.to_vec(), shown.to_vec()))
    }

    /// Step 7, and that the builder finds this wrong with it.
    fn accused(&mut self, openings: &[Opening], shown: &[Certificate], breach: Breach) {
        let answer = self.show(openings, shown);
        let refused = Message::Refused(self.draw, Refusal::Invalid);
        assert_eq!(answer, Some(refused));
        assert_eq!(self.network.accusations(), [(self.setter, breach)]);
    }
}

fn world() -> World {
    World::new(Strategy::Paper, 40)
}

fn holds(message: Option<Message>, node: NodeId, bytes: impl Fn(Instant) -> Vec<u8>) -> bool {
    let (domain, at, signature): (_, _, Signature) = match message {
        Some(Message::Signed(_, at, signature)) => (SignedList::DOMAIN, at, signature),
        Some(Message::Sparse(_, at, signature)) => (Relocation::DOMAIN, at, signature),
        other => panic!("not signed: {other:?}"),
    };
    crypto::verify(node, domain, &bytes(at), &signature).is_ok()
}

#[test]
fn a_builder_commits_opens_and_signs() {
    let world = world();
    let mut built = Built::new(&world);
    let hash = built.build();
    let openings = built.open(hash);
    assert_eq!(openings[0].candidates, built.all());
    let random = xor(openings.iter().map(|opening| &opening.random));
    let actors = draw_actors(&random, [&openings[0].candidates], 8).unwrap();
    let answer = built.show(&openings, &[]);
    let bytes = |at| SignedList::signed_bytes(&built.random, &actors, at);
    assert!(holds(answer, built.builders[0], bytes));
    // Once: nothing is left to sign.
    assert_eq!(built.show(&openings, &[]), None);
}

#[test]
fn a_builder_gives_a_new_number_each_time() {
    let world = world();
    let mut built = Built::new(&world);
    assert_ne!(built.build(), built.build());
}

#[test]
fn a_builder_does_not_open_to_a_list_without_its_hash() {
    let world = world();
    for (own, others) in [(false, 3), (true, 2), (true, 4)] {
        let mut built = Built::new(&world);
        let hash = built.build();
        let hash = if own { hash } else { plan(0) };
        let hashes = [hash].into_iter().chain((1..=others).map(plan)).collect();
        let answer = built.say(Message::Commits(built.draw, hashes));
        assert_eq!(answer, Some(Message::Refused(built.draw, Refusal::Invalid)));
        let accused = built.network.accusations();
        assert_eq!(accused, [(built.setter, Breach::HashMissing)]);
    }
}

#[test]
fn a_builder_opens_once_and_in_turn() {
    let world = world();
    let mut built = Built::new(&world);
    let commits = Message::Commits(built.draw, vec![plan(0); 4]);
    assert_eq!(built.say(commits), None, "nothing was asked for");

    let hash = built.build();
    built.open(hash);
    let again = Message::Commits(built.draw, vec![hash; 4]);
    let refused = Message::Refused(built.draw, Refusal::Invalid);
    assert_eq!(built.say(again), Some(refused));
    assert_eq!(
        built.network.accusations(),
        [(built.setter, Breach::OutOfTurn)]
    );

    let mut built = Built::new(&world);
    built.build();
    built.accused(&[], &[], Breach::OutOfTurn);
}

#[test]
fn a_builder_finds_openings_that_do_not_match() {
    let changes: [fn(&mut Vec<Opening>); 5] = [
        |openings| openings[1].random.0[0] ^= 1,
        |openings| {
            let nodes = openings[1].candidates.nodes()[1..].iter().copied();
            openings[1].candidates = Candidates::new(nodes);
        },
        |openings| openings.swap(1, 2),
        |openings| {
            openings.pop();
        },
        |openings| openings.push(openings[0].clone()),
    ];
    let world = world();
    for change in changes {
        let mut built = Built::new(&world);
        let hash = built.build();
        let mut openings = built.open(hash);
        change(&mut openings);
        built.accused(&openings, &[], Breach::Opening);
    }
}

#[test]
fn a_builder_checks_the_triggers_random() {
    let world = world();
    let mut built = Built::new(&world);
    built.request.random.parts[1].signature = built.request.random.parts[0].signature;
    let hash = built.build();
    let openings = built.open(hash);
    built.accused(&openings, &[], Breach::Signature);

    // Stale: the parts are of two minutes ago and a second.
    let mut built = Built::new(&world);
    built.network.now = START + 121 * SECOND;
    let hash = built.build();
    let openings = built.open(hash);
    built.accused(&openings, &[], Breach::Time);
}

#[test]
fn a_builder_checks_relocations() {
    let world = world();
    let mut built = Built::new(&world);
    let at_this_point = world.list(built.random, vec![], &built.builders, START);
    // Signatures over something else.
    built.request.relocations = vec![Relocation {
        signers: at_this_point.signers,
    }];
    let hash = built.build();
    let openings = built.open(hash);
    built.accused(&openings, &[], Breach::Signature);
}

#[test]
fn a_builder_far_away_does_not_commit() {
    let world = World::new(Strategy::Paper, 300);
    let mut built = Built::new(&world);
    // With four it is legitimate wherever it is, with two it is not.
    let build = |k| Message::Build(built.draw, Box::new(built.request.clone()), k);
    let (two, none) = (build(2), build(1));
    for message in [two, none] {
        let refused = Message::Refused(built.draw, Refusal::Invalid);
        assert_eq!(built.say(message), Some(refused));
    }
    built.build();
}

/// R3 of a tenth of the ring among three hundred; the builder's own word is honest, the others name whom they like.
fn drawn_with(
    others: impl Fn(&World, Digest) -> Vec<NodeId>,
    shown: &[Certificate],
    setter_view: impl Fn(&mut Built<'_>, &[Opening], &[Certificate]),
) {
    let world = World::sparse(Strategy::Paper, 300, 0.1);
    let mut built = Built::of(&world, 40);
    let hash = built.build();
    let candidates = Candidates::new(others(&world, built.random));
    let mut rng = Rng::from_number(8);
    let others = (1..built.k()).map(|_| Opening {
        random: Digest(rng.bytes32()),
        candidates: candidates.clone(),
    });
    let others = others.collect();
    let openings = built.open_with(hash, others);
    setter_view(&mut built, &openings, shown);
}

/// Those in R3, and twenty opposite.
fn too_wide(world: &World, random: Digest) -> Vec<NodeId> {
    let point = point_of(&random);
    let mesh = &world.mesh;
    let far = base::Location(point.0.wrapping_add(1 << 63));
    let near = base::Region::new(point, 0.1);
    let opposite = base::Region::new(far, 0.1);
    let named = mesh.inside(&near).chain(mesh.inside(&opposite));
    named.map(|contact| contact.node()).collect()
}

#[test]
fn a_builder_finds_actors_out_of_r3() {
    let all = people().identities.iter();
    let certificates: Vec<_> = all.map(|of| of.certificate.clone()).collect();
    drawn_with(too_wide, &certificates, |built, openings, shown| {
        built.accused(openings, shown, Breach::ActorNotLegitimate);
    });
    // Nobody shows who they are.
    drawn_with(too_wide, &[], |built, openings, shown| {
        built.accused(openings, shown, Breach::ActorNotLegitimate);
    });
}

#[test]
fn a_builder_finds_actors_that_are_not_genuine() {
    let mut rng = Rng::from_number(6);
    let forger = crypto::SigningKey::from_seed([9; 32]);
    let fakes: Vec<_> = (0..200)
        .map(|_| super::world::certified(&forger, &mut rng))
        .collect();
    let shown: Vec<_> = fakes.iter().map(|fake| fake.certificate.clone()).collect();
    let names = |_: &World, _| fakes.iter().map(|fake| fake.node()).collect();
    drawn_with(names, &shown, |built, openings, shown| {
        let refused = Message::Refused(built.draw, Refusal::Invalid);
        assert_eq!(built.show(openings, shown), Some(refused));
        let accused = built.network.accusations();
        assert!(
            matches!(accused[..], [(_, Breach::Certificate(_))]),
            "{accused:?}"
        );
    });
}

#[test]
fn too_few_candidates_are_attested() {
    let world = world();
    let mut built = Built::of(&world, 41);
    let hash = built.build();
    let openings = built.open(hash);
    let answer = built.show(&openings, &[]);
    let bytes = |at| Relocation::signed_bytes(&built.random, 41, at);
    assert!(holds(answer, built.builders[0], bytes));
}

#[test]
fn a_setter_serves_the_trigger_itself_with_a_sensible_number_of_seats() {
    let world = world();
    let request = |seats| {
        let request = Request {
            random: world.random(1, START),
            relocations: Vec::new(),
            seats,
        };
        Box::new(request)
    };
    let setter = world.setter(&request(8).value());
    let trigger = people().node(0);
    let mut network = Network::new(&world);
    let refused = |draw| vec![Message::Refused(draw, Refusal::Invalid)];

    let draw = world.draw(1);
    let people = people().identities.iter().map(|of| of.node());
    let mut others = people.filter(|node| ![setter, trigger].contains(node));
    let other = others.next().unwrap();
    let of_other = Draw {
        trigger: other,
        ..draw
    };
    // Somebody speaks for T, with its draw, its random, or both.
    for (from, draw) in [(other, draw), (other, of_other), (trigger, of_other)] {
        let answers = network.say(from, setter, Message::Set(draw, request(8)));
        assert_eq!(answers, refused(draw));
    }
    for seats in [0, 5000] {
        let message = Message::Set(draw, request(seats));
        assert_eq!(network.say(trigger, setter, message), refused(draw));
    }
}

#[test]
fn setters_and_builders_take_part_in_so_many_draws_at_a_time() {
    let world = world();
    let built = Built::new(&world);
    let (k, request) = (built.k(), Box::new(built.request.clone()));
    let mut network = built.network;
    let trigger = people().node(0);
    for number in 0..=64 {
        let draw = world.draw(number);
        let build = Message::Build(draw, request.clone(), k);
        let answers = network.say(built.setter, built.builders[0], build);
        let busy = [Message::Refused(draw, Refusal::Busy)];
        assert_eq!(answers == busy, number == 64, "{answers:?}");
    }
    // Nobody answers this setter, but after a while it gives up.
    let mut network = Network::new(&world);
    network.tells_unreachable = false;
    network.down.extend(&built.builders);
    for number in 0..=64 {
        network.now = START;
        let draw = world.draw(number);
        let set = Message::Set(draw, request.clone());
        network.send(trigger, built.setter, set);
    }
    let later = START + SECOND;
    while network.step(later) {}
    let busy = |message: &Message| matches!(message, Message::Refused(_, Refusal::Busy));
    let refused = network.sent.iter().filter(|(_, _, message)| busy(message));
    assert_eq!(refused.count(), 1);
}
