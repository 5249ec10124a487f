//! What proving and checking cost with the library's own circuits: what ours is held against.

use prio::codec::Encode as _;
use prio::flp::Type;
use prio::vdaf::prio3::{Prio3, optimal_chunk_length};
use prio::vdaf::xof::XofTurboShake128;
use prio::vdaf::{Aggregator as _, Client as _};

use crate::timing::{micros, time};

/// What one contribution costs, in microseconds, and in bytes.
pub struct Cost {
    /// Proving and splitting.
    pub shard: f64,
    /// Checking, by a replica of the first lane, which holds elements, and of another, which holds seeds.
    pub check: [f64; 2],
    /// Bytes of shares and proofs.
    pub upload: usize,
    /// Bytes that one lane tells the others.
    pub told: usize,
}

/// Somebody in one of so many buckets.
pub fn histogram(lanes: usize, buckets: usize) -> Bare<impl Type> {
    let chunk = optimal_chunk_length(buckets);
    Bare {
        prio3: Prio3::new_histogram(few(lanes), buckets, chunk).expect("within all limits"),
        measurement: buckets / 2,
        lanes,
    }
}

/// Values that are added up each by itself, up to `max`.
pub fn sums(lanes: usize, max: u64, values: Vec<u128>) -> Bare<impl Type> {
    let bits = (u64::BITS - max.leading_zeros()) as usize;
    let (len, chunk) = (values.len(), optimal_chunk_length(values.len() * bits));
    Bare {
        prio3: Prio3::new_sum_vec(few(lanes), max.into(), len, chunk).expect("within all limits"),
        measurement: values,
        lanes,
    }
}

fn few(lanes: usize) -> u8 {
    lanes.try_into().expect("few lanes")
}

/// One of the library's circuits, with something to contribute.
pub struct Bare<T: Type> {
    prio3: Prio3<T, XofTurboShake128, 32>,
    measurement: T::Measurement,
    /// Into which it is split.
    pub lanes: usize,
}

impl<T: Type> Bare<T> {
    /// Does it once.
    pub fn cost(&self) -> Cost {
        let (context, nonce, key) = (b"bench", [1; 16], [2; 32]);
        let (shard, sharded) = time(|| self.prio3.shard(context, &self.measurement, &nonce));
        let (public, shares) = sharded.expect("a valid contribution");
        let prepare = |lane: usize| {
            self.prio3
                .verify_init(&key, context, lane, &(), &nonce, &public, &shares[lane])
                .expect("an honest contribution")
        };
        let verifiers: Vec<_> = (0..self.lanes).map(|lane| prepare(lane).1).collect();
        let check = [0, 1].map(|lane| {
            let verifiers = verifiers.clone();
            let (spent, share) = time(|| {
                let (state, _) = prepare(lane);
                let message = self
                    .prio3
                    .verifier_shares_to_message(context, &(), verifiers)?;
                self.prio3.verify_next(context, state, message)
            });
            share.expect("an honest contribution");
            micros(spent)
        });
        let bytes = |encoded: Result<Vec<u8>, _>| encoded.expect("vectors grow").len();
        Cost {
            shard: micros(shard),
            check,
            upload: bytes(public.get_encoded())
                + shares
                    .iter()
                    .map(|share| bytes(share.get_encoded()))
                    .sum::<usize>(),
            told: bytes(verifiers[0].get_encoded()),
        }
    }
}
