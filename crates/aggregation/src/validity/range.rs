//! Numbers in a range, as bits.

use prio::field::{Field64, FieldElement as _};

use crate::validity::circuit::NotInRange;

/// A number in `0..=max`, as bits of which the last weighs as much as it takes for all together to weigh `max`: whatever
/// the bits are, their value is in range. Some numbers can be written in two ways.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Range {
    weights: Vec<u64>,
}

impl Range {
    /// Up to `max`, at least one.
    pub fn to(max: u64) -> Self {
        let low = max.ilog2();
        let mut weights: Vec<_> = (0..low).map(|bit| 1 << bit).collect();
        weights.push(max - ((1 << low) - 1));
        Self { weights }
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
        let (last, rest) = self.weights.split_last().expect("a range has a bit");
        let high = value > rest.iter().sum::<u64>();
        let low = if high { value - last } else { value };
        if low >> rest.len() != 0 {
            return Err(NotInRange);
        }
        let low = (0..rest.len()).map(|bit| Field64::from((low >> bit) & 1));
        Ok(low.chain(std::iter::once(u64::from(high).into())).collect())
    }

    /// What bits, or shares of bits, weigh.
    pub fn value(&self, bits: &[Field64]) -> Field64 {
        let weighed = bits.iter().zip(&self.weights);
        weighed.fold(Field64::zero(), |value, (bit, weight)| {
            value + *bit * Field64::from(*weight)
        })
    }
}
