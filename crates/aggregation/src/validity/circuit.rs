//! What must hold of a contribution, as products of two terms that are all zero.

use crypto::Vector;
use prio::field::{Field64, FieldElement as _};
use prio::flp::gadgets::{Mul, ParallelSum, ParallelSumGadget as _};
use prio::flp::{Flp, FlpError, Gadget, Type};
use prio::vdaf::prio3::optimal_chunk_length;
use thiserror::Error;
use zeroize::Zeroizing;

use crate::validity::number::{Read, Written};
use crate::validity::shape::{Origin, Shape};

/// The arithmetic circuit of a [`Shape`], for the proof system of `prio` (draft-irtf-cfrg-vdaf-18).
///
/// The input is one element per slot, zero or one: a bucket of a group, or a group, or the match count if there are
/// neither. Then, if there are several groups, one element for each number of each group. Then the person's numbers,
/// as [`Written`]. Match counts of groups and of the whole are sums of slots, so that no lie about them can be told.
///
/// | constraint | for each |
/// |---|---|
/// | `x · (x − 1) = 0` | slot, bit |
/// | `Σ slot · (Σ slot − 1) = 0` | – (several slots) |
/// | `column · (Σ slot − 1) = 0` | column (not by groups): who does not match adds zero |
/// | `factor · factor = product` | product |
/// | `(column − Σ limb · 2^32k) · 1 = 0` | column in limbs |
/// | `group · element = element of the group` | element of each group (several groups) |
///
/// All are equations in the field. They say the same of integers, because every number and all limbs in range are below
/// the modulus ([`Number::fits`](super::shape::Number::fits)): a product of columns in range is in range, and so is one
/// of such products.
///
/// The constraints are weighed with powers of joint randomness and added, [`chunk`](Self::chunk) of them in each call of
/// the one gadget: if one constraint is violated, whichever it is, the total is a polynomial of that call's randomness of
/// degree `chunk` that is not zero, so that it vanishes for at most `chunk` of its values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Circuit {
    shape: Shape,
    numbers: Vec<Written>,
    chunk: usize,
    calls: usize,
}

/// An input, or a share of one.
struct Parts<'a> {
    slots: &'a [Field64],
    /// Match counts of the groups; one without groups.
    cells: Vec<Field64>,
    /// The numbers of each group, if there are several.
    copies: &'a [Field64],
    numbers: Vec<Read<'a>>,
}

/// `left · right = result`.
struct Constraint {
    left: Field64,
    right: Field64,
    result: Field64,
}

impl Constraint {
    /// `x` is zero or one.
    fn bit(x: Field64, one: Field64) -> Self {
        Self::zero(x, x - one)
    }

    /// One of both is zero.
    fn zero(left: Field64, right: Field64) -> Self {
        Self {
            left,
            right,
            result: Field64::zero(),
        }
    }

    fn holds(&self) -> bool {
        self.left * self.right == self.result
    }
}

impl Circuit {
    /// The circuit of a shape within its limits.
    pub fn new(shape: Shape) -> Self {
        let numbers = shape.numbers.iter().map(Written::new).collect();
        let mut circuit = Self {
            shape,
            numbers,
            chunk: 1,
            calls: 1,
        };
        let any = vec![Field64::zero(); circuit.input_len()];
        let constraints = circuit.constraints(&any, Field64::one()).len();
        circuit.chunk = optimal_chunk_length(constraints);
        circuit.calls = constraints.div_ceil(circuit.chunk);
        circuit
    }

    /// Constraints in each call of the gadget.
    pub fn chunk(&self) -> usize {
        self.chunk
    }

    /// Points of the wire polynomials.
    pub fn points(&self) -> usize {
        (1 + self.calls).next_power_of_two()
    }

    /// The circuit's input for a person's vector.
    ///
    /// # Errors
    ///
    /// When no input stands for it: it is no contribution to this statistic.
    pub fn encode(&self, vector: &Vector) -> Result<Vec<Field64>, NotInRange> {
        let numbers = Zeroizing::new(vector.to_u64s());
        if numbers.len() != self.output_len() {
            return Err(NotInRange);
        }
        let (counts, cells) = numbers.split_at(self.shape.cells());
        let buckets = self.shape.bucket_count();
        let cells = cells.chunks((buckets + self.width()).max(1));
        let mut slots = Zeroizing::new(Vec::with_capacity(self.shape.slots()));
        let mut values = Zeroizing::new(Vec::with_capacity(self.shape.cells() * self.width()));
        for cell in cells {
            let (in_buckets, of_cell) = cell.split_at(buckets);
            slots.extend(in_buckets);
            values.extend(of_cell);
        }
        if self.shape.buckets.is_none() {
            slots.extend(counts);
        }
        let mut input: Vec<Field64> = slots
            .iter()
            .map(|slot: &u64| Field64::from(*slot))
            .collect();
        if self.copies() {
            input.extend(values.iter().map(|value| Field64::from(*value)));
        }
        let own = Zeroizing::new(self.own(&values)?);
        let mut elements = own.as_slice();
        for number in &self.numbers {
            let (of_number, rest) = elements.split_at(number.width());
            input.extend(number.encode(of_number)?);
            elements = rest;
        }
        let holds = self
            .constraints(&input, Field64::one())
            .iter()
            .all(Constraint::holds);
        let output = self.output(&input).into_iter().map(u64::from);
        if holds && output.eq(numbers.iter().copied()) {
            Ok(input)
        } else {
            Err(NotInRange)
        }
    }

    /// The person's elements, of whatever group: all others are zero.
    fn own(&self, values: &[u64]) -> Result<Vec<u64>, NotInRange> {
        let mut own = vec![0u64; self.width()];
        for of_cell in values.chunks(self.width().max(1)) {
            for (own, value) in own.iter_mut().zip(of_cell) {
                *own = own.checked_add(*value).ok_or(NotInRange)?;
            }
        }
        Ok(own)
    }

    /// Elements of the numbers of one group.
    fn width(&self) -> usize {
        self.numbers.iter().map(Written::width).sum()
    }

    /// Whether the input holds the numbers of each group.
    fn copies(&self) -> bool {
        self.shape.cells() > 1
    }

    /// What an input says, or what a share says of a share.
    fn read<'a>(&self, input: &'a [Field64]) -> Parts<'a> {
        let (slots, rest) = input.split_at(self.shape.slots());
        let copies = if self.copies() {
            self.shape.cells() * self.width()
        } else {
            0
        };
        let (copies, mut rest) = rest.split_at(copies);
        let numbers = self.numbers.iter().map(|number| {
            let (of_number, after) = rest.split_at(number.input_len());
            rest = after;
            number.read(of_number)
        });
        let numbers = numbers.collect();
        let per_cell = self.shape.slots() / self.shape.cells();
        Parts {
            slots,
            cells: slots.chunks(per_cell).map(sum).collect(),
            copies,
            numbers,
        }
    }

    /// Of an input, or of a share of it when `one` is that share of one.
    fn constraints(&self, input: &[Field64], one: Field64) -> Vec<Constraint> {
        let Parts {
            slots,
            cells,
            copies,
            numbers,
        } = self.read(input);
        let bits = numbers.iter().flat_map(|number| number.bits);
        let mut constraints: Vec<_> = slots
            .iter()
            .chain(bits)
            .map(|x| Constraint::bit(*x, one))
            .collect();
        let matches = sum(slots);
        if slots.len() > 1 {
            constraints.push(Constraint::bit(matches, one));
        }
        for number in &numbers {
            match number.origin {
                Origin::Product(i, j) => constraints.push(Constraint {
                    left: numbers[i].value,
                    right: numbers[j].value,
                    result: number.value,
                }),
                Origin::Column { .. } if !self.copies() => {
                    constraints.push(Constraint::zero(number.value, matches - one));
                }
                Origin::Column { .. } => {}
            }
            let excess = number.excess.iter();
            constraints.extend(excess.map(|excess| Constraint::zero(*excess, one)));
        }
        let elements: Vec<_> = numbers
            .into_iter()
            .flat_map(|number| number.elements)
            .collect();
        let by_cell = copies.chunks(elements.len().max(1));
        for (cell, of_cell) in cells.iter().zip(by_cell) {
            let both = elements.iter().zip(of_cell);
            constraints.extend(both.map(|(element, copy)| Constraint {
                left: *cell,
                right: *element,
                result: *copy,
            }));
        }
        constraints
    }

    /// The person's vector, or a share of it.
    fn output(&self, input: &[Field64]) -> Vec<Field64> {
        let parts = self.read(input);
        let own: Vec<_> = if self.copies() {
            parts.copies.to_vec()
        } else {
            let numbers = parts.numbers.into_iter();
            numbers.flat_map(|number| number.elements).collect()
        };
        let buckets = self.shape.bucket_count();
        let mut output = Vec::with_capacity(self.shape.vector_len());
        output.extend(parts.cells);
        for cell in 0..self.shape.cells() {
            output.extend(&parts.slots[cell * buckets..(cell + 1) * buckets]);
            output.extend(&own[cell * self.width()..(cell + 1) * self.width()]);
        }
        output
    }
}

fn sum(elements: &[Field64]) -> Field64 {
    elements.iter().fold(Field64::zero(), |sum, x| sum + *x)
}

/// A vector is not what one person can contribute to the statistic: this node's own mistake, seen before anything is
/// sent. What is wrong is not said, because it would be about the person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the vector is not what one person can contribute to this statistic")]
pub struct NotInRange;

impl Flp for Circuit {
    type Field = Field64;

    fn gadget(&self) -> Vec<Box<dyn Gadget<Field64>>> {
        vec![Box::new(ParallelSum::new(Mul::new(self.calls), self.chunk))]
    }

    fn num_gadgets(&self) -> usize {
        1
    }

    fn valid(
        &self,
        gadgets: &mut Vec<Box<dyn Gadget<Field64>>>,
        input: &[Field64],
        joint_rand: &[Field64],
        num_shares: usize,
    ) -> Result<Vec<Field64>, FlpError> {
        self.valid_call_check(input, joint_rand)?;
        let one = Field64::from(num_shares as u64).inv();
        let constraints = self.constraints(input, one);
        let mut wires = vec![Field64::zero(); 2 * self.chunk];
        let mut total = Field64::zero();
        for (chunk, random) in constraints.chunks(self.chunk).zip(joint_rand) {
            wires.fill(Field64::zero());
            let mut weight = *random;
            for (constraint, wires) in chunk.iter().zip(wires.as_chunks_mut::<2>().0) {
                *wires = [weight * constraint.left, constraint.right];
                total -= weight * constraint.result;
                weight *= *random;
            }
            total += gadgets[0].eval(&wires)?;
        }
        Ok(vec![total])
    }

    fn input_len(&self) -> usize {
        let copies = if self.copies() {
            self.shape.cells() * self.width()
        } else {
            0
        };
        let numbers: usize = self.numbers.iter().map(Written::input_len).sum();
        self.shape.slots() + copies + numbers
    }

    fn proof_len(&self) -> usize {
        2 * self.chunk + 2 * (self.points() - 1) + 1
    }

    fn verifier_len(&self) -> usize {
        1 + 2 * self.chunk + 1
    }

    fn joint_rand_len(&self) -> usize {
        self.calls
    }

    fn eval_output_len(&self) -> usize {
        1
    }

    fn prove_rand_len(&self) -> usize {
        2 * self.chunk
    }
}

impl Type for Circuit {
    type Measurement = Vector;
    type AggregateResult = Vector;

    fn encode_measurement(&self, vector: &Vector) -> Result<Vec<Field64>, FlpError> {
        self.encode(vector)
            .map_err(|error| FlpError::Encode(error.to_string()))
    }

    fn truncate(&self, input: Vec<Field64>) -> Result<Vec<Field64>, FlpError> {
        self.truncate_call_check(&input)?;
        Ok(self.output(&input))
    }

    fn decode_result(&self, data: &[Field64], _: usize) -> Result<Vector, FlpError> {
        to_vector(data).ok_or_else(|| FlpError::Decode("too many elements".to_owned()))
    }

    fn output_len(&self) -> usize {
        self.shape.vector_len()
    }
}

/// The elements as a vector, if there are not too many.
pub fn to_vector(elements: &[Field64]) -> Option<Vector> {
    let numbers: Zeroizing<Vec<u64>> =
        Zeroizing::new(elements.iter().map(|x| u64::from(*x)).collect());
    Vector::from_u64s(&numbers).ok()
}
