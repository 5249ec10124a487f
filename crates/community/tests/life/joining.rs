//! Tickets in use, at both ends.

use base::{Duration, decode, encode};
use community::{
    CERTIFIED_PER_YEAR_MAX, Contact, DescriptorError, IssueError, JOIN_ANSWER_BYTES_MAX,
    JOIN_CONTACTS_MAX, JOIN_REQUEST_BYTES_MAX, JoinAnswer, JoinError, JoinRequest, Refusal,
    Retired, SignedDescriptor, TICKET_USES_MAX, TICKETS_MAX, Ticket, TicketBook, VALID_MAX,
    Welcome, YEAR, check_certificate, draw_keys,
};
use crypto::{CertificateRequest, Rights, SigningKey, VrfSecretKey};
use proptest::prelude::*;

use crate::world::{NOW, World, days, descriptor, invitation};

fn welcome(world: &mut World, ticket: &Ticket, request: &CertificateRequest) -> Welcome {
    let certificate = world.redeem(&ticket.request(*request), NOW).unwrap();
    Welcome {
        certificate,
        descriptor: world.community.signed().clone(),
        contacts: vec![],
    }
}

fn accept(
    ticket: &Ticket,
    welcome: Welcome,
    request: &CertificateRequest,
) -> Result<(), JoinError> {
    let answer = JoinAnswer::Welcome(Box::new(welcome));
    ticket.accept(answer, request, NOW).map(|_| ())
}

#[test]
fn a_stranger_with_a_ticket_becomes_a_member() {
    let mut world = World::new();
    let text = world.invite(invitation()).text();

    let ticket = Ticket::parse(&text, NOW).unwrap();
    let (key, vrf, request) = draw_keys(&ticket.community, &mut world.rng);
    let sent = encode(&ticket.request(request));
    assert!(sent.len() <= JOIN_REQUEST_BYTES_MAX, "{} bytes", sent.len());

    let received: JoinRequest = decode(&sent, JOIN_REQUEST_BYTES_MAX).unwrap();
    let certificate = world.redeem(&received, NOW).unwrap();
    let contact = |count: usize| vec![Contact::new(&key, certificate.clone(), vec![], NOW); count];
    let answer = JoinAnswer::Welcome(Box::new(Welcome {
        certificate: certificate.clone(),
        descriptor: world.community.signed().clone(),
        contacts: contact(JOIN_CONTACTS_MAX + 3),
    }));
    let answer: JoinAnswer = decode(&encode(&answer), JOIN_ANSWER_BYTES_MAX).unwrap();
    let joined = ticket.accept(answer, &request, NOW).unwrap();
    assert_eq!(joined.certificate, certificate);
    assert_eq!(joined.community.digest(), world.community.digest());
    assert_eq!(joined.contacts.len(), JOIN_CONTACTS_MAX);
    assert_eq!(certificate.vrf(), vrf.public());
    assert_eq!(certificate.rights(), Rights { ask: true });
    for (at, holds) in [
        (NOW, true),
        (NOW + days(365), true),
        (NOW + days(366), false),
    ] {
        let checked = check_certificate(&certificate, world.community.descriptor(), at);
        assert_eq!(checked.is_ok(), holds);
    }
}

#[test]
fn an_answer_lost_is_given_again_even_late() {
    let mut world = World::new();
    let ticket = world.invite(invitation());
    let request = ticket.request(world.newcomer());
    let first = world.redeem(&request, NOW).unwrap();
    for later in [NOW, NOW + days(40)] {
        assert_eq!(world.redeem(&request, later), Ok(first.clone()));
    }
    let logged = world.issuer.logs().of(world.issuer.node()).unwrap();
    assert_eq!(logged.entries().len(), 1);
}

#[test]
fn a_ticket_lets_in_as_many_as_it_says() {
    let mut world = World::new();
    let mut three = invitation();
    three.uses = 3;
    let ticket = world.invite(three);
    for left in (0..3).rev() {
        let request = ticket.request(world.newcomer());
        assert!(world.redeem(&request, NOW).is_ok());
        let (_, given) = world.issuer.book().iter().next().unwrap();
        assert_eq!(given.uses_left(), left);
    }
    let fourth = ticket.request(world.newcomer());
    assert_eq!(world.redeem(&fourth, NOW), Err(Refusal::UsedUp));
}

/// What goes by on the wire, or lies in the book, lets nobody else in.
#[test]
fn a_request_that_was_overheard_is_worth_nothing() {
    let mut world = World::new();
    let mut two = invitation();
    two.uses = 2;
    let ticket = world.invite(two);
    let overheard = ticket.request(world.newcomer());
    let mut stolen = overheard;
    stolen.request = world.newcomer();
    assert_eq!(world.redeem(&stolen, NOW), Err(Refusal::BadProof));
    // Before and after it was used.
    assert!(world.redeem(&overheard, NOW).is_ok());
    assert_eq!(world.redeem(&stolen, NOW), Err(Refusal::BadProof));
    // The book has the ticket's name, which proves nothing.
    let (id, given) = world.issuer.book().iter().next().unwrap();
    assert_eq!(given.uses_left(), 1);
    let mut made_up = ticket_of_another_world().request(stolen.request);
    made_up.ticket = *id;
    assert_eq!(world.redeem(&made_up, NOW), Err(Refusal::BadProof));
}

fn ticket_of_another_world() -> Ticket {
    let mut elsewhere = World::new();
    elsewhere.rng = base::Rng::from_number(77);
    elsewhere.invite(invitation())
}

#[test]
fn each_refusal_has_its_reason() {
    let mut world = World::new();
    let ticket = world.invite(invitation());
    let unknown = ticket_of_another_world();
    let keys = world.newcomer();
    assert_eq!(
        world.redeem(&unknown.request(keys), NOW),
        Err(Refusal::UnknownTicket)
    );
    let late = NOW + days(30) + Duration::from_micros(1);
    assert_eq!(
        world.redeem(&ticket.request(keys), late),
        Err(Refusal::Expired)
    );
    // Keys of somebody else.
    let mut others = keys;
    others.node = world.newcomer().node;
    assert_eq!(
        world.redeem(&ticket.request(others), NOW),
        Err(Refusal::BadRequest)
    );
    // A revoked node finds no way back with another ticket.
    let revoked = world.community.revoke(&world.authority, keys.node).unwrap();
    let again = world.issuer.redeem(
        revoked.descriptor(),
        &ticket.request(keys),
        NOW,
        &mut world.rng,
    );
    assert_eq!(again, Err(Refusal::Revoked));
    // Nothing of this has used the ticket, or an issuer that is listed no longer.
    let mut unlisted = world.community.descriptor().clone();
    unlisted.authority = SigningKey::from_seed([6; 32]).node();
    let refused = world
        .issuer
        .redeem(&unlisted, &ticket.request(keys), NOW, &mut world.rng);
    assert_eq!(refused, Err(Refusal::CannotIssue));
    assert!(world.redeem(&ticket.request(keys), NOW).is_ok());
}

/// Tickets are no lottery: the same keys stay where they are, and half of them cannot be drawn again.
#[test]
fn nobody_draws_a_place_twice() {
    let mut world = World::new();
    let community = world.name();
    let key = SigningKey::from_seed([20; 32]);
    let vrf = |number| VrfSecretKey::from_seed([number; 32]).public();
    let request = CertificateRequest::new(&key, &vrf(1), &community);
    let first = world.invite(invitation()).request(request);
    let place = world.redeem(&first, NOW).unwrap().location();
    let second = world.invite(invitation()).request(request);
    assert_eq!(world.redeem(&second, NOW).unwrap().location(), place);
    let varied = CertificateRequest::new(&key, &vrf(2), &community);
    let third = world.invite(invitation()).request(varied);
    assert_eq!(world.redeem(&third, NOW), Err(Refusal::OtherVrfKey));
    assert!(world.issuer.logs().in_two_places().is_empty());
}

#[test]
fn a_renewal_keeps_the_place_and_the_rights() {
    let mut world = World::new();
    let old = world.member();
    let later = NOW + days(300);
    let descriptor = world.community.descriptor();
    let new = world.issuer.renew(descriptor, old.node(), days(365), later);
    let new = new.unwrap();
    assert_eq!(new.location(), old.location());
    assert_eq!(new.rights(), old.rights());
    assert_eq!(new.serial(), old.serial() + 1);
    assert_eq!(new.valid_until(), later + days(365));
    assert_eq!(check_certificate(&new, descriptor, later), Ok(()));

    let renew = |world: &mut World, node, valid_for, at| {
        let descriptor = world.community.descriptor();
        world.issuer.renew(descriptor, node, valid_for, at)
    };
    let stranger = world.newcomer().node;
    assert_eq!(
        renew(&mut world, stranger, days(1), NOW),
        Err(IssueError::UnknownNode)
    );
    for valid_for in [Duration::ZERO, VALID_MAX + days(1)] {
        let refused = renew(&mut world, old.node(), valid_for, later);
        assert_eq!(refused, Err(IssueError::Dates));
    }
    for _ in 2..CERTIFIED_PER_YEAR_MAX {
        assert!(renew(&mut world, old.node(), days(1), later).is_ok());
    }
    let refused = renew(&mut world, old.node(), days(1), later);
    assert_eq!(refused, Err(IssueError::TooOften));
    // The first of them is more than a year ago then.
    let a_year_on = NOW + YEAR + days(1);
    assert!(renew(&mut world, old.node(), days(1), a_year_on).is_ok());
    world.community = world
        .community
        .revoke(&world.authority, old.node())
        .unwrap();
    let refused = renew(&mut world, old.node(), days(1), a_year_on);
    assert_eq!(refused, Err(IssueError::Revoked));
}

#[test]
fn tickets_are_given_within_limits() {
    let mut world = World::new();
    let stranger = world.newcomer().node;
    let with = |change: &dyn Fn(&mut community::Invitation)| {
        let mut invitation = invitation();
        change(&mut invitation);
        invitation
    };
    for (invitation, why) in [
        (with(&|i| i.uses = 0), IssueError::Uses),
        (with(&|i| i.uses = TICKET_USES_MAX + 1), IssueError::Uses),
        (with(&|i| i.expires = NOW), IssueError::Dates),
        (with(&|i| i.valid_for = Duration::ZERO), IssueError::Dates),
        (
            with(&|i| i.valid_for = VALID_MAX + days(1)),
            IssueError::Dates,
        ),
        (
            with(&|i| i.replaces = Some(stranger)),
            IssueError::UnknownNode,
        ),
        (
            with(&|i| {
                i.replaces = Some(stranger);
                i.uses = 2;
            }),
            IssueError::Uses,
        ),
    ] {
        let descriptor = world.community.descriptor();
        let refused = world
            .issuer
            .invite(descriptor, invitation, NOW, &mut world.rng);
        assert_eq!(refused, Err(why));
    }
    for _ in 0..TICKETS_MAX {
        world.invite(invitation());
    }
    let descriptor = world.community.descriptor();
    let full = world
        .issuer
        .invite(descriptor, invitation(), NOW, &mut world.rng);
    assert_eq!(full, Err(IssueError::BookFull));
    // Those that have expired make room.
    let mut later = invitation();
    later.expires = NOW + days(60);
    let now = NOW + days(31);
    let given = world.issuer.invite(descriptor, later, now, &mut world.rng);
    assert!(given.is_ok());
    assert_eq!(world.issuer.book().iter().count(), 1);
}

#[test]
fn the_newcomer_believes_nothing_that_does_not_follow_from_the_ticket() {
    let mut world = World::new();
    let ticket = world.invite(invitation());
    let request = world.newcomer();
    let good = welcome(&mut world, &ticket, &request);
    assert_eq!(accept(&ticket, good.clone(), &request), Ok(()));

    let refused = ticket.accept(JoinAnswer::Refused(Refusal::UsedUp), &request, NOW);
    assert_eq!(refused.unwrap_err(), JoinError::Refused(Refusal::UsedUp));

    // A community of the same name, founded by somebody else.
    let false_authority = SigningKey::from_seed([7; 32]);
    let mut elsewhere = good.clone();
    elsewhere.descriptor =
        SignedDescriptor::sign(&descriptor(&false_authority), &false_authority).unwrap();
    assert_eq!(
        accept(&ticket, elsewhere, &request),
        Err(JoinError::AnotherCommunity)
    );
    // One that claims to be this one, under another key.
    let mut claimed = descriptor(&false_authority);
    claimed.community = world.name();
    assert_eq!(
        SignedDescriptor::sign(&claimed, &false_authority),
        Err(DescriptorError::Authority)
    );
    // Another member's certificate, and one with fewer rights.
    let mut others = good.clone();
    others.certificate = world.member();
    assert_eq!(
        accept(&ticket, others, &request),
        Err(JoinError::NotWhatWasAsked)
    );
    let mut less = good.clone();
    less.certificate = good
        .certificate
        .renewed(&world.authority, Rights::default(), NOW, NOW + days(1), 9)
        .unwrap();
    assert_eq!(
        accept(&ticket, less, &request),
        Err(JoinError::NotWhatWasAsked)
    );
    // A certificate by somebody who may not.
    let mut minted = good.clone();
    minted.certificate = good
        .certificate
        .renewed(
            &false_authority,
            Rights { ask: true },
            NOW,
            NOW + days(1),
            9,
        )
        .unwrap();
    assert!(matches!(
        accept(&ticket, minted, &request),
        Err(JoinError::Certificate(_))
    ));
    // The ticket's issuer has been taken off the list, though the certificate is by another that is on it.
    let new = SigningKey::from_seed([8; 32]);
    let rotated = world
        .community
        .rotate(&world.authority, &new, Retired::Distrusted)
        .unwrap();
    let mut after = good;
    after.descriptor = rotated.signed().clone();
    after.certificate = after
        .certificate
        .renewed(&new, Rights { ask: true }, NOW, NOW + days(1), 1)
        .unwrap();
    assert_eq!(
        accept(&ticket, after, &request),
        Err(JoinError::NotAnIssuer)
    );
}

#[test]
fn contacts_that_do_not_hold_are_left_out() {
    let mut world = World::new();
    let ticket = world.invite(invitation());
    let (key, _, request) = draw_keys(&ticket.community, &mut world.rng);
    let mut welcome = welcome(&mut world, &ticket, &request);
    let good = Contact::new(&key, welcome.certificate.clone(), vec![], NOW);
    let of_nobody = Contact::new(
        &SigningKey::from_seed([3; 32]),
        welcome.certificate.clone(),
        vec![],
        NOW,
    );
    welcome.contacts = vec![of_nobody, good.clone()];
    let answer = JoinAnswer::Welcome(Box::new(welcome));
    let joined = ticket.accept(answer, &request, NOW).unwrap();
    assert_eq!(joined.contacts, [good]);
}

#[test]
fn the_book_survives_being_stored() {
    let mut world = World::new();
    world.member();
    let ticket = world.invite(invitation());
    let bytes = encode(world.issuer.book());
    let stored: TicketBook = decode(&bytes, bytes.len()).unwrap();
    assert_eq!(&stored, world.issuer.book());
    assert!(stored.iter().any(|(id, _)| *id == ticket.id()));
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
        // Whatever is read is what would be written.
        if let Ok(request) = decode::<JoinRequest>(&bytes, JOIN_REQUEST_BYTES_MAX) {
            prop_assert_eq!(encode(&request), bytes.clone());
        }
        if let Ok(answer) = decode::<JoinAnswer>(&bytes, JOIN_ANSWER_BYTES_MAX) {
            prop_assert_eq!(encode(&answer), bytes);
        }
    }

    #[test]
    fn no_changed_request_is_granted(at in 0usize..230, bit in 0u8..8) {
        let mut world = World::new();
        let ticket = world.invite(invitation());
        let mut bytes = encode(&ticket.request(world.newcomer()));
        let at = at % bytes.len();
        bytes[at] ^= 1 << bit;
        if let Ok(request) = decode::<JoinRequest>(&bytes, JOIN_REQUEST_BYTES_MAX) {
            prop_assert!(world.redeem(&request, NOW).is_err());
        }
    }
}
