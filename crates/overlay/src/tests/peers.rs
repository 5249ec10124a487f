//! One member, and peers who send what they should not.

use base::{
    Digest, Duration, Input, Instant, NodeId, Outbox, Output, Protocol as _, Rng, decode, encode,
};
use community::{ADDRESSES_MAX, Contact, ContactError, Identity};
use crypto::{Certificate, CertificateError, Signature, SigningKey};
use minicbor::{Decode, Encode};

use super::world::{START, World, contact};
use crate::AtMost;
use crate::membership::{
    CHANGE_EVERY, CONTACTS_MAX, DISTRUST, Message, Name, REFUSED_MAX, cache_limit,
};
use crate::ring::say;
use crate::ring::{Command, Event, Ring};
use crate::view::CACHE_MAX;

const SECOND: Duration = Duration::from_secs(1);

/// A contact as it is encoded, with every field open.
#[derive(Encode, Decode)]
#[cbor(map)]
struct Open {
    #[n(0)]
    certificate: Certificate,
    #[n(1)]
    addresses: Vec<std::net::SocketAddr>,
    #[n(2)]
    issued: Instant,
    #[n(3)]
    signature: Signature,
}

fn changed(contact: &Contact, change: impl FnOnce(&mut Open)) -> Contact {
    let mut open: Open = decode(&encode(contact), 4096).unwrap();
    change(&mut open);
    decode(&encode(&open), 4096).unwrap()
}

/// The same with other addresses that the node did not sign.
pub fn forged(contact: &Contact) -> Contact {
    changed(contact, |open| open.addresses = vec![World::address(666)])
}

/// One member, and what it says.
struct Victim {
    member: Ring,
    now: Instant,
    sent: Vec<(NodeId, Message)>,
    refused: Vec<(NodeId, ContactError)>,
    known: usize,
    namesakes: Vec<Contact>,
}

impl Victim {
    fn new(world: &World) -> Self {
        let mut victim = Self {
            member: world.overlay(0, START),
            now: START,
            sent: vec![],
            refused: vec![],
            known: 0,
            namesakes: vec![],
        };
        victim.input(Input::Command(Command::Join(vec![])));
        victim
    }

    fn input(&mut self, input: Input<Ring>) {
        let mut out = Outbox::new();
        self.member.handle(self.now, input, &mut out);
        for output in out.drain() {
            match output {
                Output::Send {
                    to,
                    message: crate::ring::Message::Membership(message),
                } => self.sent.push((to, message)),
                Output::Send { .. } => {}
                Output::Event(Event::Refused { from, why }) => self.refused.push((from, why)),
                Output::Event(Event::Known(_)) => self.known += 1,
                Output::Event(Event::Namesake(contact)) => {
                    self.namesakes.push((*contact).clone());
                }
                Output::Wake { .. } | Output::Event(_) => {}
            }
        }
    }

    fn hear(&mut self, from: NodeId, message: &Message) {
        let message = decode(&encode(&say(message.clone())), 4 << 20).unwrap();
        self.input(Input::Message { from, message });
    }

    fn hear_of(&mut self, from: NodeId, contacts: &[Contact]) {
        self.hear(from, &Message::Members(AtMost::first_of(contacts.to_vec())));
    }

    fn knows(&self, node: NodeId) -> bool {
        self.member.cache().contains(node)
    }
}

/// Each kind of bad contact, with why it is refused. The world is the victim's.
fn bad_contacts(world: &mut World) -> Vec<(Contact, ContactError)> {
    let good = |identity: &Identity| contact(identity, World::address(5), START);
    let fine = world.enrol(START + SECOND);
    let expired = world.enrol(START - SECOND);
    let revoked = world.enrol(START + SECOND);
    world.descriptor.revoked.push(revoked.node());

    let mut elsewhere = World::new(0);
    elsewhere.rng = Rng::from_number(8);
    elsewhere.descriptor.community = Digest::of("another", &[]);
    let foreigner = elsewhere.enrol(START + SECOND);
    let mut usurper = World::new(0);
    usurper.rng = Rng::from_number(9);
    usurper.authority = SigningKey::from_seed([9; 32]);
    let usurped = usurper.enrol(START + SECOND);
    let der = fine.certificate.der();
    let last = der.len() - 1;
    let mut der = der.to_vec();
    der[last] ^= 1;
    let unsigned = Certificate::parse(&der).unwrap();

    let certificate = |why| ContactError::Certificate(why);
    let many = vec![World::address(5); ADDRESSES_MAX + 1];
    vec![
        (forged(&good(&fine)), ContactError::Signature),
        (
            changed(&good(&fine), |open| open.issued = START + SECOND),
            ContactError::Signature,
        ),
        (
            changed(&good(&fine), |open| open.addresses = many),
            ContactError::TooManyAddresses,
        ),
        (
            changed(&good(&fine), |open| open.certificate = unsigned),
            certificate(CertificateError::BadSignature),
        ),
        (
            contact(&fine, World::address(5), START + 3600 * SECOND),
            ContactError::FromTheFuture,
        ),
        (good(&revoked), ContactError::Revoked),
        (good(&expired), certificate(CertificateError::Expired)),
        (
            good(&foreigner),
            certificate(CertificateError::NotOfThisCommunity),
        ),
        (good(&usurped), certificate(CertificateError::UnknownIssuer)),
    ]
}

#[test]
fn bad_contacts_never_enter() {
    let mut world = World::new(2);
    let bad = bad_contacts(&mut world);
    let from = world.node(1);
    for (contact, why) in &bad {
        for message in [
            Message::Hello(Box::new(contact.clone()), None),
            Message::Members(AtMost::first_of(vec![contact.clone()])),
        ] {
            let mut victim = Victim::new(&world);
            victim.hear(from, &message);
            assert_eq!(victim.refused, [(from, *why)]);
            assert_eq!((victim.known, victim.member.cache().len()), (0, 1));
        }
    }
    // None of them replaces what is known either.
    let mut victim = Victim::new(&world);
    let known = world.contact(1, START - SECOND);
    victim.hear_of(from, std::slice::from_ref(&known));
    victim.hear_of(from, &[forged(&world.contact(1, START))]);
    assert_eq!(**victim.member.cache().get(from).unwrap(), known);
}

#[test]
fn a_bad_signature_costs_its_sender_the_rest() {
    let world = World::new(5);
    let mut victim = Victim::new(&world);
    let [good, other, late] = [2, 3, 4].map(|person| world.contact(person, START));
    let bad = forged(&other);
    let (liar, honest) = (world.node(1), world.node(2));
    victim.hear_of(liar, &[good.clone(), bad.clone(), other.clone()]);
    assert!(victim.knows(good.node()) && !victim.knows(other.node()));
    // The same again, a thousand times: nothing is read any more.
    for _ in 0..1000 {
        victim.hear_of(liar, &[bad.clone(), other.clone()]);
    }
    victim.hear(liar, &Message::Hello(Box::new(other.clone()), None));
    assert_eq!(victim.refused, [(liar, ContactError::Signature)]);
    assert!(!victim.knows(other.node()));
    // Others are listened to, and later the liar is again.
    victim.hear_of(honest, std::slice::from_ref(&other));
    assert!(victim.knows(other.node()));
    victim.now = victim.now + DISTRUST;
    victim.hear_of(liar, std::slice::from_ref(&late));
    assert!(victim.knows(late.node()));
}

#[test]
fn what_costs_no_signature_check_is_told_once_and_stops_nothing() {
    let mut world = World::new(3);
    let expired = world.enrol(START - SECOND);
    let expired = contact(&expired, World::address(9), START);
    let mut victim = Victim::new(&world);
    let from = world.node(1);
    for _ in 0..1000 {
        victim.hear_of(from, &[expired.clone(), expired.clone()]);
    }
    assert_eq!(victim.refused.len(), 1);
    victim.hear_of(from, &[expired.clone(), world.contact(2, START)]);
    assert!(victim.knows(world.node(2)));
    // A bad signature is worth a second word.
    victim.hear_of(from, &[forged(&world.contact(1, START))]);
    victim.hear_of(from, &[forged(&world.contact(1, START)), expired]);
    assert_eq!(victim.refused.len(), 2);
}

#[test]
fn what_is_remembered_of_liars_is_limited() {
    let world = World::new(2);
    let mut victim = Victim::new(&world);
    let bad = forged(&world.contact(1, START));
    for number in 0..REFUSED_MAX as u64 + 50 {
        let from = NodeId(Digest::of("liar", &[&number.to_be_bytes()]).0);
        victim.hear_of(from, std::slice::from_ref(&bad));
    }
    assert_eq!(victim.member.distrusted(), REFUSED_MAX);
}

#[test]
fn a_flood_of_certified_nodes_stops_at_the_limit() {
    let mut world = World::new(2);
    let mut victim = Victim::new(&world);
    let from = world.node(1);
    victim.hear_of(from, &[world.contact(1, START - SECOND)]);
    // Caches of 1000 take twice as many, and some.
    let limit = cache_limit(1000);
    for _ in 0..limit / CONTACTS_MAX + 1 {
        let flood: Vec<_> = (0..CONTACTS_MAX)
            .map(|_| contact(&world.enrol(START + SECOND), World::address(5), START))
            .collect();
        victim.hear_of(from, &flood);
    }
    assert_eq!(victim.member.cache().len(), limit);
    // Known nodes still get through.
    victim.hear_of(from, &[world.contact(1, START)]);
    let kept = victim.member.cache().get(from).unwrap();
    assert_eq!(kept.issued(), START);
}

#[test]
fn older_contacts_never_replace_newer_ones() {
    let world = World::new(2);
    let mut victim = Victim::new(&world);
    let from = world.node(1);
    let issued = |victim: &Victim| victim.member.cache().get(from).unwrap().issued();
    for (says, holds) in [(10, 10), (9, 10), (10, 10), (0, 10), (11, 11), (10, 11)] {
        victim.hear_of(from, &[world.contact(1, START + says * SECOND)]);
        victim.now = victim.now + CHANGE_EVERY;
        assert_eq!(issued(&victim), START + holds * SECOND);
    }
    assert_eq!(victim.known, 2);
}

#[test]
fn a_clock_that_is_ahead_does_not_freeze_a_node() {
    let world = World::new(2);
    let mut victim = Victim::new(&world);
    let from = world.node(1);
    let (year, ahead) = (365 * 24 * 3600 * SECOND, community::ISSUED_AHEAD_MAX);
    victim.hear_of(from, &[world.contact(1, START + year)]);
    victim.hear_of(from, &[world.contact(1, Instant(u64::MAX))]);
    assert_eq!(victim.refused, [(from, ContactError::FromTheFuture)]);
    victim.hear_of(from, &[world.contact(1, START + ahead)]);
    assert!(victim.knows(from));
    victim.now = START + ahead + SECOND;
    victim.hear_of(from, &[world.contact(1, victim.now)]);
    let kept = victim.member.cache().get(from).unwrap();
    assert_eq!(kept.issued(), victim.now);
}

/// Every change costs all members two signature checks and a message.
#[test]
fn a_node_that_changes_all_the_time_is_heard_rarely() {
    let world = World::new(2);
    let mut victim = Victim::new(&world);
    let from = world.node(1);
    for step in 0..1000 {
        victim.now = START + step * Duration::from_millis(10);
        victim.hear_of(from, &[world.contact(1, victim.now)]);
    }
    // Known, changed at once, then every two seconds.
    assert_eq!(victim.known, 1 + 5);
    assert_eq!(victim.refused, []);
}

#[test]
fn lists_that_are_too_long_are_not_read() {
    let world = World::new(1);
    let contacts = |n| vec![world.contact(0, START); n];
    let bytes = |n| encode(&(4u8, (contacts(n),)));
    let longest = Message::Members(AtMost::first_of(contacts(CONTACTS_MAX + 5)));
    assert_eq!(encode(&longest), bytes(CONTACTS_MAX));
    assert_eq!(decode(&bytes(CONTACTS_MAX), 4 << 20), Ok(longest));
    assert!(decode::<Message>(&bytes(CONTACTS_MAX + 1), 4 << 20).is_err());
    for kind in [2u8, 3] {
        let names = |n: usize| encode(&(kind, (vec![7u64; n],)));
        assert!(decode::<Message>(&names(CACHE_MAX), 1 << 20).is_ok());
        assert!(decode::<Message>(&names(CACHE_MAX + 1), 1 << 20).is_err());
    }
    // A list that promises more than it holds, and one without a length.
    for list in [
        &[0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff][..],
        &[0x9f, 0xff],
    ] {
        let bytes = [&[base::VERSION, 0x82, 0x02, 0x81], list].concat();
        assert!(decode::<Message>(&bytes, 99).is_err());
    }
}

#[test]
fn what_is_larger_than_a_message_is_handed_over_whole() {
    let size = CONTACTS_MAX + 40;
    let world = World::new(size);
    let mut victim = Victim::new(&world);
    let all: Vec<_> = (0..size).map(|p| world.contact(p, START)).collect();
    let names = all.iter().map(|contact| Name::of(&contact.digest()));
    let want = Message::Want(AtMost::first_of(names.collect()));
    victim.input(Input::Command(Command::Know(all)));
    victim.sent.clear();
    victim.hear(world.node(1), &want);
    let sizes = victim.sent.iter().map(|(_, message)| match message {
        Message::Members(contacts) => contacts.len(),
        _ => 0,
    });
    assert_eq!(sizes.collect::<Vec<_>>(), [CONTACTS_MAX, 40]);
}

#[test]
fn answers_hold_what_the_peer_lacks_and_no_more() {
    let world = World::new(4);
    let mut victim = Victim::new(&world);
    let all: Vec<_> = (0..4).map(|person| world.contact(person, START)).collect();
    victim.hear_of(world.node(1), &all);
    victim.sent.clear();
    let from = world.node(1);
    let name = |person: usize| Name::of(&all[person].digest());
    let mut answers = |message| {
        victim.hear(from, &message);
        let sent = std::mem::take(&mut victim.sent);
        assert!(sent.iter().all(|(to, _)| *to == from));
        sent.into_iter()
            .map(|(_, message)| message)
            .collect::<Vec<_>>()
    };
    let sorted = |mut persons: Vec<usize>| {
        persons.sort_by_key(|person| all[*person].location());
        persons
    };
    let members = |persons: Vec<usize>| {
        let contacts = sorted(persons).into_iter().map(|p| all[p].clone());
        Message::Members(AtMost::first_of(contacts.collect()))
    };
    let stranger = Name::of(&Digest::of("stranger", &[]));

    let names = sorted(vec![0, 1, 2, 3]).into_iter().map(name).collect();
    let have = Message::Have(AtMost::first_of(names));
    let names = std::slice::from_ref(&have);
    assert_eq!(answers(Message::Compare(Digest([0; 32]))), names);
    assert_eq!(answers(Message::Hello(Box::new(all[1].clone()), None)), []);
    assert_eq!(answers(have), []);
    let some = AtMost::first_of(vec![name(3), stranger, name(0)]);
    assert_eq!(
        answers(Message::Have(some.clone())),
        [
            members(vec![1, 2]),
            Message::Want(AtMost::first_of(vec![stranger]))
        ]
    );
    assert_eq!(answers(Message::Want(some)), [members(vec![0, 3])]);
    let nothing = AtMost::first_of(vec![stranger; CACHE_MAX]);
    assert_eq!(answers(Message::Want(nothing)), []);
    let summary = victim.member.cache().summary();
    victim.hear(from, &Message::Compare(summary));
    assert_eq!(victim.sent, []);
}

#[test]
fn what_others_say_of_our_own_name_is_told_if_it_is_ours_and_not_of_this_run() {
    let world = World::new(3);
    let own = |address, at| contact(&world.people[0], World::address(address), at);
    let (from, other) = (world.people[1].node(), world.people[2].node());
    let mut victim = Victim::new(&world);
    let said = victim.member.own().clone();
    // What we say ourselves is no news, and what we did not sign is a forgery.
    let forgery = forged(&own(7, START + SECOND));
    victim.hear_of(from, std::slice::from_ref(&said));
    victim.hear_of(from, std::slice::from_ref(&forgery));
    assert!(victim.namesakes.is_empty());
    assert_eq!(victim.refused.len(), 1);
    // An earlier run, and a later one: told once in a row, and never taken for us.
    let before = own(8, START - 60 * SECOND);
    let later = own(9, START + SECOND);
    for heard in [&before, &before, &later, &before] {
        victim.hear_of(other, std::slice::from_ref(heard));
    }
    assert_eq!(victim.namesakes, [before.clone(), later, before]);
    assert!(*victim.member.own() == said);
    assert!(victim.knows(said.node()));
}
