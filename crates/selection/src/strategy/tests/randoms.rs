//! The verifiable random: what a witness says to a lying trigger, a trigger to a lying witness, and anyone to bad evidence.

use base::{Digest, Instant, Rng};
use community::ContactError;
use crypto::{CertificateError, SigningKey};
use overlay::Form;

use super::network::Network;
use super::world::{SECOND, START, World, certified, people, plan, signer};
use crate::strategy::*;
use crate::{Draw, Misbehaviour};

fn world() -> World {
    World::new(Strategy::Paper, 40)
}

/// What somebody does to a good random, and the check that this fails.
type Change = (fn(&World, &mut CommittedRandom), Breach);

fn check(world: &World, random: &CommittedRandom, at: Instant) -> Result<(Digest, usize), Breach> {
    let mut checker = Checker::new(&world.rules, at);
    let value = random.check(&mut checker)?;
    assert_eq!(random.checks(), checker.made());
    Ok((value, checker.made()))
}

#[test]
fn a_random_is_the_sum_of_all_and_costs_2k_and_1() {
    let world = world();
    let random = world.random(1, START);
    let sum = random.parts.iter().fold([0; 32], |sum, part| {
        std::array::from_fn(|at| sum[at] ^ part.random.0[at])
    });
    let k = random.parts.len();
    assert_eq!(check(&world, &random, START), Ok((Digest(sum), 2 * k + 1)));
}

#[test]
fn each_flaw_of_a_random_is_found() {
    let changes: [Change; 9] = [
        (
            |_, random| random.parts[1].random.0[5] ^= 1,
            Breach::Signature,
        ),
        (
            |_, random| random.parts[1].signature = random.parts[0].signature,
            Breach::Signature,
        ),
        // A part of another list, which its signer gave for another random.
        (
            |world, random| random.parts[2] = world.random(2, START).parts[2].clone(),
            Breach::Signature,
        ),
        (
            |_, random| random.parts[2].at = START + SECOND,
            Breach::Signature,
        ),
        (
            |_, random| random.parts.swap(0, 1),
            Breach::Signers(Misbehaviour::Order),
        ),
        (
            |_, random| random.parts[1] = random.parts[0].clone(),
            Breach::Signers(Misbehaviour::Order),
        ),
        (
            |_, random| random.parts.clear(),
            Breach::Signers(Misbehaviour::NoSuchRow),
        ),
        (
            |world, random| {
                let own = people().node(0);
                let mut signers = world.witnesses();
                signers.pop();
                signers.insert(0, own);
                random.parts = world.parts(&signers, 1, START);
            },
            Breach::Signers(Misbehaviour::OwnWitness),
        ),
        (
            |_, random| {
                let impostor = certified(&SigningKey::from_seed([9; 32]), &mut Rng::from_number(5));
                random.trigger = impostor.certificate.clone();
            },
            Breach::Certificate(ContactError::Certificate(CertificateError::UnknownIssuer)),
        ),
    ];
    let world = world();
    for (place, (change, breach)) in changes.into_iter().enumerate() {
        let mut random = world.random(1, START);
        change(&world, &mut random);
        assert_eq!(check(&world, &random, START), Err(breach), "change {place}");
    }
}

#[test]
fn witnesses_far_away_are_not_legitimate() {
    // The row of k = 2: a share of 0.0006 of the ring, where nobody but the trigger is.
    let world = World::new(Strategy::Paper, 300);
    let pair = &world.witnesses()[..2];
    let random = CommittedRandom {
        parts: world.parts(pair, 1, START),
        ..world.random(1, START)
    };
    let breach = Breach::Signers(Misbehaviour::NotLegitimate);
    assert_eq!(check(&world, &random, START), Err(breach));
}

#[test]
fn stale_and_future_parts_are_refused() {
    let world = world();
    let tolerance = crate::DRAW_TOLERANCE;
    let random = world.random(1, START);
    for at in [START - tolerance, START + tolerance] {
        assert!(check(&world, &random, at).is_ok());
    }
    let tick = std::time::Duration::from_micros(1);
    for at in [START - tolerance - tick, START + tolerance + tick] {
        assert_eq!(check(&world, &random, at), Err(Breach::Time));
    }
}

#[test]
fn a_certificate_that_ended_or_is_revoked_is_refused() {
    let good = world();
    let random = good.random(1, START);
    let revoked = random.parts[1].node();
    let world = World::with(Strategy::Paper, 40, |d| d.revoked = vec![revoked]);
    let refused = check(&world, &random, START);
    assert_eq!(refused, Err(Breach::Certificate(ContactError::Revoked)));
}

/// A witness, and the honest queries to it.
struct Asked<'a> {
    network: Network<'a>,
    draw: Draw,
    k: u32,
    witness: base::NodeId,
}

impl<'a> Asked<'a> {
    fn new(world: &'a World) -> Self {
        Self {
            network: Network::new(world),
            draw: world.draw(1),
            k: world.witnesses().len() as u32,
            witness: world.witnesses()[0],
        }
    }

    fn say(&mut self, message: Message) -> Option<Message> {
        let mut answers = self.network.say(self.draw.trigger, self.witness, message);
        assert!(answers.len() < 2, "{answers:?}");
        answers.pop()
    }

    /// Its hash.
    fn ask(&mut self) -> Digest {
        match self.say(Message::Ask(self.draw, self.k)) {
            Some(Message::Hash(draw, hash)) if draw == self.draw => hash,
            other => panic!("no hash: {other:?}"),
        }
    }

    fn refused(&mut self, message: Message, why: Refusal) {
        let draw = message.draw();
        assert_eq!(self.say(message), Some(Message::Refused(draw, why)));
    }
}

/// With hashes of three others.
fn hashes(own: Digest, k: u32) -> Vec<Digest> {
    let others = (1..k).map(|number| plan(u64::from(number)));
    [own].into_iter().chain(others).collect()
}

#[test]
fn a_witness_opens_to_a_list_with_its_hash() {
    let world = world();
    let mut asked = Asked::new(&world);
    let own = asked.ask();
    let list = hashes(own, asked.k);
    let Some(Message::Part(_, part)) = asked.say(Message::Hashes(asked.draw, list.clone())) else {
        panic!("no part");
    };
    assert_eq!(commitment(&part.random), own);
    let mut checker = Checker::new(&world.rules, asked.network.now);
    assert_eq!(part.check_signature(&list, &mut checker), Ok(()));
    // Signing a second list would let T choose between two randoms.
    let again = Message::Hashes(asked.draw, list);
    asked.refused(again, Refusal::Invalid);
    let accused = asked.network.accusations();
    assert_eq!(accused, [(asked.draw.trigger, Breach::OutOfTurn)]);
}

#[test]
fn a_witness_does_not_open_to_a_list_without_its_hash() {
    let lists: [fn(Digest, u32) -> Vec<Digest>; 4] = [
        |_, k| hashes(plan(9), k),
        |own, k| hashes(own, k - 1),
        |own, k| hashes(own, k + 1),
        |_, _| Vec::new(),
    ];
    let world = world();
    for list in lists {
        let mut asked = Asked::new(&world);
        let own = asked.ask();
        let message = Message::Hashes(asked.draw, list(own, asked.k));
        asked.refused(message, Refusal::Invalid);
        let accused = asked.network.accusations();
        assert_eq!(accused, [(asked.draw.trigger, Breach::HashMissing)]);
    }
}

#[test]
fn a_witness_opens_in_turn_and_in_time_only() {
    let world = world();
    let mut asked = Asked::new(&world);
    let unasked = Message::Hashes(asked.draw, hashes(plan(9), asked.k));
    asked.refused(unasked, Refusal::Invalid);

    let own = asked.ask();
    let mut other = asked.draw;
    other.attempt = 1;
    let of_another = Message::Hashes(other, hashes(own, asked.k));
    asked.refused(of_another, Refusal::Invalid);

    let own = asked.ask();
    asked.network.now = asked.network.now + 10 * SECOND;
    let late = Message::Hashes(asked.draw, hashes(own, asked.k));
    asked.refused(late, Refusal::Invalid);
    let accusations = asked.network.accusations();
    assert!(
        accusations
            .iter()
            .all(|(_, what)| *what == Breach::OutOfTurn)
    );
}

#[test]
fn a_witness_gives_a_new_number_each_time() {
    let world = world();
    let mut asked = Asked::new(&world);
    assert_ne!(asked.ask(), asked.ask());
}

#[test]
fn a_witness_wants_the_smallest_k() {
    let world = world();
    let mut asked = Asked::new(&world);
    for k in [asked.k + 1, 1000] {
        asked.refused(Message::Ask(asked.draw, k), Refusal::LargerK);
    }
    // With nobody else in sight there is no k at all.
    let mut asked = Asked::new(&world);
    for person in 1..40 {
        let node = people().node(person);
        asked.network.command(asked.witness, Command::Forget(node));
    }
    asked.refused(Message::Ask(asked.draw, asked.k), Refusal::LargerK);
}

#[test]
fn a_witness_counts_queries_per_period() {
    let world = World::with(Strategy::Paper, 40, |d| d.draws_per_period = 3);
    let mut asked = Asked::new(&world);
    for _ in 0..3 {
        asked.ask();
    }
    let ask = Message::Ask(asked.draw, asked.k);
    asked.refused(ask.clone(), Refusal::TooManyDraws);
    // Another question is another query of the same trigger.
    asked.draw.digest = plan(2);
    asked.refused(ask, Refusal::TooManyDraws);
    asked.network.now = asked.network.now + 3600 * SECOND;
    asked.ask();
}

#[test]
fn a_witness_answers_the_trigger_itself_only() {
    let world = world();
    let mut asked = Asked::new(&world);
    let ask = Message::Ask(asked.draw, asked.k);
    asked.draw.trigger = people().node(7);
    asked.refused(ask, Refusal::Invalid);

    let mut asked = Asked::new(&world);
    let trigger = asked.draw.trigger;
    asked
        .network
        .command(asked.witness, Command::Forget(trigger));
    asked.refused(Message::Ask(asked.draw, asked.k), Refusal::Unknown);
}

/// The first of the nearest lies; the draw ends without it.
fn draw_with_a_lying_witness(lie: impl Fn(&mut Message), breach: Breach) {
    let world = world();
    let liar = world.witnesses()[1];
    let mut network = Network::meddled(&world, |from, _, message| {
        if from == liar {
            lie(message);
        }
        true
    });
    let selected = network.draw(1, 8).unwrap();
    assert_eq!(selected.draw.attempt, 1);
    assert_eq!(network.accusations(), [(liar, breach)]);
}

#[test]
fn a_trigger_finds_a_lying_witness_and_draws_without_it() {
    draw_with_a_lying_witness(
        |message| {
            if let Message::Part(_, part) = message {
                part.random.0[0] ^= 1;
            }
        },
        Breach::Opening,
    );
    draw_with_a_lying_witness(
        |message| {
            if let Message::Part(_, part) = message {
                part.at = part.at + SECOND;
            }
        },
        Breach::Signature,
    );
    draw_with_a_lying_witness(
        |message| {
            if let Message::Part(_, part) = message {
                let bytes = Part::signed_bytes(&[part.random], part.at);
                part.signature = signer(part.node(), Part::DOMAIN, &bytes, part.at).signature;
            }
        },
        Breach::Signature,
    );
    draw_with_a_lying_witness(
        |message| {
            if let Message::Part(_, part) = message {
                part.certificate = people().identities[9].certificate.clone();
            }
        },
        Breach::OtherActors,
    );
    draw_with_a_lying_witness(
        |message| {
            if let Message::Part(draw, part) = message {
                *message = Message::Hash(*draw, part.random);
            }
        },
        Breach::OutOfTurn,
    );
    draw_with_a_lying_witness(
        |message| {
            if let Message::Part(_, part) = message {
                part.at = part.at - 121 * SECOND;
            }
        },
        Breach::Time,
    );
}

#[test]
fn the_table_is_the_papers() {
    // P[at least 4 of 3 colluders] = 0: four nodes anywhere, where the sound table allows for any place of theirs, too.
    let row = |form| {
        let table = overlay::KTable::new(overlay::Parameters {
            form,
            ..overlay::Parameters::new(300, 3, 1e-6)
        });
        table.unwrap().rows()[0]
    };
    assert!(row(Form::Paper).region_size > 100.0 * row(Form::Sound).region_size);
    let world = World::new(Strategy::Paper, 300);
    assert_eq!(world.rules.table().rows()[0], row(Form::Paper));
}
