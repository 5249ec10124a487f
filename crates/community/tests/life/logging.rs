//! Logs, and issuers that keep them badly.

use base::{Digest, decode, encode};
use community::{
    Evidence, Issuer, LOG_BYTES_MAX, LOGS_BYTES_MAX, Log, LogEntry, LogError, Logs, MemoryError,
    MergeError, NoEvidence, Standing, TicketBook,
};
use crypto::{Certificate, Rights, SigningKey};
use proptest::prelude::*;

use crate::world::{NOW, World, days, invitation};

fn own(issuer: &Issuer) -> &Log {
    issuer.logs().of(issuer.node()).unwrap()
}

/// A world with so many members.
fn world_of(members: usize) -> World {
    let mut world = World::new();
    for _ in 0..members {
        world.member();
    }
    world
}

/// As many members again, certified by the same key, which has forgotten those that it certified before.
fn forked(world: &World, members: usize) -> Log {
    let mut other = World::new();
    other.rng = base::Rng::from_number(99);
    other.issuer = world.other_issuer(world.authority.clone());
    for _ in 0..members {
        other.member();
    }
    own(&other.issuer).clone()
}

#[test]
fn every_certificate_is_logged_under_a_signed_head() {
    let world = world_of(5);
    let log = own(&world.issuer);
    assert_eq!(log.verify(), Ok(()));
    let head = log.head().unwrap();
    assert_eq!((head.size, head.verify()), (5, Ok(())));
    for (serial, entry) in (1..).zip(log.entries()) {
        assert_eq!(entry.certificate.serial(), serial);
        let standing = world.issuer.logs().standing(&entry.certificate);
        assert_eq!(standing, Standing::Logged);
        let (found, path) = log.inclusion(serial).unwrap();
        assert!(found == entry && path.len() <= 3);
    }
    assert_eq!(log.inclusion(0), None);
    assert_eq!(log.inclusion(6), None);
    let bytes = encode(log);
    assert!(bytes.len() < 5 * 360, "{} bytes", bytes.len());
    assert_eq!(decode::<Log>(&bytes, LOG_BYTES_MAX).as_ref(), Ok(log));
}

#[test]
fn a_later_head_is_shown_to_continue_an_earlier_one() {
    let mut world = World::new();
    let mut heads = Vec::new();
    for _ in 0..9 {
        world.member();
        heads.push(*own(&world.issuer).head().unwrap());
    }
    let log = own(&world.issuer);
    let last = log.head().unwrap();
    for head in &heads {
        let path = log.consistency(head.size);
        assert!(head.is_beginning_of(last, &path));
        assert_eq!(world.issuer.logs().contradiction(head), None);
    }
    let fork = forked(&world, 4);
    let other = fork.head().unwrap();
    assert!(!other.is_beginning_of(last, &log.consistency(other.size)));
    assert!(!last.is_beginning_of(other, &[]));
}

#[test]
fn a_forked_log_is_evidence_for_everybody() {
    let world = world_of(5);
    let issuer = world.issuer.node();
    for members in [3, 5, 7] {
        let fork = forked(&world, members);
        let mut logs = world.issuer.logs().clone();
        let refused = logs.merge(fork.clone(), world.community.descriptor());
        let Err(MergeError::Fork(evidence)) = refused else {
            panic!("{refused:?}");
        };
        let bytes = encode(&evidence);
        let told: Evidence = decode(&bytes, 4096).unwrap();
        assert_eq!(told.verify(&world.name()), Ok(issuer));
        assert_eq!(told.verify(&Digest::of("another", &[])), Err(NoEvidence));
        assert_eq!(&logs, world.issuer.logs());
        // The head alone is enough, where as many entries are known.
        let contradiction = logs.contradiction(fork.head().unwrap());
        assert_eq!(contradiction.is_some(), members <= 5);
    }
}

#[test]
fn an_honest_log_cannot_be_made_to_look_forked() {
    let world = world_of(5);
    let fork = forked(&world, 3);
    let log = own(&world.issuer);
    let longer = *log.head().unwrap();
    let shorter_of = |members| *own(&world_of(members).issuer).head().unwrap();
    let path = log.consistency(3);
    let honest = shorter_of(3);
    assert!(honest.is_beginning_of(&longer, &path));
    let claims = [
        (honest, longer, honest.root),
        (honest, longer, fork.head().unwrap().root),
        (longer, longer, honest.root),
        (longer, honest, longer.root),
    ];
    for (shorter, longer, root) in claims {
        for path in [path.clone(), vec![], vec![longer.root; 64], vec![root; 65]] {
            let claim = Evidence::Fork {
                shorter,
                longer,
                root,
                path,
            };
            assert_eq!(claim.verify(&world.name()), Err(NoEvidence));
        }
    }
}

/// A certificate that the issuer signed and did not log.
fn minted(world: &World, serial: u64) -> Certificate {
    let entry = &own(&world.issuer).entries()[0];
    let rights = Rights { ask: true };
    let until = NOW + days(99);
    let certificate = &entry.certificate;
    certificate
        .renewed(&world.authority, rights, NOW, until, serial)
        .unwrap()
}

#[test]
fn a_minted_certificate_is_seen() {
    let world = world_of(5);
    let logs = world.issuer.logs();
    let Standing::Minted(evidence) = logs.standing(&minted(&world, 2)) else {
        panic!("there is another certificate in its place");
    };
    let told: Evidence = decode(&encode(&evidence), 4096).unwrap();
    assert_eq!(told.verify(&world.name()), Ok(world.issuer.node()));
    // It may be newer than what is known of the log; nobody is accused of that.
    assert_eq!(logs.standing(&minted(&world, 6)), Standing::NotYetSeen);

    // Nobody is accused of what is logged, or of what he has not signed.
    let Evidence::Minted {
        logged, head, path, ..
    } = told
    else {
        panic!("it was minted");
    };
    let by_another = logged
        .certificate
        .renewed(
            &SigningKey::from_seed([9; 32]),
            Rights::default(),
            NOW,
            NOW + days(9),
            2,
        )
        .unwrap();
    for certificate in [
        logged.certificate.clone(),
        by_another,
        minted(&world, 3),
        minted(&world, 6),
    ] {
        let claim = Evidence::Minted {
            certificate,
            logged: logged.clone(),
            head,
            path: path.clone(),
        };
        assert_eq!(claim.verify(&world.name()), Err(NoEvidence));
    }
}

#[test]
fn logs_take_what_holds_and_is_longer() {
    let mut world = world_of(2);
    let earlier = own(&world.issuer).clone();
    world.member();
    let later = own(&world.issuer).clone();
    let descriptor = world.community.descriptor();
    let mut logs = Logs::new(world.name());
    assert_eq!(logs.merge(earlier.clone(), descriptor), Ok(true));
    assert_eq!(logs.merge(later.clone(), descriptor), Ok(true));
    assert_eq!(logs.merge(later.clone(), descriptor), Ok(false));
    assert_eq!(logs.merge(earlier, descriptor), Ok(false));
    assert_eq!(logs.of(world.issuer.node()), Some(&later));

    // A second issuer's, once it is listed.
    let enrolment = SigningKey::from_seed([2; 32]);
    let listed = world
        .community
        .list_issuer(&world.authority, enrolment.node());
    let mut other = World::new();
    other.rng = base::Rng::from_number(5);
    other.issuer = world.other_issuer(enrolment);
    other.community = listed.unwrap();
    other.member();
    let log = own(&other.issuer).clone();
    assert_eq!(
        logs.merge(log.clone(), world.community.descriptor()),
        Err(MergeError::UnknownIssuer)
    );
    let descriptor = other.community.descriptor();
    assert_eq!(logs.merge(log, descriptor), Ok(true));
    assert_eq!(logs.iter().count(), 2);
    assert_eq!(logs.in_force(descriptor, NOW).len(), 4);

    let elsewhere = Log::new(Digest::of("another", &[]), world.issuer.node());
    assert_eq!(
        logs.merge(elsewhere, descriptor),
        Err(MergeError::AnotherCommunity)
    );
    let stored: Logs = decode(&encode(&logs), LOGS_BYTES_MAX).unwrap();
    assert_eq!((stored.verify(), &stored), (Ok(()), &logs));
}

#[test]
fn certificates_in_force_are_counted_by_time_and_list() {
    let mut world = world_of(3);
    let mut brief = invitation();
    brief.valid_for = days(10);
    let ticket = world.invite(brief);
    let request = ticket.request(world.newcomer());
    let brief = world.redeem(&request, NOW).unwrap();
    let count = |world: &World, at| {
        let logs = world.issuer.logs();
        logs.in_force(world.community.descriptor(), at).len()
    };
    assert_eq!(count(&world, NOW), 4);
    assert_eq!(count(&world, NOW + days(11)), 3);
    assert_eq!(count(&world, NOW + days(366)), 0);
    assert_eq!(count(&world, NOW - days(1)), 0);
    // Renewed is not counted twice, revoked not at all.
    let descriptor = world.community.descriptor();
    let renewed = world.issuer.renew(descriptor, brief.node(), days(50), NOW);
    assert!(renewed.is_ok());
    assert_eq!(count(&world, NOW), 4);
    world.community = world
        .community
        .revoke(&world.authority, brief.node())
        .unwrap();
    assert_eq!(count(&world, NOW), 3);
}

/// Two issuers who do not tell each other give one node two places, and all see it.
#[test]
fn a_node_in_two_places_is_seen() {
    let mut world = World::new();
    let ticket = world.invite(invitation());
    let keys = world.newcomer();
    world.redeem(&ticket.request(keys), NOW).unwrap();
    let enrolment = SigningKey::from_seed([2; 32]);
    let listed = world
        .community
        .list_issuer(&world.authority, enrolment.node());
    let mut other = World::new();
    other.rng = base::Rng::from_number(5);
    other.community = listed.unwrap();
    other.issuer = world.other_issuer(enrolment);
    let second = other.invite(invitation());
    other.redeem(&second.request(keys), NOW).unwrap();
    let mut logs = world.issuer.logs().clone();
    let log = own(&other.issuer).clone();
    assert_eq!(logs.merge(log, other.community.descriptor()), Ok(true));
    assert_eq!(
        logs.in_two_places().into_iter().collect::<Vec<_>>(),
        [keys.node]
    );
}

#[test]
fn only_what_fits_is_appended() {
    let world = world_of(2);
    let mut log = own(&world.issuer).clone();
    let entry = |certificate: Certificate, at| LogEntry {
        certificate,
        at,
        replaces: None,
    };
    let good = minted(&world, 3);
    let stranger = SigningKey::from_seed([9; 32]);
    let elsewhere = good
        .renewed(&stranger, Rights::default(), NOW, NOW + days(1), 3)
        .unwrap();
    let append = |log: &mut Log, entry| log.append(&world.authority, entry);
    for (bad, why) in [
        (entry(minted(&world, 2), NOW), LogError::OutOfPlace(3)),
        (entry(minted(&world, 4), NOW), LogError::OutOfPlace(3)),
        (entry(elsewhere, NOW), LogError::OutOfPlace(3)),
        (entry(good.clone(), NOW - days(1)), LogError::OutOfTime(3)),
    ] {
        assert_eq!(append(&mut log, bad), Err(why));
    }
    let refused = log.append(&stranger, entry(good.clone(), NOW));
    assert_eq!(refused, Err(LogError::NotTheIssuer));
    assert_eq!(&log, own(&world.issuer));
    assert_eq!(append(&mut log, entry(good, NOW)), Ok(()));
    assert_eq!(log.verify(), Ok(()));
}

#[test]
fn no_changed_log_holds() {
    let world = world_of(2);
    let good = encode(own(&world.issuer));
    for at in 0..good.len() {
        let mut changed = good.clone();
        changed[at] ^= 1;
        if let Ok(log) = decode::<Log>(&changed, LOG_BYTES_MAX) {
            assert!(log.verify().is_err(), "byte {at}");
        }
    }
}

#[test]
fn an_issuer_that_has_forgotten_its_log_does_not_go_on() {
    let mut world = world_of(2);
    let (key, book) = (world.authority.clone(), world.issuer.book().clone());
    let earlier = world.issuer.logs().clone();
    let last = world.member().node();
    let again = |logs: &Logs, book: &TicketBook| {
        Issuer::new(key.clone(), logs.clone(), book.clone()).map(|_| ())
    };
    let later = world.issuer.book();
    assert_eq!(again(world.issuer.logs(), later), Ok(()));
    assert_eq!(again(&earlier, &book), Ok(()));
    // The log is stored before the book.
    assert_eq!(again(world.issuer.logs(), &book), Ok(()));
    assert_eq!(again(&earlier, later), Err(MemoryError::Forgotten(last)));
    let nothing = Logs::new(world.name());
    assert!(matches!(
        again(&nothing, later),
        Err(MemoryError::Forgotten(_))
    ));
    // Nor does it go on with a damaged one: a bit of the last signature.
    let mut bytes = encode(world.issuer.logs());
    *bytes.last_mut().unwrap() ^= 1;
    let damaged: Logs = decode(&bytes, LOGS_BYTES_MAX).unwrap();
    assert_eq!(
        again(&damaged, later),
        Err(MemoryError::Logs(LogError::HeadSignature.into()))
    );
}

/// After a clock was wrong for once, the issuer goes on.
#[test]
fn a_clock_set_back_does_not_stop_an_issuer() {
    let mut world = World::new();
    let first = world.member();
    let descriptor = world.community.descriptor();
    let before = NOW - days(3);
    let renewed = world
        .issuer
        .renew(descriptor, first.node(), days(30), before);
    assert!(renewed.is_ok());
    assert_eq!(own(&world.issuer).verify(), Ok(()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whoever merges what in which order: all know the same in the end.
    #[test]
    fn merging_is_the_same_in_any_order(lengths in prop::collection::vec(0usize..6, 1..6)) {
        let mut world = World::new();
        let mut states = vec![Log::new(world.name(), world.issuer.node())];
        for _ in 0..6 {
            world.member();
            states.push(own(&world.issuer).clone());
        }
        let descriptor = world.community.descriptor();
        let (mut forth, mut back) = (Logs::new(world.name()), Logs::new(world.name()));
        for length in &lengths {
            forth.merge(states[*length].clone(), descriptor).unwrap();
        }
        for length in lengths.iter().rev() {
            back.merge(states[*length].clone(), descriptor).unwrap();
        }
        let longest = *lengths.iter().max().unwrap();
        prop_assert_eq!(forth.of(world.issuer.node()), Some(&states[longest]));
        prop_assert_eq!(forth, back);
    }

    #[test]
    fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
        if let Ok(log) = decode::<Log>(&bytes, LOG_BYTES_MAX) {
            prop_assert_eq!(encode(&log), bytes.clone());
        }
        if let Ok(logs) = decode::<Logs>(&bytes, LOGS_BYTES_MAX) {
            prop_assert_eq!(encode(&logs), bytes.clone());
        }
        if let Ok(book) = decode::<TicketBook>(&bytes, LOGS_BYTES_MAX) {
            prop_assert_eq!(encode(&book), bytes.clone());
        }
        if let Ok(evidence) = decode::<Evidence>(&bytes, LOGS_BYTES_MAX) {
            prop_assert!(evidence.verify(&Digest::of("any", &[])).is_err());
        }
    }
}
