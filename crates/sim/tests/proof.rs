//! A proof file is what its signers made, to the last bit, or it is refused.

use std::sync::Arc;

use base::{Duration, Rng};
use community::{Community, Descriptor, DescriptorError, SignedDescriptor};
use crypto::SigningKey;
use node::proof::{ProofError, verify};
use sim::community::{Settings, World};

fn proof() -> (World, Vec<u8>) {
    let mut world = World::new(5, &Settings::of(12));
    world.meet();
    let outcome = world.ask("SELECT AVG(hours) FROM sleep", Duration::from_secs(10));
    let bytes = outcome.answers[0].proof.clone();
    (world, bytes)
}

#[test]
fn every_single_byte_change_is_refused() {
    let (world, bytes) = proof();
    assert!(verify(&bytes, &world.community).is_ok());
    let mut rng = Rng::from_number(1);
    for at in 0..bytes.len() {
        let any = 1 + rng.below(255) as u8;
        for change in [1, 0x80, any] {
            let mut changed = bytes.clone();
            changed[at] ^= change;
            let result = verify(&changed, &world.community);
            let error = result.expect_err(&format!("byte {at} of {} ^ {change}", bytes.len()));
            assert!(error.to_string().starts_with("check failed: "), "{error}");
        }
    }
}

#[test]
fn missing_and_surplus_bytes_are_refused() {
    let (world, bytes) = proof();
    for len in 0..bytes.len() {
        let cut = verify(&bytes[..len], &world.community);
        assert!(matches!(cut, Err(ProofError::Bytes(_))), "cut to {len}");
    }
    let longer = [&bytes[..], &[0]].concat();
    assert!(matches!(
        verify(&longer, &world.community),
        Err(ProofError::Bytes(_))
    ));
}

#[test]
fn another_community_s_descriptor_is_refused() {
    let (world, bytes) = proof();
    let other = World::new(6, &Settings::of(12));
    assert!(verify(&bytes, &other.community).is_err());
    // The same numbers, signed by another authority.
    let authority = SigningKey::from_seed([9; 32]);
    let mut descriptor = world.community.descriptor().clone();
    descriptor.authority = authority.node();
    let refused = SignedDescriptor::sign(&descriptor, &authority);
    assert_eq!(refused.map(|_| ()), Err(DescriptorError::Authority));
    descriptor.community = Descriptor::community_of(&descriptor.name, authority.node());
    let forged = SignedDescriptor::sign(&descriptor, &authority).unwrap();
    let forged = Arc::new(Community::open(forged).unwrap());
    assert!(verify(&bytes, &forged).is_err());
}
