//! The keys of the lanes: one to seal to, and a seed of the key under which proofs are checked.
//!
//! Both follow from one secret, which the lane's first live replica draws and gives to its mates. Of the seed, a digest is
//! signed at the same time as the public key: when the lanes later show their seeds, nobody can still choose.
//!
//! A lane's key in anybody's hands counts when *one* seat of that lane signed it. That seat may collude; but then it would
//! have learnt the lane's shares and seed anyway, and what is secret rests on the lanes without colluders. It is for the
//! asker to see that enough of each lane hold the secret, or there will be no answer.

use std::fmt;

use base::{Digest, encode};
use crypto::{Batch, SealingKey, SealingPublicKey};
use minicbor::{Decode, Encode};
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::committee::fault::Misbehaviour;
use crate::committee::statement::{Signed, statement};
use crate::committee::terms::Terms;

/// The key of one lane. Who signs it holds the secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(map)]
pub struct LaneKey {
    /// The computation.
    #[n(0)]
    pub round: Digest,
    /// To which the lane's shares are sealed.
    #[n(1)]
    pub public: SealingPublicKey,
    /// Commits to the lane's seed: [`Seed::commitment`].
    #[n(2)]
    pub seed: Digest,
}

statement!(LaneKey, "lane key", key => key.round);

impl LaneKey {
    /// What follows from this secret.
    pub fn of(round: Digest, secret: &SealingKey) -> Self {
        Self {
            round,
            public: secret.public(),
            seed: Seed::of(round, secret).commitment(),
        }
    }
}

/// One lane's part of the key under which proofs are checked. Secret until the candidates are closed.
#[derive(Clone, PartialEq, Eq, Zeroize, ZeroizeOnDrop, Encode, Decode)]
#[cbor(transparent)]
pub struct Seed(#[cbor(n(0), with = "minicbor::bytes")] [u8; 32]);

impl fmt::Debug for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seed(secret)")
    }
}

impl Seed {
    /// The seed that goes with a lane's secret.
    pub fn of(round: Digest, secret: &SealingKey) -> Self {
        let secret = secret.to_bytes();
        Self(Digest::of("lane seed", &[round.as_bytes(), secret.as_slice()]).0)
    }

    /// Binds the lane to its seed without showing it.
    pub fn commitment(&self) -> Digest {
        Digest::of("lane seed commitment", &[&self.0])
    }

    /// The key that nobody knows who lacks one of the seeds.
    pub fn together<'a>(seeds: impl Iterator<Item = &'a Self>) -> [u8; 32] {
        let mut key = [0; 32];
        for Self(seed) in seeds {
            key.iter_mut().zip(seed).for_each(|(a, b)| *a ^= b);
        }
        key
    }
}

/// Names the keys of all lanes, whoever signed them.
pub fn digest(lanes: &[Signed<LaneKey>]) -> Digest {
    let keys: Vec<_> = lanes.iter().map(|signed| signed.body).collect();
    Digest::of("lane keys", &[&encode(&keys)])
}

impl Terms {
    /// Checks that each lane's key is signed by a seat of that lane: one signature check for each lane. To a committee that
    /// adds up others' sums nothing is sealed.
    ///
    /// # Errors
    ///
    /// The check that failed.
    pub fn check_lanes(&self, lanes: &[Signed<LaneKey>]) -> Result<(), Misbehaviour> {
        let expected = if self.place.is_leaf() {
            self.lanes()
        } else {
            0
        };
        if lanes.len() != expected {
            return Err(Misbehaviour::Shape);
        }
        let mut batch = Batch::new();
        for (lane, signed) in lanes.iter().enumerate() {
            if !self.lane(lane).contains(&signed.index()) {
                return Err(Misbehaviour::Seat);
            }
            signed.check_in(&mut batch, self)?;
        }
        batch.verify().map_err(|_| Misbehaviour::Signature)
    }
}

#[cfg(test)]
mod tests {
    use base::Rng;

    use super::*;

    #[test]
    fn every_seed_matters_and_none_is_printed() {
        let rng = &mut Rng::from_number(1);
        let round = Digest([1; 32]);
        let secrets: Vec<_> = (0..3).map(|_| SealingKey::generate(rng)).collect();
        let seeds: Vec<_> = secrets.iter().map(|s| Seed::of(round, s)).collect();
        let key = Seed::together(seeds.iter());
        for lane in 0..3 {
            assert_ne!(key, Seed::together(seeds.iter().skip(lane + 1)));
            assert_eq!(seeds[lane], Seed::of(round, &secrets[lane]));
            assert_ne!(seeds[lane], Seed::of(Digest([2; 32]), &secrets[lane]));
            assert_eq!(format!("{:?}", seeds[lane]), "Seed(secret)");
        }
        assert_eq!(LaneKey::of(round, &secrets[0]).seed, seeds[0].commitment());
        assert_ne!(seeds[0].commitment(), seeds[1].commitment());
    }
}
