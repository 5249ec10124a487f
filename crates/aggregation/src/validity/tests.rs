//! What is promised of proofs, and what liars try.

mod bytes;
mod declared;
mod disagreement;
mod honest;
mod lies;
mod misuse;
mod numbers;
mod tampering;
mod vectors;

use base::{Digest, NodeId, Rng};
use crypto::Vector;
use prio::field::Field64;
use prio::vdaf::xof::{IntoFieldVec as _, Xof as _};

use super::*;

/// The greatest element, which is −1.
const MINUS_ONE: u64 = Vector::MODULUS - 1;

/// One contribution on its way, of which a test can change any part.
struct Case {
    validity: Validity,
    public: PublicShare,
    shares: Vec<InputShare>,
    /// By lane, so that lanes can differ.
    bindings: Vec<Binding>,
    challenges: Vec<Challenge>,
}

impl Case {
    fn honest(shape: impl Into<Shape>, lanes: usize, vector: &[u64], seed: u64) -> Self {
        let validity = Validity::new(shape, lanes).unwrap();
        let vector = Vector::from_u64s(vector).unwrap();
        let input = validity.circuit.encode(&vector).unwrap();
        Self::of(validity, &input, seed)
    }

    /// A contributor that proves whatever it likes.
    fn lying(shape: impl Into<Shape>, lanes: usize, input: &[u64], seed: u64) -> Self {
        let input: Vec<_> = input.iter().map(|number| Field64::from(*number)).collect();
        Self::of(Validity::new(shape, lanes).unwrap(), &input, seed)
    }

    fn of(validity: Validity, input: &[Field64], seed: u64) -> Self {
        let mut rng = Rng::from_number(seed);
        let (key, header) = (rng.bytes32(), Digest(rng.bytes32()));
        let binding = Binding::new(&Digest(rng.bytes32()), NodeId(rng.bytes32()));
        let (public, shares) = validity.split(input, &binding, &mut rng);
        let lanes = 0..validity.lanes();
        Self {
            bindings: lanes.clone().map(|_| binding.clone()).collect(),
            challenges: lanes.map(|_| Challenge::new(&key, &header)).collect(),
            validity,
            public,
            shares,
        }
    }

    fn prepare(&self) -> Result<(Vec<Prepared>, Vec<VerifierShare>), Refused> {
        (0..self.validity.lanes())
            .map(|lane| {
                let (challenge, binding) = (&self.challenges[lane], &self.bindings[lane]);
                let share = &self.shares[lane];
                self.validity
                    .prepare(lane, challenge, binding, &self.public, share)
            })
            .collect::<Result<Vec<_>, _>>()
            .map(|both| both.into_iter().unzip())
    }

    /// Each lane decides by itself; the sum of what they then hold.
    fn finish(
        &self,
        prepared: Vec<Prepared>,
        verifiers: &[VerifierShare],
    ) -> Result<Vec<u64>, Refused> {
        let mut sum: Option<Vector> = None;
        for prepared in prepared {
            let decision = self.validity.combine(&prepared, verifiers)?;
            let share = self.validity.finish(prepared, &decision)?;
            match &mut sum {
                None => sum = Some(share),
                Some(sum) => sum.add(&share).unwrap(),
            }
        }
        Ok(sum.unwrap().to_u64s())
    }

    fn check(&self) -> Result<Vec<u64>, Refused> {
        let (prepared, verifiers) = self.prepare()?;
        self.finish(prepared, &verifiers)
    }
}

/// Random elements of a proof, as Prio3 draws them.
fn draw(case: &Case, usage: u8, seed: &[u8; 32], binder: &[u8], len: usize) -> Vec<Field64> {
    let [a, b, c, d] = ALGORITHM.to_be_bytes();
    let domain = [18, 0, a, b, c, d, 0, usage];
    let context = case.bindings[0].context;
    XofTurboShake128::seed_stream(seed, &[&domain, context.as_bytes()], &[&[PROOFS], binder])
        .into_field_vec(len * usize::from(PROOFS))
}

/// Whether one person can contribute this, told without any circuit.
fn is_contribution(statistic: Statistic, vector: &[u64]) -> bool {
    if vector.len() != statistic.vector_len() {
        return false;
    }
    if vector.iter().all(|number| *number == 0) {
        return true;
    }
    let one_of = |cells: &[u64]| {
        cells.iter().filter(|cell| **cell == 1).count() == 1 && cells.iter().all(|cell| *cell <= 1)
    };
    match statistic {
        Statistic::Count => vector[0] == 1,
        Statistic::Sum { max } => vector[0] == 1 && vector[1] <= max,
        Statistic::Histogram { .. } => vector[0] == 1 && one_of(&vector[1..]),
        Statistic::GroupedCount { .. } => one_of(vector),
        Statistic::GroupedSum { groups, max } => {
            let (counts, sums) = vector.split_at(groups as usize);
            let mut both = counts.iter().zip(sums);
            one_of(counts) && both.all(|(count, sum)| *sum <= count * max)
        }
    }
}
