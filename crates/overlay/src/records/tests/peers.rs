//! One node, and peers who send records that do not hold.

use base::{Input, Location, NodeId};
use community::{Contact, ContactError, ISSUED_AHEAD_MAX, Identity};
use crypto::{CertificateError, SigningKey};

use super::{community, entry, place, record};
use crate::AtMost;
use crate::distrust::DISTRUST;
use crate::records::{
    Entry, KEY_MAX, LIFE_MAX, Message, Owner, REQUESTS_MAX, Record, RecordError, VALUE_MAX,
};
use crate::spreading::breach::SpreadingBreach;
use crate::spreading::tests::victim::Victim;
use crate::spreading::tests::world::{DAY, SECOND, START, TICK, contact, world};
use crate::spreading::{self, Command, Event, Timer};

fn peer(person: usize) -> NodeId {
    world().people[person].node()
}

fn records(message: Message) -> spreading::Message {
    spreading::Message::Records(message)
}

fn store(record: &Record) -> spreading::Message {
    records(Message::Store(Box::new(record.clone())))
}

fn fetched(at: Location, record: Option<&Record>) -> spreading::Message {
    let record = record.cloned().map(Box::new);
    records(Message::Fetched(at, record))
}

fn by(identity: &Identity) -> Record {
    let owner = Owner::Member(identity.certificate.clone());
    Record::new(owner, &identity.key, &community(), entry(b"key", b"value"))
}

fn good() -> Record {
    record(4, entry(b"key", b"value"))
}

/// Each kind of bad record, with what is wrong with it.
fn bad_records() -> Vec<(Record, SpreadingBreach)> {
    let world = world();
    let certificate = |why: CertificateError| SpreadingBreach::from(ContactError::from(why));
    let usurper = SigningKey::from_seed([9; 32]);
    let usurped = Owner::Authority(usurper.node());
    let usurped = Record::new(usurped, &usurper, &community(), entry(b"epoch", b"8"));
    let authority = Owner::Authority(world.authority.node());
    let forged = Record::new(authority, &usurper, &community(), entry(b"epoch", b"8"));
    let of = |change: &dyn Fn(&mut Entry<'_>)| {
        let mut entry = entry(b"key", b"value");
        change(&mut entry);
        record(4, entry)
    };
    let long_ago = START - 2 * ISSUED_AHEAD_MAX;
    let future = START + ISSUED_AHEAD_MAX + TICK;
    vec![
        (
            of(&|e| e.key = &[0; KEY_MAX + 1]),
            SpreadingBreach::KeyTooLong,
        ),
        (
            of(&|e| e.value = &[0; VALUE_MAX + 1]),
            SpreadingBreach::ValueTooLong,
        ),
        (of(&|e| e.expires = e.issued), SpreadingBreach::Lifetime),
        (
            of(&|e| e.expires = e.issued - TICK),
            SpreadingBreach::Lifetime,
        ),
        (
            of(&|e| e.expires = e.issued + LIFE_MAX + TICK),
            SpreadingBreach::Lifetime,
        ),
        (of(&|e| e.issued = future), SpreadingBreach::FromTheFuture),
        (
            of(&|e| (e.issued, e.expires) = (long_ago, START - ISSUED_AHEAD_MAX - TICK)),
            SpreadingBreach::Expired,
        ),
        (by(&world.revoked), ContactError::Revoked.into()),
        (by(&world.expired), certificate(CertificateError::Expired)),
        (
            by(&world.foreigner),
            certificate(CertificateError::NotOfThisCommunity),
        ),
        (
            by(&world.usurped),
            certificate(CertificateError::UnknownIssuer),
        ),
        (usurped, SpreadingBreach::NotTheAuthority),
        (forged, SpreadingBreach::Signature),
        (good().forged(), SpreadingBreach::Signature),
    ]
}

#[test]
fn what_does_not_hold_is_named_and_not_kept() {
    for (case, (bad, what)) in bad_records().into_iter().enumerate() {
        let mut victim = Victim::new(8);
        // What has expired is not looked at, unless one asked for it.
        let is_old = bad.expires() < START;
        victim.hear(peer(6), &store(&bad));
        let blamed = if is_old {
            vec![]
        } else {
            vec![(peer(6), what)]
        };
        assert_eq!(victim.take_blamed(), blamed, "case {case}");
        assert!(victim.take_sent().is_empty() && victim.overlay.kept() == 0);

        victim = Victim::new(8);
        victim.command(Command::Get(place(&bad)));
        victim.hear(peer(6), &fetched(place(&bad), Some(&bad)));
        assert_eq!(victim.take_blamed(), [(peer(6), what)], "case {case}");

        victim.command(Command::Put(Box::new(bad)));
        let events = victim.take_events();
        assert!(
            matches!(&events[..], [Event::RecordFailed(RecordError::Invalid(why))] if *why == what)
        );
    }
}

#[test]
fn the_signature_covers_everything() {
    let differing = |key: &[u8], value: &[u8], later: u32| {
        let mut entry = entry(key, value);
        entry.expires = START + DAY + later * TICK;
        record(4, entry)
    };
    let good = differing(b"key", b"value", 0);
    let bytes = base::encode(&good);
    assert_eq!(good.verify(world().community.descriptor(), START), Ok(()));
    let mut refused = 0;
    for at in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[at] ^= 1;
        if let Ok(record) = base::decode::<Record>(&damaged, bytes.len()) {
            let result = record.verify(world().community.descriptor(), START);
            assert!(result.is_err(), "byte {at}");
            refused += 1;
        }
    }
    assert!(refused > 100);
    let elsewhere = base::Digest::of("another", &[]);
    let owner = Owner::Member(world().people[4].certificate.clone());
    let key = &world().people[4].key;
    let foreign = Record::new(owner, key, &elsewhere, entry(b"key", b"value"));
    let result = foreign.verify(world().community.descriptor(), START);
    assert_eq!(result, Err(SpreadingBreach::Signature));
}

#[test]
fn records_may_be_at_their_limits() {
    let limit = Entry {
        key: &[0; KEY_MAX],
        value: &[0; VALUE_MAX],
        issued: START + ISSUED_AHEAD_MAX,
        expires: START + ISSUED_AHEAD_MAX + LIFE_MAX,
    };
    let mut victim = Victim::new(8);
    let record = record(4, limit);
    victim.hear(peer(6), &store(&record));
    assert_eq!(victim.overlay.record(place(&record), START), Some(&record));
    let stored = records(Message::Stored(place(&record), record.issued()));
    assert_eq!(victim.take_sent(), [(peer(6), stored)]);
}

/// What is kept already is not checked again, and what is older is not taken.
#[test]
fn only_later_words_are_checked() {
    let said = |later: u32, value: &[u8]| {
        record(
            4,
            Entry {
                issued: START + later * TICK,
                ..entry(b"key", value)
            },
        )
    };
    let mut victim = Victim::new(8);
    victim.hear(peer(6), &store(&said(1, b"kept")));
    victim.take_sent();
    victim.hear(peer(6), &store(&said(0, b"older").forged()));
    assert!(victim.take_events().is_empty() && victim.take_sent().is_empty());
    victim.hear(peer(6), &store(&said(1, b"kept")));
    assert_eq!(victim.take_sent().len(), 1);
    victim.hear(peer(6), &store(&said(2, b"later").forged()));
    assert_eq!(
        victim.take_blamed(),
        [(peer(6), SpreadingBreach::Signature)]
    );
    // For a while the forger's records are not checked.
    victim.hear(peer(6), &store(&said(2, b"later")));
    assert!(victim.take_sent().is_empty());
    victim.now = START + DISTRUST;
    victim.hear(peer(6), &store(&said(2, b"later")));
    let at = place(&said(2, b"later"));
    assert_eq!(victim.overlay.record(at, START).unwrap().value(), b"later");
}

#[test]
fn of_many_answers_the_latest_that_holds_counts() {
    let said = |later: u32, value: &[u8]| {
        record(
            4,
            Entry {
                issued: START + later * TICK,
                ..entry(b"key", value)
            },
        )
    };
    let (old, new, other) = (
        said(1, b"old"),
        said(2, b"new"),
        record(4, entry(b"other", b"")),
    );
    let at = place(&old);
    let mut victim = Victim::new(9);
    victim.command(Command::Get(at));
    let mut asked = victim.take_sent().into_iter().map(|(node, _)| node);
    let mut answer = |victim: &mut Victim, record: Option<&Record>| {
        let node = asked.next().unwrap();
        victim.hear(node, &fetched(at, record));
        node
    };
    let liar = answer(&mut victim, Some(&said(3, b"forged").forged()));
    assert_eq!(victim.take_blamed(), [(liar, SpreadingBreach::Signature)]);
    let liar = answer(&mut victim, Some(&other));
    assert_eq!(victim.take_blamed(), [(liar, SpreadingBreach::OtherRecord)]);
    let first = answer(&mut victim, Some(&new));
    // Of answers that were not asked for nothing is taken.
    victim.hear(first, &fetched(at, Some(&said(9, b"more"))));
    victim.hear(peer(200), &fetched(at, Some(&said(9, b"more"))));
    assert!(victim.take_events().is_empty());
    answer(&mut victim, Some(&old));
    answer(&mut victim, None);
    let events = victim.take_events();
    assert!(
        matches!(&events[..], [Event::Got(place, Some(found))] if *place == at && **found == new)
    );
}

fn far_victim() -> (Victim, Location) {
    let mut victim = Victim::new(1);
    victim.overlay = world().overlay(0, 0.01);
    let far = Location(world().contacts[0].location().0.wrapping_add(1 << 63));
    (victim, far)
}

#[test]
fn contacts_on_the_way_are_checked() {
    let forged = |person: usize| {
        let mine = &world().people[person];
        let other = &world().people[person + 1];
        Contact::new(&other.key, mine.certificate.clone(), vec![], START)
    };
    let revoked = (*contact(&world().revoked)).clone();
    let bad = [
        (
            forged(9),
            SpreadingBreach::Certificate(ContactError::Signature),
        ),
        (revoked, SpreadingBreach::Certificate(ContactError::Revoked)),
    ];
    for (bad, what) in bad {
        let (mut victim, far) = far_victim();
        victim.command(Command::Get(far));
        assert!(matches!(&victim.take_events()[..], [Event::Find(place)] if *place == far));
        let found = vec![world().contacts[6].clone(), world().contacts[7].clone()];
        victim.command(Command::Found(far, found));
        assert_eq!(victim.take_sent().len(), 2);
        let good = (*world().contacts[8]).clone();
        let contacts = AtMost::first_of(vec![good, bad]);
        victim.hear(peer(6), &records(Message::Near(far, contacts.clone())));
        assert_eq!(victim.take_blamed(), [(peer(6), what)]);
        // Again, and from somebody who was not asked.
        victim.hear(peer(6), &records(Message::Near(far, contacts.clone())));
        victim.hear(peer(9), &records(Message::Near(far, contacts)));
        assert!(victim.take_blamed().is_empty() && victim.take_sent().is_empty());
        victim.hear(
            peer(7),
            &records(Message::Near(far, AtMost::first_of(vec![]))),
        );
        // Three are known, and asked.
        let fetch = records(Message::Fetch(far));
        let asked: Vec<_> = victim.take_sent();
        assert_eq!(asked.len(), 3);
        assert!(asked.iter().all(|(_, message)| *message == fetch));
    }
}

#[test]
fn a_search_goes_on_without_those_who_do_not_answer() {
    let (mut victim, far) = far_victim();
    victim.command(Command::Get(far));
    victim.command(Command::Found(far, vec![world().contacts[6].clone()]));
    victim.take_sent();
    victim.input(Input::Unreachable(peer(6)));
    // Nobody is left to ask.
    let events = victim.take_events();
    assert!(
        matches!(events.last(), Some(Event::Got(_, None))),
        "{events:?}"
    );
    // Silence: those who were found are asked themselves.
    victim.command(Command::Get(far));
    victim.command(Command::Found(far, vec![world().contacts[7].clone()]));
    victim.take_sent();
    victim.now = START + 60 * SECOND;
    victim.timer(Timer::Request(2));
    assert_eq!(
        victim.take_sent(),
        [(peer(7), records(Message::Fetch(far)))]
    );
    victim.now = START + 120 * SECOND;
    victim.take_events();
    victim.timer(Timer::Request(2));
    assert!(matches!(&victim.take_events()[..], [Event::Got(_, None)]));
}

/// A lookup may find nobody, or ourselves.
#[test]
fn a_search_can_end_at_home() {
    let (mut victim, far) = far_victim();
    victim.command(Command::Get(far));
    victim.take_events();
    victim.command(Command::Found(far, vec![]));
    assert!(matches!(&victim.take_events()[..], [Event::Got(_, None)]));
    let record = good();
    victim.command(Command::Put(Box::new(record.clone())));
    victim.take_events();
    let own = world().contacts[0].clone();
    victim.command(Command::Found(place(&record), vec![own]));
    let events = victim.take_events();
    assert!(
        matches!(&events[..], [Event::Stored { copies: 1, .. }]),
        "{events:?}"
    );
    // An answer that nobody waits for asks nobody.
    victim.command(Command::Found(far, vec![world().contacts[6].clone()]));
    assert!(victim.take_events().is_empty() && victim.take_sent().is_empty());
}

#[test]
fn only_so_many_requests_at_a_time() {
    let (mut victim, far) = far_victim();
    for _ in 0..REQUESTS_MAX {
        victim.command(Command::Get(far));
    }
    assert_eq!(victim.take_events().len(), REQUESTS_MAX);
    victim.command(Command::Get(far));
    let busy = victim.take_events();
    assert!(matches!(
        &busy[..],
        [Event::RecordFailed(RecordError::Busy)]
    ));
    // All end in time.
    victim.now = START + 60 * SECOND;
    for number in 1..=REQUESTS_MAX as u64 {
        victim.timer(Timer::Request(number));
    }
    assert_eq!(victim.take_events().len(), REQUESTS_MAX);
    victim.command(Command::Get(far));
    assert!(matches!(&victim.take_events()[..], [Event::Find(_)]));
}
