//! Splitting an input and its proofs into shares, as Prio3 does (draft-irtf-cfrg-vdaf-18, "Prio3: Sharding").
//!
//! The library's own function draws from the operating system. Ours takes its randomness from the caller, so that a run
//! replays; what it gives is the same, bit for bit, for the same randomness: the draft's test vectors check it.

use prio::field::FieldElement;
use prio::flp::Flp;
use prio::vdaf::xof::{IntoFieldVec as _, Xof as _, XofTurboShake128};
use zeroize::Zeroizing;

/// The draft's number: in every domain of Prio3.
const VERSION: u8 = 18;

/// What a stream of Prio3 is for: numbers of the draft.
#[derive(Clone, Copy)]
enum Usage {
    MeasurementShare = 1,
    ProofShare = 2,
    JointRandomness = 3,
    ProveRandomness = 4,
    JointRandomnessSeed = 6,
    JointRandomnessPart = 7,
}

/// An instance of Prio3 over a circuit that uses joint randomness, for one contribution.
pub struct Sharing<'a, C> {
    /// What is proved.
    pub circuit: &'a C,
    /// Shares that are made, from 1 to 254.
    pub lanes: u8,
    /// Proofs of the same, at least one.
    pub proofs: u8,
    /// Tells uses of Prio3 apart.
    pub algorithm: u32,
    /// Names the computation.
    pub context: &'a [u8],
    /// Names the contribution.
    pub nonce: &'a [u8; 16],
}

/// What [`Sharing::split`] gives, in the draft's encoding.
pub struct Shares {
    /// For all lanes.
    pub public: Vec<u8>,
    /// By lane: the first holds elements, the others seeds.
    pub inputs: Vec<Zeroizing<Vec<u8>>>,
}

impl<C: Flp> Sharing<'_, C> {
    /// Proves `input` and splits it and the proofs. What is no valid input is split just so, and will be refused.
    ///
    /// Takes two seeds per lane.
    ///
    /// # Panics
    ///
    /// When `input` has not the circuit's length.
    pub fn split(&self, input: &[C::Field], mut seed: impl FnMut() -> [u8; 32]) -> Shares {
        let mut first = input.to_vec();
        let mut parts = vec![[0; 32]];
        let mut helpers = Vec::with_capacity(usize::from(self.lanes) - 1);
        for lane in 1..self.lanes {
            let (share_seed, blind) = (Zeroizing::new(seed()), Zeroizing::new(seed()));
            let share = self.stream(
                &share_seed,
                Usage::MeasurementShare,
                &[lane],
                self.circuit.input_len(),
            );
            subtract(&mut first, &share);
            parts.push(self.part(&blind, lane, &share));
            helpers.push((lane, share_seed, blind));
        }
        let blind = Zeroizing::new(seed());
        parts[0] = self.part(&blind, 0, &first);
        let mut proofs = self.prove(input, &parts, &Zeroizing::new(seed()));
        for (lane, share_seed, _) in &helpers {
            let binder = [self.proofs, *lane];
            let share = self.stream(share_seed, Usage::ProofShare, &binder, proofs.len());
            subtract(&mut proofs, &share);
        }
        let leader = Zeroizing::new([encoding(&first), encoding(&proofs), blind.to_vec()].concat());
        let helpers = helpers
            .iter()
            .map(|(_, seed, blind)| Zeroizing::new([seed.as_slice(), blind.as_slice()].concat()));
        Shares {
            public: parts.concat(),
            inputs: std::iter::once(leader).chain(helpers).collect(),
        }
    }

    /// All proofs, one after the other.
    fn prove(&self, input: &[C::Field], parts: &[[u8; 32]], seed: &[u8; 32]) -> Vec<C::Field> {
        let proofs = usize::from(self.proofs);
        let binder = [self.proofs];
        let joint = self.stream(
            &self.hash(&[0; 32], Usage::JointRandomnessSeed, parts),
            Usage::JointRandomness,
            &binder,
            self.circuit.joint_rand_len() * proofs,
        );
        let own = self.stream(
            seed,
            Usage::ProveRandomness,
            &binder,
            self.circuit.prove_rand_len() * proofs,
        );
        joint
            .chunks(self.circuit.joint_rand_len())
            .zip(own.chunks(self.circuit.prove_rand_len()))
            .flat_map(|(joint, own)| {
                self.circuit
                    .prove(input, own, joint)
                    .expect("lengths are the circuit's own")
            })
            .collect()
    }

    /// A lane's part of the joint randomness: who changes its share changes what has to be proved.
    fn part(&self, blind: &[u8; 32], lane: u8, share: &[C::Field]) -> [u8; 32] {
        let share = Zeroizing::new(encoding(share));
        self.hash(
            blind,
            Usage::JointRandomnessPart,
            &[&[lane], &self.nonce[..], &share],
        )
    }

    fn stream(&self, seed: &[u8; 32], usage: Usage, binder: &[u8], len: usize) -> Vec<C::Field> {
        let domain = self.domain(usage);
        XofTurboShake128::seed_stream(seed, &[&domain, self.context], &[binder]).into_field_vec(len)
    }

    fn hash<T: AsRef<[u8]>>(&self, seed: &[u8; 32], usage: Usage, binders: &[T]) -> [u8; 32] {
        let mut xof = XofTurboShake128::init(seed, &[&self.domain(usage), self.context]);
        for binder in binders {
            xof.update(binder.as_ref());
        }
        *xof.into_seed().as_ref()
    }

    fn domain(&self, usage: Usage) -> [u8; 8] {
        let [a, b, c, d] = self.algorithm.to_be_bytes();
        [VERSION, 0, a, b, c, d, 0, usage as u8]
    }
}

fn subtract<F: FieldElement>(from: &mut [F], what: &[F]) {
    from.iter_mut().zip(what).for_each(|(x, y)| *x -= *y);
}

fn encoding<F: FieldElement>(elements: &[F]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(F::ENCODED_SIZE * elements.len());
    for element in elements {
        element
            .encode(&mut bytes)
            .expect("writing to a vector cannot fail");
    }
    bytes
}
