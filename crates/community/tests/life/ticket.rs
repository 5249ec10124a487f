//! Tickets as text.

use base::{Duration, Instant, encode};
use community::{
    Member, TICKET_ADDRESSES_MAX, TICKET_MEMBERS_MAX, TICKET_TEXT_MAX, Ticket, TicketError,
};
use crypto::{Rights, SigningKey};
use proptest::prelude::*;

use crate::world::{NOW, World, days, invitation};

fn member(number: u8, addresses: u16) -> Member {
    Member {
        node: SigningKey::from_seed([number; 32]).node(),
        addresses: (0..addresses)
            .map(|port| ([192, 0, 2, number], port).into())
            .collect(),
    }
}

fn ticket() -> Ticket {
    let mut invitation = invitation();
    invitation.members = vec![member(1, 1), member(2, 2)];
    World::new().invite(invitation)
}

#[test]
fn a_ticket_is_one_line_that_survives_being_copied() {
    let ticket = ticket();
    let text = ticket.text();
    assert!(text.len() < 600, "{} letters", text.len());
    assert!(text.bytes().all(|letter| letter.is_ascii_alphanumeric()));
    let broken: String = text
        .chars()
        .enumerate()
        .flat_map(|(place, letter)| {
            let space = (place % 60 == 59).then_some('\n');
            std::iter::once(letter).chain(space)
        })
        .collect();
    let forms = [
        text.to_string(),
        text.to_uppercase(),
        format!("  {}\n", *text),
        broken,
        text.chars().flat_map(|letter| [letter, '-']).collect(),
        text.replace('0', "o").replace('1', "l"),
    ];
    for form in &forms[..5] {
        assert_eq!(Ticket::parse(form, NOW).as_ref(), Ok(&ticket));
    }
    // The version is a digit and nothing like it.
    let (_, body) = forms[5].split_at("chticketl".len());
    let with_letters = format!("chticket1{body}");
    assert_eq!(Ticket::parse(&with_letters, NOW), Ok(ticket));
}

#[test]
fn every_slip_of_the_pen_is_noticed() {
    let text = ticket().text();
    for at in "chticket1".len()..text.len() {
        let mut slip = text.to_string();
        let other = if &slip[at..=at] == "7" { "8" } else { "7" };
        slip.replace_range(at..=at, other);
        assert_eq!(Ticket::parse(&slip, NOW), Err(TicketError::Mistyped));
        assert_eq!(Ticket::parse(&text[..at], NOW), Err(TicketError::Mistyped));
    }
    let longer = format!("{}0", *text);
    assert_eq!(Ticket::parse(&longer, NOW), Err(TicketError::Mistyped));
}

#[test]
fn what_is_no_ticket_is_told_apart() {
    for (text, why) in [
        ("", TicketError::NotATicket),
        ("hello", TicketError::NotATicket),
        ("chticket", TicketError::NotATicket),
        ("chticketx", TicketError::NotATicket),
        ("chticket2abc", TicketError::OtherVersion),
        ("chticket1", TicketError::Mistyped),
    ] {
        assert_eq!(Ticket::parse(text, NOW), Err(why), "{text}");
    }
    let endless = " ".repeat(TICKET_TEXT_MAX + 1);
    assert_eq!(Ticket::parse(&endless, NOW), Err(TicketError::NotATicket));
}

#[test]
fn it_is_good_until_it_expires() {
    let text = ticket().text();
    let last = NOW + days(30);
    assert!(Ticket::parse(&text, last).is_ok());
    let late = Ticket::parse(&text, last + Duration::from_micros(1));
    assert_eq!(late, Err(TicketError::Expired));
    assert_eq!(
        Ticket::parse(&text, Instant(u64::MAX)),
        Err(TicketError::Expired)
    );
}

/// Whoever passes a ticket on cannot make it lead elsewhere or promise more.
#[test]
fn nobody_changes_what_the_issuer_said() {
    let changes: [&dyn Fn(&mut Ticket); 8] = [
        &|t| t.community.0[0] ^= 1,
        &|t| t.name.push('!'),
        &|t| t.issuer = SigningKey::from_seed([9; 32]).node(),
        &|t| t.members[0].addresses[0] = ([203, 0, 113, 1], 1).into(),
        &|t| t.members.swap(0, 1),
        &|t| t.rights = Rights::default(),
        &|t| t.uses += 1,
        &|t| t.expires = t.expires + days(1),
    ];
    for (case, change) in changes.iter().enumerate() {
        let mut changed = ticket();
        change(&mut changed);
        let result = Ticket::parse(&changed.text(), NOW);
        assert_eq!(result, Err(TicketError::Forged), "case {case}");
    }
}

#[test]
fn it_says_no_more_than_it_may() {
    let changes: [&dyn Fn(&mut Ticket); 6] = [
        &|t| {
            t.members = (0..=TICKET_MEMBERS_MAX as u8)
                .map(|n| member(n, 1))
                .collect()
        },
        &|t| t.members[0] = member(1, TICKET_ADDRESSES_MAX as u16 + 1),
        &|t| t.name = "\u{1b}[2J".into(),
        &|t| t.name.clear(),
        &|t| t.name = "n".repeat(101),
        &|t| t.uses = 0,
    ];
    for (case, change) in changes.iter().enumerate() {
        let mut changed = ticket();
        change(&mut changed);
        let result = Ticket::parse(&changed.text(), NOW);
        assert_eq!(result, Err(TicketError::OutOfRange), "case {case}");
    }
    let mut many = invitation();
    many.members = (0..20).map(|n| member(n, 20)).collect();
    let text = World::new().invite(many).text();
    let read = Ticket::parse(&text, NOW).unwrap();
    assert_eq!(read.members.len(), TICKET_MEMBERS_MAX);
    assert_eq!(read.members[0].addresses.len(), TICKET_ADDRESSES_MAX);
}

#[test]
fn its_secret_is_in_its_text_alone() {
    let mut world = World::new();
    let ticket = world.invite(invitation());
    let other = world.invite(invitation());
    assert_ne!(ticket.id(), other.id());
    // The 16 bytes that two tickets differ in, beside signatures, are the secret.
    let bytes = encode(&ticket);
    let secret = bytes
        .windows(16)
        .find(|part| {
            bytes
                .windows(18)
                .any(|w| w[..2] == [4, 0x50] && w[2..] == **part)
        })
        .unwrap();
    let book = encode(world.issuer.book());
    assert!(!book.windows(16).any(|part| part == secret));
    let request = encode(&ticket.request(world.newcomer()));
    assert!(!request.windows(16).any(|part| part == secret));
    assert!(format!("{ticket:?}").contains("secret: TicketSecret,"));
}

proptest! {
    #[test]
    fn any_text_is_an_error(text: String, body in "[0-9a-z]{0,400}") {
        prop_assert!(Ticket::parse(&text, NOW).is_err());
        let body = format!("chticket1{body}");
        prop_assert!(Ticket::parse(&body, NOW).is_err());
    }

    #[test]
    fn what_is_written_is_read(
        name in "\\PC{1,20}",
        uses in 1..1000u32,
        ask: bool,
        secs in 1..10_000_000u64,
    ) {
        let mut world = World::new();
        let mut descriptor = world.community.descriptor().clone();
        descriptor.name = name;
        let mut invitation = invitation();
        invitation.uses = uses;
        invitation.rights = Rights { ask };
        invitation.expires = NOW + Duration::from_secs(secs);
        let given = world.issuer.invite(&descriptor, invitation, NOW, &mut world.rng).unwrap();
        prop_assert_eq!(Ticket::parse(&given.text(), NOW), Ok(given));
    }
}
