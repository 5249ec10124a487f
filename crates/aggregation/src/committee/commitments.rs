//! One digest for the commitments to all lanes' shares, and the path by which a lane finds its own in it.
//!
//! A hash tree (Merkle 1987): each lane gets log2 m digests rather than those of all m lanes. One of odd number goes up as it
//! is.

use base::Digest;

/// Most digests of a path: there are at most 300 lanes.
pub const PATH_MAX: usize = 9;

fn join(left: &Digest, right: &Digest) -> Digest {
    Digest::of("commitments", &[left.as_bytes(), right.as_bytes()])
}

fn level_above(level: &[Digest]) -> Vec<Digest> {
    let pair = |pair: &[Digest]| match pair {
        [left, right] => join(left, right),
        alone => alone[0],
    };
    level.chunks(2).map(pair).collect()
}

/// Names all of them, in order; none of none.
pub fn root(commitments: &[Digest]) -> Option<Digest> {
    let mut level = commitments.to_vec();
    while level.len() > 1 {
        level = level_above(&level);
    }
    level.first().copied()
}

/// What one who knows the commitment of `lane` needs to find the root.
pub fn path(commitments: &[Digest], lane: usize) -> Vec<Digest> {
    let (mut level, mut place, mut path) = (commitments.to_vec(), lane, Vec::new());
    while level.len() > 1 {
        path.extend(level.get(place ^ 1));
        (level, place) = (level_above(&level), place / 2);
    }
    path
}

/// The root that follows from the commitment of `lane` of `lanes`. `None` when the path is not as long as it is there.
pub fn climb(commitment: Digest, lane: usize, lanes: usize, path: &[Digest]) -> Option<Digest> {
    let (mut digest, mut place, mut len, mut path) = (commitment, lane, lanes, path.iter());
    while len > 1 {
        if place ^ 1 < len {
            let other = path.next()?;
            digest = if place % 2 == 0 {
                join(&digest, other)
            } else {
                join(other, &digest)
            };
        }
        (place, len) = (place / 2, len.div_ceil(2));
    }
    path.next().is_none().then_some(digest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some(lanes: usize) -> Vec<Digest> {
        (0..lanes).map(|lane| Digest([lane as u8; 32])).collect()
    }

    #[test]
    fn each_lane_finds_the_root_and_no_other_way() {
        for lanes in 1..40 {
            let all = some(lanes);
            let root = root(&all).unwrap();
            for lane in 0..lanes {
                let mut path = path(&all, lane);
                assert!(path.len() <= PATH_MAX);
                assert_eq!(climb(all[lane], lane, lanes, &path), Some(root));
                assert_ne!(climb(Digest([99; 32]), lane, lanes, &path), Some(root));
                for other in (0..lanes).filter(|other| *other != lane) {
                    assert_ne!(climb(all[lane], other, lanes, &path), Some(root));
                }
                path.push(root);
                assert_eq!(climb(all[lane], lane, lanes, &path), None);
            }
        }
        assert_eq!(root(&[]), None);
    }

    #[test]
    fn every_commitment_and_their_order_matter() {
        for lanes in 2..20 {
            let (good, mut other) = (some(lanes), some(lanes));
            other.swap(0, lanes - 1);
            assert_ne!(root(&good), root(&other));
            other = some(lanes);
            other[lanes / 2] = Digest([77; 32]);
            assert_ne!(root(&good), root(&other));
            assert_ne!(root(&good), root(&good[..lanes - 1]));
        }
    }
}
