//! One descriptor after the other, and those that do not follow.

use base::{NodeId, decode, encode};
use community::{
    AmendmentError, Community, ContactError, DESCRIPTOR_BYTES_MAX, Descriptor, DescriptorError,
    ENROLMENT_MAX, Retired, SUCCESSIONS_MAX, SignedDescriptor, check_certificate,
};
use crypto::{CertificateError, SigningKey};

use crate::world::{NOW, World, descriptor, found};

fn key(number: u8) -> SigningKey {
    SigningKey::from_seed([number; 32])
}

fn amended(community: &Community, by: &SigningKey, nodes: u64) -> Community {
    community.amend(by, |next| next.nodes = nodes).unwrap()
}

#[test]
fn each_epoch_follows_the_one_before() {
    let authority = key(1);
    let first = found(&authority);
    let second = amended(&first, &authority, 50);
    assert_eq!(second.descriptor().epoch, 2);
    assert_eq!(second.descriptor().nodes, 50);
    let seen = first.succeed(second.signed().clone()).unwrap();
    assert_eq!(seen.digest(), second.digest());
    let third = amended(&second, &authority, 60);
    assert!(seen.succeed(third.signed().clone()).is_ok());
}

#[test]
fn skipped_repeated_and_older_epochs_are_refused() {
    let authority = key(1);
    let first = found(&authority);
    let second = amended(&first, &authority, 50);
    let third = amended(&second, &authority, 60);
    for (known, offered) in [(&first, &third), (&second, &second), (&third, &first)] {
        let refused = known.succeed(offered.signed().clone()).unwrap_err();
        let why = AmendmentError::NotNext {
            known: known.descriptor().epoch,
            offered: offered.descriptor().epoch,
        };
        assert_eq!(refused, why);
    }
}

#[test]
fn an_authority_that_contradicts_itself_is_found_out() {
    let authority = key(1);
    let first = found(&authority);
    let (one, two) = (
        amended(&first, &authority, 50),
        amended(&first, &authority, 51),
    );
    let refused = one.succeed(two.signed().clone()).unwrap_err();
    assert_eq!(refused, AmendmentError::Contradiction(2));
}

#[test]
fn nobody_else_amends() {
    let authority = key(1);
    let first = found(&authority);
    let other = key(2);
    let refused = first.amend(&other, |next| next.nodes = 50);
    assert_eq!(refused.unwrap_err(), AmendmentError::NotTheAuthority);
    // An enrolment key issues and does not amend.
    let listed = first.list_issuer(&authority, other.node()).unwrap();
    let refused = listed.amend(&other, |next| next.nodes = 50);
    assert_eq!(refused.unwrap_err(), AmendmentError::NotTheAuthority);
    // Another community of the same authority, and one of somebody else under the same name.
    let mut second = descriptor(&authority);
    second.name = "other gardeners".into();
    second.community = Descriptor::community_of("other gardeners", authority.node());
    second.epoch = 2;
    let second = SignedDescriptor::sign(&second, &authority).unwrap();
    assert_eq!(
        first.succeed(second).unwrap_err(),
        AmendmentError::AnotherCommunity
    );
    let stolen = found(&other).signed().clone();
    assert_eq!(
        first.succeed(stolen).unwrap_err(),
        AmendmentError::AnotherCommunity
    );
    // The name is part of what the community is.
    let renamed = first.amend(&authority, |next| next.name = "new".into());
    assert_eq!(
        renamed.unwrap_err(),
        AmendmentError::Descriptor(DescriptorError::Authority)
    );
}

#[test]
fn a_new_key_is_accepted_when_the_old_one_vouches_for_it() {
    let (a, b, c) = (key(1), key(2), key(3));
    let first = found(&a);
    let second = first.rotate(&a, &b, Retired::StillCounts).unwrap();
    let third = amended(&second, &b, 50);
    let fourth = third.rotate(&b, &c, Retired::Distrusted).unwrap();
    let mut seen = first.clone();
    for next in [&second, &third, &fourth] {
        seen = seen.succeed(next.signed().clone()).unwrap();
    }
    let last = seen.descriptor();
    assert_eq!(
        (last.authority, last.enrolment.as_slice()),
        (c.node(), &[a.node()][..])
    );
    assert_eq!(last.community, first.descriptor().community);
    // Who knows nothing but the community's digest can check it.
    let bytes = encode(fourth.signed());
    let read: SignedDescriptor = decode(&bytes, DESCRIPTOR_BYTES_MAX).unwrap();
    assert_eq!(read.open().as_ref(), Ok(last));
    assert_eq!(read.successions().len(), 2);
    // The old keys amend no longer.
    for old in [&a, &b] {
        let refused = fourth.amend(old, |next| next.nodes = 1);
        assert_eq!(refused.unwrap_err(), AmendmentError::NotTheAuthority);
    }
}

#[test]
fn nobody_else_rotates() {
    let (a, b, thief) = (key(1), key(2), key(9));
    let first = found(&a);
    let refused = first.rotate(&thief, &b, Retired::StillCounts);
    assert_eq!(refused.unwrap_err(), AmendmentError::NotTheAuthority);
    let same = first.rotate(&a, &a, Retired::StillCounts);
    assert_eq!(same.unwrap_err(), AmendmentError::AlreadyListed);
    // Somebody with a key that was replaced makes a successor of his own: who knows better does not follow.
    let second = first.rotate(&a, &b, Retired::StillCounts).unwrap();
    let third = amended(&second, &b, 50);
    let usurped = amended(&first, &a, 41)
        .rotate(&a, &thief, Retired::StillCounts)
        .unwrap();
    assert_eq!(usurped.descriptor().epoch, 3);
    assert_eq!(
        second.succeed(usurped.signed().clone()).unwrap_err(),
        AmendmentError::NotVouchedFor
    );
    assert_eq!(
        third.succeed(usurped.signed().clone()).unwrap_err(),
        AmendmentError::Contradiction(3)
    );
    // Nor does anybody follow a key for which nobody vouches, or whose chain was cut or changed.
    let bytes = encode(third.signed());
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        let opened = decode::<SignedDescriptor>(&changed, DESCRIPTOR_BYTES_MAX).map(|s| s.open());
        assert!(!matches!(opened, Ok(Ok(_))), "byte {at}");
    }
}

#[test]
fn the_chain_of_keys_ends_somewhere() {
    let mut community = found(&key(0));
    for number in 1..=SUCCESSIONS_MAX as u8 {
        let (old, new) = (key(number - 1), key(number));
        community = community.rotate(&old, &new, Retired::Distrusted).unwrap();
    }
    let (old, new) = (key(SUCCESSIONS_MAX as u8), key(200));
    let refused = community.rotate(&old, &new, Retired::Distrusted);
    assert_eq!(
        refused.unwrap_err(),
        AmendmentError::Descriptor(DescriptorError::Authority)
    );
}

#[test]
fn certificates_of_a_retired_key_count_unless_it_is_distrusted() {
    let mut world = World::new();
    let certificate = world.member();
    let rotated = |retired| {
        let new = key(2);
        let rotated = world.community.rotate(&world.authority, &new, retired);
        let rotated = rotated.unwrap();
        check_certificate(&certificate, rotated.descriptor(), NOW)
    };
    assert_eq!(rotated(Retired::StillCounts), Ok(()));
    assert_eq!(
        rotated(Retired::Distrusted),
        Err(ContactError::Certificate(CertificateError::UnknownIssuer))
    );
}

#[test]
fn revoking_keeps_the_list_in_order() {
    let authority = key(1);
    let mut community = found(&authority);
    for number in [5, 1, 9, 7] {
        let node = NodeId([number; 32]);
        community = community.revoke(&authority, node).unwrap();
        assert!(community.descriptor().is_revoked(node));
        let again = community.revoke(&authority, node).unwrap_err();
        assert_eq!(again, AmendmentError::AlreadyListed);
    }
    assert_eq!(community.descriptor().revoked.len(), 4);
    assert!(!community.descriptor().is_revoked(NodeId([2; 32])));
}

#[test]
fn issuers_are_listed_and_unlisted_within_limits() {
    let authority = key(1);
    let mut community = found(&authority);
    let unknown = community.unlist_issuer(&authority, key(2).node());
    assert_eq!(unknown.unwrap_err(), AmendmentError::NotListed);
    let listed = community.list_issuer(&authority, authority.node());
    assert_eq!(listed.unwrap_err(), AmendmentError::AlreadyListed);
    for number in 0..ENROLMENT_MAX as u8 {
        let issuer = key(100 + number).node();
        community = community.list_issuer(&authority, issuer).unwrap();
    }
    let full = community.list_issuer(&authority, key(2).node());
    assert_eq!(
        full.unwrap_err(),
        AmendmentError::Descriptor(DescriptorError::OutOfRange)
    );
    let fewer = community
        .unlist_issuer(&authority, key(100).node())
        .unwrap();
    assert!(!fewer.descriptor().issuers().contains(&key(100).node()));
}
