//! New keys in the place of lost ones, and those who would like to have several.

use community::{
    Invitation, IssueError, Issuer, Logs, MOVES_PER_YEAR_MAX, Refusal, Ticket, TicketBook, YEAR,
};
use crypto::{Certificate, SigningKey};

use crate::world::{NOW, World, days, invitation};

fn replacing(lost: &Certificate) -> Invitation {
    Invitation {
        replaces: Some(lost.node()),
        ..invitation()
    }
}

fn invite(world: &mut World, lost: &Certificate) -> Result<Ticket, IssueError> {
    let descriptor = world.community.descriptor();
    world
        .issuer
        .invite(descriptor, replacing(lost), NOW, &mut world.rng)
}

fn revoke(world: &mut World, lost: &Certificate) {
    world.community = world
        .community
        .revoke(&world.authority, lost.node())
        .unwrap();
}

#[test]
fn new_keys_take_the_old_ones_out_and_are_counted() {
    let mut world = World::new();
    let mut at = world.member();
    for moved in 0..=MOVES_PER_YEAR_MAX {
        let mut moving = invitation();
        moving.replaces = Some(at.node());
        let invite = |world: &mut World| {
            let descriptor = world.community.descriptor();
            world
                .issuer
                .invite(descriptor, moving.clone(), NOW, &mut world.rng)
        };
        if moved == MOVES_PER_YEAR_MAX {
            // It is said before anybody has to be revoked for it, and after.
            assert_eq!(invite(&mut world), Err(IssueError::TooOften));
            world.community = world.community.revoke(&world.authority, at.node()).unwrap();
            assert_eq!(invite(&mut world), Err(IssueError::TooOften));
            break;
        }
        assert_eq!(invite(&mut world), Err(IssueError::NotRevoked));
        world.community = world.community.revoke(&world.authority, at.node()).unwrap();
        let ticket = invite(&mut world).unwrap();
        let request = ticket.request(world.newcomer());
        let new = world.redeem(&request, NOW).unwrap();
        assert_ne!(new.location(), at.location());
        let entry = world.issuer.logs().last_of(new.node()).unwrap();
        assert_eq!(entry.replaces, Some(at.node()));
        at = new;
    }
    let moves = world.issuer.logs().moves_since(at.node(), NOW - YEAR);
    assert_eq!(moves, MOVES_PER_YEAR_MAX);
    assert_eq!(world.issuer.logs().moves_since(at.node(), NOW), 0);
}

/// Whoever says again and again that the first ticket was lost would have a node with each.
#[test]
fn a_lost_node_is_replaced_once() {
    let mut world = World::new();
    let lost = world.member();
    revoke(&mut world, &lost);
    let tickets = [0; 3].map(|_| invite(&mut world, &lost).unwrap());
    let request = tickets[1].request(world.newcomer());
    let new = world.redeem(&request, NOW).unwrap();
    for open in [&tickets[0], &tickets[2]] {
        let second = open.request(world.newcomer());
        assert_eq!(world.redeem(&second, NOW), Err(Refusal::Replaced));
    }
    let replaced = IssueError::Replaced {
        old: lost.node(),
        new: new.node(),
    };
    assert_eq!(world.issuer.may_move(lost.node(), NOW), Err(replaced));
    // Nor when the year is over.
    let later = NOW + YEAR + days(1);
    assert_eq!(world.issuer.may_move(lost.node(), later), Err(replaced));
    assert_eq!(invite(&mut world, &lost), Err(replaced));
    // Whose answer was lost gets it again, late as it may be, and counts once.
    for at in [NOW, later] {
        assert_eq!(world.redeem(&request, at), Ok(new.clone()));
    }
    assert!(world.issuer.logs().replaced_twice().is_empty());
}

/// The follower of the follower is the one to be replaced now.
#[test]
fn who_was_replaced_long_ago_leads_to_who_is_there_now() {
    let mut world = World::new();
    let first = world.member();
    let mut at = first.clone();
    for _ in 0..MOVES_PER_YEAR_MAX {
        revoke(&mut world, &at);
        let ticket = invite(&mut world, &at).unwrap();
        let request = ticket.request(world.newcomer());
        at = world.redeem(&request, NOW).unwrap();
    }
    let said = world.issuer.may_move(first.node(), NOW).unwrap_err();
    let (old, new) = (first.node(), at.node());
    assert_eq!(said, IssueError::Replaced { old, new });
    assert!(said.to_string().contains(&new.to_string()), "{said}");
}

/// An issuer that was stopped between its log and its ticket book has the certificate in the log alone.
#[test]
fn a_use_that_was_logged_and_not_written_down_is_no_second_one() {
    let mut world = World::new();
    let lost = world.member();
    revoke(&mut world, &lost);
    let ticket = invite(&mut world, &lost).unwrap();
    let book: TicketBook = world.issuer.book().clone();
    let request = ticket.request(world.newcomer());
    let new = world.redeem(&request, NOW).unwrap();
    let logs = world.issuer.logs().clone();
    world.issuer = Issuer::new(world.authority.clone(), logs, book).unwrap();
    let again = world.redeem(&request, NOW).unwrap();
    assert_eq!(
        (again.node(), again.location()),
        (new.node(), new.location())
    );
    let other = ticket.request(world.newcomer());
    assert_eq!(world.redeem(&other, NOW), Err(Refusal::UsedUp));
    assert!(world.issuer.logs().replaced_twice().is_empty());
}

/// Issuers that keep logs apart cannot know of each other; whoever lays the logs together sees it.
#[test]
fn two_followers_of_one_node_are_found_when_logs_meet() {
    let mut world = World::new();
    let lost = world.member();
    let key = SigningKey::from_seed([9; 32]);
    world.community = world
        .community
        .list_issuer(&world.authority, key.node())
        .unwrap();
    revoke(&mut world, &lost);
    let mut logs = Logs::new(world.name());
    let own = world.issuer.logs().of(world.issuer.node()).unwrap().clone();
    logs.merge(own, world.community.descriptor()).unwrap();
    let other = Issuer::new(key, logs, TicketBook::new()).unwrap();

    let follow = |world: &mut World| {
        let ticket = invite(world, &lost)?;
        let request = ticket.request(world.newcomer());
        Ok(world.redeem(&request, NOW).unwrap().node())
    };
    let first = follow(&mut world).unwrap();
    let honest = std::mem::replace(&mut world.issuer, other);
    let second = follow(&mut world).unwrap();
    assert!(world.issuer.logs().replaced_twice().is_empty());

    let theirs = honest.logs().of(honest.node()).unwrap().clone();
    let descriptor = world.community.descriptor();
    world.issuer.logs_mut().merge(theirs, descriptor).unwrap();
    let found = world.issuer.logs().replaced_twice();
    let both = [first, second].into_iter().collect();
    assert_eq!(found.into_iter().collect::<Vec<_>>(), [(lost.node(), both)]);
    // From then on there is no third.
    assert!(matches!(
        follow(&mut world),
        Err(IssueError::Replaced { .. })
    ));
}
