//! One node, and peers who send what no honest one does.

use base::{Digest, Instant, NodeId};
use community::{ContactError, ISSUED_AHEAD_MAX, Identity};
use crypto::{Certificate, CertificateError};

use crate::broadcast::{AGE_MAX, Announcement, BROADCASTS_MAX, Message, PAYLOAD_MAX, Span};
use crate::distrust::DISTRUST;
use crate::spreading::breach::SpreadingBreach;
use crate::spreading::tests::victim::Victim;
use crate::spreading::tests::world::{SECOND, START, TICK, World, world};
use crate::spreading::{self, Command, Event};

pub fn peer(person: usize) -> NodeId {
    world().people[person].node()
}

pub fn pass(announcement: &Announcement) -> spreading::Message {
    let span = Span::all_but(world().contacts[0].location());
    spreading::Message::Broadcast(Message::Pass(announcement.clone(), span))
}

pub fn give(announcement: &Announcement) -> spreading::Message {
    spreading::Message::Broadcast(Message::Give(announcement.clone()))
}

/// What the fourth of the people says.
pub fn good(issued: Instant) -> Announcement {
    Announcement::new(&world().people[4], issued, b"hello".to_vec())
}

fn says(identity: &Identity) -> Announcement {
    Announcement::new(identity, START, b"hello".to_vec())
}

/// Each kind of bad announcement, with what is wrong with it.
fn bad_announcements(world: &World) -> Vec<(Announcement, SpreadingBreach)> {
    let certificate = |why: CertificateError| SpreadingBreach::from(ContactError::from(why));
    let mut der = world.people[4].certificate.der().to_vec();
    *der.last_mut().unwrap() ^= 1;
    let unsigned = Certificate::parse(&der).unwrap();
    let other = world.people[5].certificate.clone();
    let long = vec![0; PAYLOAD_MAX + 1];
    let future = START + ISSUED_AHEAD_MAX + TICK;
    let past = START - AGE_MAX - ISSUED_AHEAD_MAX - TICK;
    let good = good(START);
    vec![
        (
            Announcement::new(&world.people[4], START, long),
            SpreadingBreach::PayloadTooLong,
        ),
        (self::good(future), SpreadingBreach::FromTheFuture),
        (self::good(past), SpreadingBreach::Stale),
        (says(&world.revoked), ContactError::Revoked.into()),
        (says(&world.expired), certificate(CertificateError::Expired)),
        (
            says(&world.foreigner),
            certificate(CertificateError::NotOfThisCommunity),
        ),
        (
            says(&world.usurped),
            certificate(CertificateError::UnknownIssuer),
        ),
        (
            good.changed(|body| body.certificate = unsigned),
            certificate(CertificateError::BadSignature),
        ),
        (
            good.changed(|body| body.payload = b"jello".to_vec().into()),
            SpreadingBreach::Signature,
        ),
        (
            good.changed(|body| body.issued = START + TICK),
            SpreadingBreach::Signature,
        ),
        (
            good.changed(|body| body.certificate = other),
            SpreadingBreach::Signature,
        ),
        (
            good.changed(|body| body.signature.0[3] ^= 1),
            SpreadingBreach::Signature,
        ),
    ]
}

#[test]
fn what_does_not_hold_is_named_and_goes_no_further() {
    for (case, (bad, what)) in bad_announcements(world()).into_iter().enumerate() {
        for message in [pass(&bad), give(&bad)] {
            let mut victim = Victim::new(20);
            victim.hear(peer(6), &message);
            assert_eq!(victim.take_blamed(), [(peer(6), what)], "case {case}");
            assert!(victim.take_sent().is_empty(), "case {case}");
        }
    }
}

#[test]
fn clocks_and_lengths_may_be_at_their_limits() {
    let longest = vec![0; PAYLOAD_MAX];
    for announcement in [
        good(START + ISSUED_AHEAD_MAX),
        good(START - AGE_MAX - ISSUED_AHEAD_MAX),
        Announcement::new(&world().people[4], START, longest),
    ] {
        let mut victim = Victim::new(20);
        victim.hear(peer(6), &pass(&announcement));
        let events = victim.take_events();
        assert!(matches!(&events[..], [Event::Heard { from, payload }]
                if *from == peer(4) && payload == announcement.payload()));
    }
}

/// An honest node whose clock is right does not pass on what others may hold to be stale.
#[test]
fn what_is_too_old_is_heard_but_not_passed_on() {
    for (age, passed) in [(AGE_MAX, true), (AGE_MAX + TICK, false)] {
        let mut victim = Victim::new(20);
        victim.hear(peer(6), &pass(&good(START - age)));
        assert!(matches!(&victim.take_events()[..], [Event::Heard { .. }]));
        let passes = |(_, message): &&(NodeId, spreading::Message)| {
            matches!(message, spreading::Message::Broadcast(Message::Pass(..)))
        };
        let sent = victim.take_sent();
        assert_eq!(sent.iter().any(|sent| passes(&sent)), passed);
    }
}

/// Whoever sends a known broadcast again could send a bad signature with it: it is not looked at.
#[test]
fn duplicates_cost_no_signature_check() {
    let mut victim = Victim::new(20);
    let announcement = good(START);
    victim.hear(peer(6), &pass(&announcement));
    assert!(matches!(&victim.take_events()[..], [Event::Heard { .. }]));
    let spoiled = announcement.changed(|body| body.signature.0[3] ^= 1);
    assert_eq!(spoiled.id(), announcement.id());
    victim.hear(peer(7), &pass(&spoiled));
    victim.hear(peer(7), &give(&spoiled));
    assert!(victim.take_events().is_empty());
}

#[test]
fn who_forges_is_not_listened_to_for_a_while() {
    let mut victim = Victim::new(20);
    let forged = good(START).changed(|body| body.signature.0[3] ^= 1);
    victim.hear(peer(6), &pass(&forged));
    assert_eq!(
        victim.take_blamed(),
        [(peer(6), SpreadingBreach::Signature)]
    );
    victim.now = START + DISTRUST - TICK;
    victim.hear(peer(6), &pass(&forged));
    victim.hear(peer(6), &pass(&good(START)));
    assert!(victim.take_events().is_empty() && victim.take_sent().is_empty());
    // Others are, and so is the forger later on.
    victim.hear(peer(7), &pass(&good(START)));
    assert!(matches!(&victim.take_events()[..], [Event::Heard { .. }]));
    victim.now = START + DISTRUST;
    victim.hear(peer(6), &pass(&good(START + SECOND)));
    assert!(matches!(&victim.take_events()[..], [Event::Heard { .. }]));
}

/// Stale, too long or of a revoked member: no signature was checked for nothing, so nobody is silenced.
#[test]
fn cheap_refusals_silence_nobody() {
    let mut victim = Victim::new(20);
    let long = vec![0; PAYLOAD_MAX + 1];
    victim.hear(
        peer(6),
        &pass(&Announcement::new(&world().people[4], START, long)),
    );
    victim.hear(peer(6), &pass(&says(&world().revoked)));
    assert_eq!(victim.take_blamed().len(), 2);
    victim.hear(peer(6), &pass(&good(START)));
    assert!(matches!(&victim.take_events()[..], [Event::Heard { .. }]));
}

#[test]
fn an_initiator_who_broadcasts_too_often_is_named() {
    let mut victim = Victim::new(20);
    let number = |n: usize| START + n as u32 * TICK;
    for n in 0..BROADCASTS_MAX {
        victim.hear(peer(6), &pass(&good(number(n))));
    }
    assert_eq!(victim.take_events().len(), BROADCASTS_MAX);
    victim.take_sent();
    let more = good(number(BROADCASTS_MAX));
    victim.hear(peer(6), &pass(&more));
    assert_eq!(
        victim.take_blamed(),
        [(peer(4), SpreadingBreach::TooManyBroadcasts)]
    );
    assert!(victim.take_sent().is_empty());
    // Another may still.
    let other = Announcement::new(&world().people[5], START, vec![]);
    victim.hear(peer(6), &pass(&other));
    assert!(matches!(&victim.take_events()[..], [Event::Heard { .. }]));
    // And so may the same one when the first have been forgotten.
    victim.now = START + AGE_MAX + ISSUED_AHEAD_MAX + SECOND;
    victim.timer(spreading::Timer::Compare);
    victim.hear(peer(6), &pass(&good(victim.now)));
    assert!(matches!(&victim.take_events()[..], [Event::Heard { .. }]));
}

#[test]
fn our_own_broadcasts_keep_the_limits_that_others_check() {
    let mut victim = Victim::new(20);
    victim.command(Command::Broadcast(vec![0; PAYLOAD_MAX + 1]));
    let failed = |victim: &mut Victim| match &victim.take_events()[..] {
        [Event::BroadcastFailed(why)] => Some(*why),
        [] => None,
        events => panic!("{events:?}"),
    };
    assert_eq!(
        failed(&mut victim),
        Some(crate::broadcast::BroadcastError::TooLong)
    );
    for n in 0..BROADCASTS_MAX {
        victim.command(Command::Broadcast(vec![n as u8]));
        assert_eq!(failed(&mut victim), None);
    }
    victim.take_sent();
    victim.command(Command::Broadcast(vec![99]));
    assert_eq!(
        failed(&mut victim),
        Some(crate::broadcast::BroadcastError::TooOften)
    );
    assert!(victim.take_sent().is_empty());
    victim.now = START + AGE_MAX + ISSUED_AHEAD_MAX + TICK;
    victim.command(Command::Broadcast(vec![99]));
    assert_eq!(failed(&mut victim), None);
}

/// A broadcast is one word of one node at one time: nobody else's, and not of another time.
#[test]
fn names_differ_by_who_what_and_when() {
    let of = |person: usize, issued: Instant, what: &[u8]| {
        Announcement::new(&world().people[person], issued, what.to_vec()).id()
    };
    let ids: std::collections::BTreeSet<Digest> = [
        of(4, START, b"a"),
        of(5, START, b"a"),
        of(4, START + TICK, b"a"),
        of(4, START, b"b"),
        of(4, START, b""),
    ]
    .into();
    assert_eq!(ids.len(), 5);
    assert_eq!(of(4, START, b"a"), of(4, START, b"a"));
}
