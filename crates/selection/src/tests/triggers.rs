//! What a trigger makes of witnesses and setters who lie: it sees it, and draws all the same.

use std::cell::Cell;

use base::NodeId;
use community::{Contact, ContactError, Terms, enrol};
use crypto::{CertificateError, CertificateRequest, Rights};

use super::network::Network;
use super::talk::{contact, forged};
use super::world::{SECOND, START, World, authority, people, plan};
use crate::site::Site;
use crate::{
    ActorList, DRAW_TOLERANCE, Draw, Failure, Message, Misbehaviour, Refusal, Step, TriggerPart,
};

/// Draws while somebody changes one message; gives who accused whom of what, and the list.
fn draw_with(
    world: &World,
    mut change: impl FnMut(NodeId, &mut Message) -> bool,
) -> (Vec<(NodeId, NodeId, Misbehaviour)>, ActorList) {
    let done = Cell::new(false);
    let mut network = Network::meddled(world, |from, to, message| {
        let to_trigger = to == people().node(0);
        if to_trigger && !done.get() && change(from, message) {
            done.set(true);
        }
        true
    });
    let list = network.draw(1, 9).unwrap();
    let accusations = network.accusations();
    drop(network);
    assert!(done.get());
    assert_eq!(list.body.draw.attempt, 1);
    (accusations, list)
}

/// One liar among the witnesses, once.
fn accused_for_part(change: impl Fn(&mut TriggerPart)) -> Misbehaviour {
    let world = World::new(40);
    let liar = world.trigger_witnesses(&[])[2];
    let (accusations, _) = draw_with(&world, |from, message| match message {
        Message::Part(_, _, part) if from == liar => {
            change(part);
            true
        }
        _ => false,
    });
    let [(by, of, what)] = accusations[..] else {
        panic!("not one accusation: {accusations:?}");
    };
    assert_eq!((by, of), (people().node(0), liar));
    what
}

#[test]
fn parts_are_checked_one_by_one() {
    use Misbehaviour as M;
    assert_eq!(accused_for_part(|p| p.proof.0[3] ^= 1), M::RandomProof);
    assert_eq!(accused_for_part(|p| p.signature.0[3] ^= 1), M::Signature);
    let late = START + DRAW_TOLERANCE * 2;
    assert_eq!(accused_for_part(|p| p.at = late), M::Time);
    assert_eq!(accused_for_part(|p| p.at = START - SECOND), M::Signature);
    let anothers = &people().identities[5].certificate;
    let swapped = accused_for_part(|p| p.certificate = anothers.clone());
    assert_eq!(swapped, M::Signature);
    let forged = accused_for_part(|p| {
        let mut der = p.certificate.der().to_vec();
        *der.last_mut().unwrap() ^= 1;
        p.certificate = crypto::Certificate::parse(&der).unwrap();
    });
    let why = ContactError::Certificate(CertificateError::BadSignature);
    assert_eq!(forged, M::Certificate(why));
}

/// A node certified a second time sits at two places, and may not choose.
#[test]
fn a_witness_stays_where_it_is_known_to_be() {
    let second = |part: &mut TriggerPart| {
        let identity = people().identity(part.certificate.node());
        let world = World::new(40);
        let descriptor = world.rules.community().descriptor();
        let community = &descriptor.community;
        let request = CertificateRequest::new(&identity.key, &identity.vrf.public(), community);
        let terms = Terms {
            rights: Rights { ask: true },
            valid_from: START - SECOND,
            valid_until: START + SECOND * 1000,
        };
        let mut rng = base::Rng::from_number(1);
        let certificate = enrol(&authority(), descriptor, &request, terms, &mut rng);
        part.certificate = certificate.unwrap();
    };
    assert_eq!(accused_for_part(second), Misbehaviour::NotLegitimate);
}

fn accused_for_list(change: impl Fn(&mut ActorList)) -> Misbehaviour {
    let world = World::new(40);
    let mut liar = None;
    let (accusations, list) = draw_with(&world, |from, message| match message {
        Message::List(list) => {
            change(list);
            liar = Some(from);
            true
        }
        _ => false,
    });
    assert_eq!(list.verify(&world.rules, list.body.at, plan(1)), Ok(()));
    let [(by, of, what)] = accusations[..] else {
        panic!("not one accusation: {accusations:?}");
    };
    assert_eq!((by, Some(of)), (people().node(0), liar));
    what
}

#[test]
fn lists_are_checked() {
    use Misbehaviour as M;
    let other_draw = accused_for_list(|l| l.body.draw.attempt = 7);
    assert_eq!(other_draw, M::OtherDraw);
    let other_random = accused_for_list(|l| l.body.random.0[0] ^= 1);
    assert_eq!(other_random, M::OtherDraw);
    let other_setter = accused_for_list(|l| l.body.setter = people().node(7));
    assert_eq!(other_setter, M::WrongSetter);
    assert_eq!(accused_for_list(|l| l.body.actors.truncate(8)), M::Seats);
    assert_eq!(accused_for_list(|l| l.body.actors.swap(0, 1)), M::Signature);
    assert_eq!(accused_for_list(|l| l.builders.swap(0, 1)), M::Order);
    assert_eq!(
        accused_for_list(|l| l.body.at = START - DRAW_TOLERANCE * 2),
        M::Time
    );
}

/// Any refusal by one liar, once, costs an attempt and not the draw.
#[test]
fn one_refusal_is_not_the_end() {
    let world = World::new(40);
    let nearest = world.trigger_witnesses(&[]);
    let stranger = people().node(150);
    for refusal in [
        Refusal::NotAnnounced,
        Refusal::TooEarly,
        Refusal::Busy,
        Refusal::Invalid,
        Refusal::TooManyDraws,
        Refusal::Unknown(stranger),
        Refusal::Unknown(nearest[0]),
        Refusal::SkippedIsAlive(nearest[1]),
        Refusal::Nearer(Box::new(contact(nearest[0]))),
    ] {
        for by_setter in [false, true] {
            let (accusations, _) = draw_with(&world, |from, message| {
                let draw = match message {
                    Message::Part(..) if !by_setter && from == nearest[2] => world.draw(1, 0),
                    Message::List(list) if by_setter => list.body.draw,
                    _ => return false,
                };
                *message = Message::Refused(Step::of_trigger(draw), refusal.clone());
                true
            });
            assert_eq!(accusations, []);
        }
    }
}

#[test]
fn a_forged_contact_is_seen() {
    let world = World::new(40);
    let liar = world.trigger_witnesses(&[])[1];
    let nearer = |contact: Contact| Refusal::Nearer(Box::new(contact));
    let (accusations, _) = draw_with(&world, |from, message| {
        let is_part = matches!(message, Message::Part(..)) && from == liar;
        if is_part {
            let refusal = nearer(forged(people().node(150)));
            *message = Message::Refused(Step::of_trigger(world.draw(1, 0)), refusal);
        }
        is_part
    });
    let what = Misbehaviour::Certificate(ContactError::Signature);
    assert_eq!(accusations, [(people().node(0), liar, what)]);
}

/// A witness that always lies can keep a trigger from drawing, and no longer than a draw takes.
#[test]
fn a_witness_that_always_lies_ends_the_draw() {
    let world = World::new(40);
    let liar = world.trigger_witnesses(&[])[1];
    let mut network = Network::meddled(&world, |from, _, message| {
        if let Message::Part(_, _, part) = message
            && from == liar
        {
            part.signature.0[0] ^= 1;
        }
        true
    });
    assert_eq!(network.draw(1, 9), Err(Failure::TooManyAttempts));
    assert!(network.now < START + SECOND * 10);
    let accusations = network.accusations();
    assert_eq!(accusations.len(), 8);
    assert!(accusations.iter().all(|(_, of, _)| *of == liar));
}

/// Nobody who was not asked can stop or change a draw.
#[test]
fn strangers_are_not_heard() {
    let world = World::new(40);
    let honest = Network::new(&world).draw(1, 9).unwrap();
    let trigger = people().node(0);
    let far = |node: &NodeId| {
        let asked = world.trigger_witnesses(&[]);
        !asked.contains(node) && *node != honest.body.setter
    };
    let stranger = (1..40).map(|p| people().node(p)).find(far).unwrap();
    let mut network = Network::new(&world);
    network.start(1, 9);
    let draw = world.draw(1, 0);
    let part = world.random(draw, START).0.parts[0].clone();
    let refuse = |draw: Draw, why| Message::Refused(Step::of_trigger(draw), why);
    loop {
        for message in [
            refuse(draw, Refusal::TooManyDraws),
            refuse(world.draw(1, 1), Refusal::Invalid),
            Message::SetterGaveUp(draw, Site::FIRST),
            Message::List(Box::new(honest.clone())),
            Message::Part(plan(1), 0, Box::new(part.clone())),
            Message::Part(plan(2), 0, Box::new(part.clone())),
        ] {
            network.send(stranger, trigger, message);
        }
        let until = network.now + SECOND / 50;
        network.run_for(until.since(network.now));
        if network.nodes[&trigger].is_at_rest() {
            break;
        }
    }
    assert_eq!(network.finish(1), Ok(honest));
    assert_eq!(network.accusations(), []);
}

/// A refusal that comes late, or early, is of another attempt.
#[test]
fn refusals_of_other_attempts_are_not_heard() {
    let world = World::new(40);
    let mut network = Network::new(&world);
    network.start(1, 9);
    for witness in world.trigger_witnesses(&[]) {
        for draw in [world.draw(1, 1), world.draw(2, 0)] {
            let refusal = Message::Refused(Step::of_trigger(draw), Refusal::Invalid);
            network.send(witness, people().node(0), refusal);
        }
    }
    let honest = Network::new(&world).draw(1, 9);
    assert_eq!(network.finish(1), honest);
}
