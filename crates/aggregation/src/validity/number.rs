//! One number of a person's, as a circuit sees it.

use prio::field::{Field64, FieldElement as _};

use crate::statistic::LIMB_BITS;
use crate::validity::circuit::NotInRange;
use crate::validity::range::Range;
use crate::validity::shape::{Number, Origin};

/// How a number is written in a circuit's input.
///
/// A column is in bits that weigh no more than its greatest value. A product is one element, which the circuit compares
/// with its factors. A number of several limbs is, besides, in the bits of each limb; of a product they are all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    origin: Origin,
    /// Of a column.
    column: Option<Range>,
    /// Lowest first; none of a number that is one element of a vector.
    limbs: Vec<Range>,
}

/// A number read from an input, or a share of it from a share.
pub struct Read<'a> {
    pub origin: Origin,
    /// What must be zero or one.
    pub bits: &'a [Field64],
    pub value: Field64,
    /// What goes into the vector: the value or its limbs.
    pub elements: Vec<Field64>,
    /// Of a column in limbs, by how much these differ from the value.
    pub excess: Option<Field64>,
}

impl Written {
    pub fn new(number: &Number) -> Self {
        let limbs = match number.limbs.as_slice() {
            [_] => &[],
            limbs => limbs,
        };
        Self {
            origin: number.origin,
            column: match number.origin {
                Origin::Column { max } => Some(Range::to(max)),
                Origin::Product(..) => None,
            },
            limbs: limbs.iter().map(|max| Range::to(*max)).collect(),
        }
    }

    /// Elements of an input.
    pub fn input_len(&self) -> usize {
        let limbs = self.limbs.iter().map(Range::len).sum();
        match (&self.column, limbs) {
            (None, 0) => 1,
            (None, limbs) => limbs,
            (Some(column), limbs) => column.len() + limbs,
        }
    }

    /// Elements of a vector.
    pub fn width(&self) -> usize {
        self.limbs.len().max(1)
    }

    /// The input that stands for these elements of a vector.
    ///
    /// # Errors
    ///
    /// When one of them, or the column that they make, is out of range.
    pub fn encode(&self, elements: &[u64]) -> Result<Vec<Field64>, NotInRange> {
        let mut input = match &self.column {
            Some(column) => column.bits(joined(elements)?)?,
            None if self.limbs.is_empty() => vec![Field64::from(elements[0])],
            None => Vec::new(),
        };
        for (limb, element) in self.limbs.iter().zip(elements) {
            input.extend(limb.bits(*element)?);
        }
        Ok(input)
    }

    /// Reads it from as many elements as [`Written::input_len`] says.
    pub fn read<'a>(&self, input: &'a [Field64]) -> Read<'a> {
        let (column, mut rest) = input.split_at(self.column.as_ref().map_or(0, Range::len));
        let mut limbs = Vec::with_capacity(self.width());
        for limb in &self.limbs {
            let (bits, after) = rest.split_at(limb.len());
            limbs.push(limb.value(bits));
            rest = after;
        }
        let base = Field64::from(1 << LIMB_BITS);
        let joined = limbs
            .iter()
            .rev()
            .fold(Field64::zero(), |joined, limb| joined * base + *limb);
        let single = limbs.is_empty();
        let value = match &self.column {
            Some(range) => range.value(column),
            None if single => input[0],
            None => joined,
        };
        Read {
            origin: self.origin,
            bits: if rest.is_empty() { input } else { &[] },
            value,
            elements: if single { vec![value] } else { limbs },
            excess: (self.column.is_some() && !single).then(|| value - joined),
        }
    }
}

/// The number that limbs make, if it is not far out of any range.
fn joined(limbs: &[u64]) -> Result<u64, NotInRange> {
    let joined = limbs.iter().rev().try_fold(0u64, |joined, limb| {
        joined.checked_mul(1 << LIMB_BITS)?.checked_add(*limb)
    });
    joined.ok_or(NotInRange)
}
