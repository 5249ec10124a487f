//! The ring [0, 1): locations, distances and regions.

use std::fmt;

use minicbor::{Decode, Encode};

use crate::{Digest, NodeId};

/// A point of the ring [0, 1), in units of 2^-64.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct Location(#[n(0)] pub u64);

impl Location {
    /// The point that a digest stands for: its first eight bytes.
    pub fn of(digest: &Digest) -> Self {
        let mut first = [0; 8];
        first.copy_from_slice(&digest.0[..8]);
        Self(u64::from_be_bytes(first))
    }

    /// Distance along the shorter way round, at most 2^63 (half the ring).
    pub fn distance(self, other: Self) -> u64 {
        let clockwise = other.0.wrapping_sub(self.0);
        clockwise.min(clockwise.wrapping_neg())
    }

    /// Orders nodes by how close they are to this point. Two nodes at one distance are ordered by name, so that everyone
    /// who knows the same nodes finds the same nearest ones.
    pub fn rank(self, node: NodeId, location: Self) -> (u64, NodeId) {
        (self.distance(location), node)
    }

    /// As a fraction of the ring.
    pub fn as_f64(self) -> f64 {
        self.0 as f64 / 2f64.powi(64)
    }
}

impl fmt::Debug for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.6}", self.as_f64())
    }
}

/// An arc of the ring, given by its centre and total size.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Region {
    centre: Location,
    /// Greatest distance from the centre that is still inside.
    reach: u64,
}

impl Region {
    /// The arc of total width `size` (0 to 1, clamped) around `centre`.
    pub fn new(centre: Location, size: f64) -> Self {
        // Half the width on each side; the cast saturates, and half the ring reaches every point.
        let reach = (size.clamp(0.0, 1.0) * 2f64.powi(63)) as u64;
        Self { centre, reach }
    }

    /// Where it begins, clockwise; the whole ring begins opposite its centre.
    pub fn begins(&self) -> Location {
        Location(self.centre.0.wrapping_sub(self.reach))
    }

    /// Whether `location` lies inside: SEP2P's legitimacy (definition 4).
    pub fn contains(&self, location: Location) -> bool {
        self.centre.distance(location) <= self.reach
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn wraps_around_zero() {
        let region = Region::new(Location(5), 1e-18);
        assert!(region.contains(Location(u64::MAX)));
        assert!(!region.contains(Location(1 << 62)));
    }

    proptest! {
        #[test]
        fn distance_is_a_metric(a: u64, b: u64, c: u64) {
            let (a, b, c) = (Location(a), Location(b), Location(c));
            prop_assert_eq!(a.distance(b), b.distance(a));
            prop_assert_eq!(a.distance(a), 0);
            prop_assert!(a.distance(b) <= 1 << 63);
            prop_assert!(a.distance(c) <= a.distance(b).saturating_add(b.distance(c)));
        }

        #[test]
        fn the_whole_ring_holds_everything(centre: u64, point: u64) {
            prop_assert!(Region::new(Location(centre), 1.0).contains(Location(point)));
        }

        #[test]
        fn regions_begin_with_their_first_point(centre: u64, size in 0.0..0.999f64) {
            let region = Region::new(Location(centre), size);
            let first = region.begins();
            prop_assert!(region.contains(first));
            prop_assert!(!region.contains(Location(first.0.wrapping_sub(1))));
        }

        #[test]
        fn wider_regions_hold_more(centre: u64, point: u64, a in 0.0..1.0f64, b in 0.0..1.0f64) {
            let (narrow, wide) = (a.min(b), a.max(b));
            let inside = |size| Region::new(Location(centre), size).contains(Location(point));
            prop_assert!(!inside(narrow) || inside(wide));
        }
    }
}
