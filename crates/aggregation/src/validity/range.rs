//! Numbers in a range, as bits.

use prio::field::{Field64, FieldElement as _};

use crate::validity::circuit::NotInRange;

/// A number in `0..=max`, as bits of which the last weighs as much as it takes for all together to weigh `max`: whatever
/// the bits are, their value is in range. Some numbers can be written in two ways.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Range {
    /// What the last bit weighs.
    last: u64,
    weights: Vec<Field64>,
}

impl Range {
    /// Up to `max`, at least one.
    pub fn to(max: u64) -> Self {
        let low = max.ilog2();
        let last = max - ((1 << low) - 1);
        let weights = (0..low).map(|bit| 1 << bit).chain(std::iter::once(last));
        Self {
            last,
            weights: weights.map(Field64::from).collect(),
        }
    }

    /// How many bits.
    pub fn len(&self) -> usize {
        self.weights.len()
    }

    /// The bits of `value`.
    ///
    /// # Errors
    ///
    /// When it is not in range.
    pub fn bits(&self, value: u64) -> Result<Vec<Field64>, NotInRange> {
        let low_bits = self.len() - 1;
        let high = value >> low_bits != 0;
        let low = if high { value - self.last } else { value };
        if low >> low_bits != 0 {
            return Err(NotInRange);
        }
        let low = (0..low_bits).map(|bit| Field64::from((low >> bit) & 1));
        Ok(low.chain(std::iter::once(u64::from(high).into())).collect())
    }

    /// What bits, or shares of bits, weigh.
    pub fn value(&self, bits: &[Field64]) -> Field64 {
        let weighed = bits.iter().zip(&self.weights);
        weighed.fold(Field64::zero(), |value, (bit, weight)| {
            value + *bit * *weight
        })
    }
}
