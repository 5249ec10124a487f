//! Where on the ring a random value puts a draw: one point, several at equal distances, or the next one when too few nodes
//! are near the first (SEP2P §3.5 step 2, §3.6; design: selection).

use base::{Digest, Location};
use minicbor::{Decode, Encode};

/// Most committees of one draw: enough for 1.9 million people, a million need 2118 (docs: sizes). What it bounds is what
/// the trigger keeps of its own draw, about 15 kB for each list of 300 seats, 60 MB in all; a setter or witness is asked
/// about one committee at a time.
pub const COMMITTEES_MAX: u32 = 4096;
/// Most times that a draw moves on because too few nodes are near its point. Guess: each is unlikely, so that five in a
/// row mean that the community is not what its descriptor says.
pub const MOVES_MAX: u32 = 4;

/// One of the points that a random value names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(map)]
pub struct Site {
    /// Which of the committees that are drawn from this random, below their number.
    #[n(0)]
    pub committee: u32,
    /// How many committees are drawn from this random, at least 1. They sit at equal distances round the ring.
    #[n(1)]
    pub committees: u32,
    /// How often the draw has moved on. Only a draw of one committee does: several would come too close to each other.
    #[n(2)]
    pub moves: u32,
}

impl Site {
    /// Where the only committee of a draw sits at first.
    pub const FIRST: Self = Self {
        committee: 0,
        committees: 1,
        moves: 0,
    };

    /// Where all committees of a draw sit at first.
    pub fn all(committees: u32) -> impl Iterator<Item = Self> {
        (0..committees).map(move |committee| Self {
            committee,
            committees,
            moves: 0,
        })
    }

    /// Whether there is such a site at all.
    pub fn is_valid(&self) -> bool {
        let several = self.committees > 1;
        (1..=COMMITTEES_MAX).contains(&self.committees)
            && self.committee < self.committees
            && self.moves <= if several { 0 } else { MOVES_MAX }
    }

    /// Where the draw goes from here when too few nodes are near.
    pub fn next(&self) -> Option<Self> {
        let next = Self {
            moves: self.moves + 1,
            ..*self
        };
        next.is_valid().then_some(next)
    }

    /// The point of the ring. Each move hashes once more, so that nobody chooses where to.
    pub fn point(&self, random: &Digest) -> Location {
        let rehash = |random: Digest, _| Digest::of("relocated", &[&random.0]);
        let Location(first) = point_of(&(0..self.moves).fold(*random, rehash));
        let committee = u128::from(self.committee) << 64;
        let offset = committee / u128::from(self.committees.max(1));
        Location(first.wrapping_add(offset as u64))
    }
}

/// The point of the ring to which a random value displaces the draw (SEP2P §3.5 step 2).
pub fn point_of(random: &Digest) -> Location {
    Location::of(&Digest::of("point", &[&random.0]))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn random(number: u64) -> Digest {
        Digest::of("a random", &[&number.to_be_bytes()])
    }

    #[test]
    fn moves_end() {
        let sites: Vec<_> = std::iter::successors(Some(Site::FIRST), Site::next).collect();
        assert_eq!(sites.len(), MOVES_MAX as usize + 1);
        assert!(sites.iter().all(Site::is_valid));
        let points: std::collections::BTreeSet<_> =
            sites.iter().map(|site| site.point(&random(1))).collect();
        assert_eq!(points.len(), sites.len());
        assert_eq!(Site::all(2).next().and_then(|site| site.next()), None);
    }

    #[test]
    fn knows_what_is_no_site() {
        let site = |committee, committees, moves| Site {
            committee,
            committees,
            moves,
        };
        for bad in [
            site(0, 0, 0),
            site(1, 1, 0),
            site(0, COMMITTEES_MAX + 1, 0),
            site(0, 2, 1),
            site(0, 1, MOVES_MAX + 1),
        ] {
            assert!(!bad.is_valid(), "{bad:?}");
            bad.point(&random(1));
        }
    }

    proptest! {
        #[test]
        fn committees_sit_at_equal_distances(number: u64, committees in 1..=COMMITTEES_MAX) {
            let points: Vec<_> = Site::all(committees).map(|site| site.point(&random(number))).collect();
            prop_assert_eq!(points[0], point_of(&random(number)));
            let next = points.iter().skip(1).chain(&points[..1]);
            let even = (u128::from(u64::MAX) / u128::from(committees)) as i128;
            for (one, other) in points.iter().zip(next) {
                let width = other.0.wrapping_sub(one.0).wrapping_sub(1);
                prop_assert!((i128::from(width) - even).abs() <= 2);
            }
        }
    }
}
