use base::Rng;

use super::*;

const NOW: Instant = Instant::from_secs(100);

fn held(asker: u8, closed_at: u64, bytes: usize) -> Held {
    let key = SigningKey::generate(&mut Rng::from_number(1));
    Held {
        asker: NodeId([asker; 32]),
        closed_at: Instant::from_secs(closed_at),
        publication: Publication::new(&key, vec![0; bytes]),
    }
}

fn name(number: usize) -> Digest {
    Digest::of("test", &[&number.to_be_bytes()])
}

#[test]
fn the_latest_are_kept_and_no_asker_pushes_others_out() {
    let own = NodeId([9; 32]);
    let mut publishing = Publishing::default();
    for number in 0..OF_ONE_ASKER_MAX {
        let at = 1000 + number as u64;
        publishing.held.insert(name(number), held(1, at, 10));
    }
    publishing.held.insert(name(900), held(2, 1, 10));
    assert_eq!(publishing.surplus(own), None);
    publishing.held.insert(name(800), held(1, 5000, 10));
    assert_eq!(
        publishing.surplus(own),
        Some(name(0)),
        "of the one with too many"
    );
    publishing.held.remove(&name(0));
    for asker in 10..10 + (PUBLISHED_MAX - OF_ONE_ASKER_MAX) as u8 {
        let number = 1000 + usize::from(asker);
        publishing.held.insert(name(number), held(asker, 2000, 10));
    }
    assert_eq!(publishing.surplus(own), Some(name(900)), "the oldest");
    assert_ne!(
        publishing.surplus(NodeId([2; 32])),
        Some(name(900)),
        "own ones go last"
    );
    publishing
        .held
        .retain(|_, held| held.asker == NodeId([1; 32]));
    assert_eq!(publishing.surplus(own), None);
    publishing
        .held
        .insert(name(901), held(3, 1, HELD_BYTES_MAX));
    assert_eq!(publishing.surplus(own), Some(name(901)), "too many bytes");
}

#[test]
fn nobody_is_given_more_than_there_is() {
    let mut publishing = Publishing::default();
    let (one, other) = (NodeId([1; 32]), NodeId([2; 32]));
    for _ in 0..GIVEN_MAX {
        assert!(publishing.may_give(NOW, one));
    }
    assert!(!publishing.may_give(NOW, one) && publishing.may_give(NOW, other));
    assert!(publishing.may_give(NOW + HOUR, one));
    let many = (0..2 * REMEMBERED_MAX).map(|number| NodeId(name(number).0));
    let given = many.filter(|node| publishing.may_give(NOW + HOUR, *node));
    assert!(given.count() < REMEMBERED_MAX + 1);
    assert!(publishing.given.len() <= REMEMBERED_MAX);
}
