//! Proofs that a contribution is in range, without anybody seeing it (design: aggregation, step 3).
//!
//! A share says nothing of what it is a share of, so a contributor could add a million to a histogram and no helper
//! would notice. With its shares it therefore sends shares of a *proof* (Prio3, draft-irtf-cfrg-vdaf-18, by the library
//! `prio`) that the whole is valid: a count of at most one, values in their ranges and products of just these, one
//! bucket of a histogram, one group, and zeros from who does not match. The circuits, in which the match count is one,
//! are our own. A [`Shape`] says what is proved; a declared statistic [has one](Shape::of), or [says why not](NoProof).
//!
//! # How the committee's steps call it
//!
//! 1. *Contribute.* The contributor calls [`Validity::shard`] with the vector it would contribute without a proof. The
//!    [`PublicShare`] goes into its signed header, the [`InputShare`] of each lane takes the place of the plain share:
//!    it is committed to in the header and sealed to the lane. No key is needed.
//! 2. *Close.* Replicas fix the candidate set. Only against its certificate do the lanes release the seeds that they
//!    committed to when they set up; their XOR is the key.
//! 3. *Prove.* For each candidate every replica calls [`Validity::prepare`] with its lane's share and the [`Challenge`]
//!    made of key and header, and signs the [`VerifierShare`], which must be the same for a majority of its lane. With
//!    one from every lane, [`Validity::combine`] decides, for every lane alike; the contribution is refused if it fails.
//! 4. *Add.* [`Validity::finish`] gives the lane's share of the vector, whose sum is opened as ever.
//!
//! # What it rests on
//!
//! *A lie passes* with chance [`Validity::lie_bound`] at most, whatever the contributor does, if it does not know the
//! key: below 2^-117 for a histogram of 100 buckets. Who computes H hashes to look for a convenient randomness
//! multiplies that by H. (One proof in the field of 64 bits would leave 2^-58, within reach; a field of 128 bits would
//! need no second proof, but our sums are in the one of 64 bits.) That the key is unknown is the reason for closing
//! first: with it, lies can be computed.
//!
//! *A contribution is checked once.* Verifier shares for one challenge tell nothing but whether it is valid; those for
//! a second challenge would tell the value itself. So there must be exactly one key: from the committed seeds of all
//! lanes, never of those that happen to answer, and a replica must not say a word under any other, not even after a restart.
//!
//! *Every lane must check honestly.* A majority of liars in one lane can refuse anybody, or let a friend's lie pass; it
//! could as well sign a wrong lane sum.
//!
//! *The nonce* names round and contributor rather than the header, because the header commits to shares that depend on
//! the nonce; the challenge names the header. So a node's shares are made once per round: a second contribution of the
//! same node to the same round must be refused, which the committee does anyway.
//!
//! The library keeps copies of shares that it does not erase.
//!
//! ```
//! use aggregation::validity::{Binding, Challenge, Statistic, Validity};
//! use base::{Digest, NodeId, Rng};
//! use crypto::Vector;
//!
//! let validity = Validity::new(Statistic::Histogram { buckets: 3 }, 2)?;
//! let (round, contributor) = (Digest::of("example", &[]), NodeId([7; 32]));
//! let binding = Binding::new(&round, contributor);
//!
//! // The contributor is in the second bucket.
//! let vector = Vector::from_u64s(&[1, 0, 1, 0])?;
//! let (public, shares) = validity.shard(&vector, &binding, &mut Rng::from_number(1))?;
//!
//! // The lanes, once the set is closed.
//! let challenge = Challenge::new(&[5; 32], &Digest::of("header", &[]));
//! let (one, first) = validity.prepare(0, &challenge, &binding, &public, &shares[0])?;
//! let (two, second) = validity.prepare(1, &challenge, &binding, &public, &shares[1])?;
//! let decision = validity.combine(&one, &[first, second])?;
//! let mut sum = validity.finish(one, &decision)?;
//! sum.add(&validity.finish(two, &decision)?)?;
//! assert_eq!(sum, vector);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod checking;
mod circuit;
mod declared;
mod number;
mod range;
mod shape;
mod sharing;
mod statistic;
mod wire;

#[cfg(test)]
mod tests;

use std::fmt;

use base::{Digest, NodeId, Rng};
use crypto::Vector;
use prio::field::Field64;
use prio::flp::Flp as _;
use prio::vdaf::prio3::Prio3;
use prio::vdaf::xof::XofTurboShake128;

pub use checking::{Challenge, Prepared, Refused};
pub use circuit::NotInRange;
pub use declared::NoProof;
pub use shape::Shape;
pub use statistic::{GROUPS_MAX, Statistic, Unprovable};
pub use wire::{Decision, InputShare, PublicShare, VerifierShare};

use circuit::Circuit;
use sharing::{Shares, Sharing};

/// Most lanes: as many as a committee may have. Prio3 takes up to 254.
pub const LANES_MAX: usize = crate::sizes::LANES_MAX;

/// Proofs of each contribution. With one, in a field of 64 bits, a lie could be searched for.
const PROOFS: u8 = 2;

/// Bytes of a lane's part of the joint randomness, and of a seed.
const PART_LEN: usize = 32;

/// Names our circuits within Prio3, from the range for private use of draft-irtf-cfrg-vdaf-18.
const ALGORITHM: u32 = 0xffff_4348;

/// How contributions to one computation are proved and checked.
pub struct Validity {
    circuit: Circuit,
    lanes: u8,
    prio3: Prio3<Circuit, XofTurboShake128, 32>,
}

impl Validity {
    /// For contributions to a [`Statistic`] or of any other [`Shape`], split among `lanes` lanes.
    ///
    /// # Errors
    ///
    /// When one of them is beyond its limit.
    pub fn new(shape: impl Into<Shape>, lanes: usize) -> Result<Self, Unprovable> {
        let shape = shape.into();
        shape.check()?;
        if !(1..=LANES_MAX).contains(&lanes) {
            return Err(Unprovable::Lanes { lanes });
        }
        let lanes = u8::try_from(lanes).expect("there are at most LANES_MAX");
        let circuit = Circuit::new(shape);
        let prio3 = Prio3::new(lanes, PROOFS, ALGORITHM, circuit.clone())
            .expect("Prio3 takes up to 254 lanes, and at least one proof");
        Ok(Self {
            circuit,
            lanes,
            prio3,
        })
    }

    /// Number of lanes (m).
    pub fn lanes(&self) -> usize {
        self.lanes.into()
    }

    /// How likely it is that a lie passes, at most: `(chunk + 2 · (points − 1)) / (modulus − points)` for each of two
    /// proofs. The joint randomness hides a violated constraint with the first part of it, the challenge a wrong proof
    /// with the second. So it is for every shape, because its constraints are all of one kind, however many.
    pub fn lie_bound(&self) -> f64 {
        let (chunk, points) = (self.circuit.chunk() as f64, self.circuit.points() as f64);
        let one = (chunk + 2.0 * (points - 1.0)) / (Vector::MODULUS as f64 - points);
        one.powi(PROOFS.into())
    }

    /// Bytes of a [`PublicShare`].
    pub fn public_share_len(&self) -> usize {
        PART_LEN * self.lanes()
    }

    /// Bytes of the [`InputShare`] of a lane.
    pub fn input_share_len(&self, lane: usize) -> usize {
        if lane == 0 {
            let proofs = usize::from(PROOFS) * self.circuit.proof_len();
            8 * (self.circuit.input_len() + proofs) + PART_LEN
        } else {
            2 * PART_LEN
        }
    }

    /// Bytes of a [`VerifierShare`].
    pub fn verifier_share_len(&self) -> usize {
        8 * usize::from(PROOFS) * self.circuit.verifier_len() + PART_LEN
    }

    /// Proves that `vector` is a contribution, and splits it and the proof: one share for each lane.
    ///
    /// # Errors
    ///
    /// When it is no contribution to this statistic.
    pub fn shard(
        &self,
        vector: &Vector,
        binding: &Binding,
        rng: &mut Rng,
    ) -> Result<(PublicShare, Vec<InputShare>), NotInRange> {
        Ok(self.split(&self.circuit.encode(vector)?, binding, rng))
    }

    /// Whatever `input` is.
    fn split(
        &self,
        input: &[Field64],
        binding: &Binding,
        rng: &mut Rng,
    ) -> (PublicShare, Vec<InputShare>) {
        let sharing = Sharing {
            circuit: &self.circuit,
            lanes: self.lanes,
            proofs: PROOFS,
            algorithm: ALGORITHM,
            context: binding.context.as_bytes(),
            nonce: &binding.nonce,
        };
        let Shares { public, inputs } = sharing.split(input, || rng.bytes32());
        let inputs = inputs
            .into_iter()
            .map(|mut input| InputShare(std::mem::take(&mut *input)))
            .collect();
        (PublicShare(public), inputs)
    }
}

impl Validity {
    /// What a liar makes of these numbers as the circuit's input, with zeros after them: it is split and "proved", and will be
    /// refused unless it is valid after all.
    pub fn shard_anything(
        &self,
        numbers: &[u64],
        binding: &Binding,
        rng: &mut Rng,
    ) -> (PublicShare, Vec<InputShare>) {
        let mut input: Vec<_> = numbers.iter().copied().map(Field64::from).collect();
        input.resize(self.circuit.input_len(), Field64::from(0));
        self.split(&input, binding, rng)
    }
}

impl fmt::Debug for Validity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Validity({:?}, {} lanes)", self.circuit, self.lanes)
    }
}

/// Which contribution a proof belongs to: it holds for no other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Binding {
    context: Digest,
    nonce: [u8; 16],
}

impl Binding {
    /// The one contribution of a node to a computation, `round` being the digest that names it: of question, plan and
    /// actor list.
    pub fn new(round: &Digest, contributor: NodeId) -> Self {
        let digest = Digest::of(
            "validity nonce",
            &[round.as_bytes(), contributor.as_bytes()],
        );
        let mut nonce = [0; 16];
        nonce.copy_from_slice(&digest.as_bytes()[..16]);
        Self {
            context: *round,
            nonce,
        }
    }
}
