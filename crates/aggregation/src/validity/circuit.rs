//! What must hold of a contribution, as products of two terms that are all zero.

use crypto::Vector;
use prio::field::{Field64, FieldElement as _};
use prio::flp::gadgets::{Mul, ParallelSum, ParallelSumGadget as _};
use prio::flp::{Flp, FlpError, Gadget, Type};
use prio::vdaf::prio3::optimal_chunk_length;
use thiserror::Error;
use zeroize::Zeroizing;

use crate::validity::statistic::Statistic;

/// The arithmetic circuit of a [`Statistic`], for the proof system of `prio` (draft-irtf-cfrg-vdaf-18).
///
/// The input is one element per group, zero or one; then, if a value is summed in several groups, one element per group
/// for its sum; then the value's bits. A histogram's match count is not part of it but the sum of the buckets' elements,
/// so that no lie about it can be told; a bucket is a group here. The last bit weighs as much as it takes for all bits
/// together to weigh the greatest value: whatever the bits are, their sum is in range.
///
/// | constraint | for each |
/// |---|---|
/// | `x · (x − 1) = 0` | group, bit |
/// | `Σ group · (Σ group − 1) = 0` | – (several groups) |
/// | `value · (group − 1) = 0` | – (one group and a value): who does not match adds zero |
/// | `group · value = sum` | group (several groups and a value) |
///
/// They are weighed with powers of joint randomness and added, [`chunk`](Self::chunk) of them in each call of the one
/// gadget: if one constraint is violated, the total is zero for at most `chunk` values of the randomness.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Circuit {
    statistic: Statistic,
    groups: usize,
    /// What the value's bits weigh; none without a value.
    weights: Vec<u64>,
    chunk: usize,
    calls: usize,
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
        Self {
            left: x,
            right: x - one,
            result: Field64::zero(),
        }
    }

    fn holds(&self) -> bool {
        self.left * self.right == self.result
    }
}

impl Circuit {
    /// The circuit of a statistic within its limits.
    pub fn new(statistic: Statistic) -> Self {
        let groups = statistic.groups() as usize;
        let weights = statistic.max().map_or(Vec::new(), weights);
        let constraints = match (groups, weights.len()) {
            (1, 0) => 1,
            (1, bits) => 1 + bits + 1,
            (_, 0) => groups + 1,
            (_, bits) => groups + bits + 1 + groups,
        };
        let chunk = optimal_chunk_length(constraints);
        Self {
            statistic,
            groups,
            weights,
            chunk,
            calls: constraints.div_ceil(chunk),
        }
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
        let (cells, sums) = numbers[usize::from(self.counts_apart())..].split_at(self.groups);
        let value = sums
            .iter()
            .try_fold(0u64, |value, sum| value.checked_add(*sum));
        let mut input: Vec<Field64> = cells.iter().map(|cell| (*cell).into()).collect();
        if self.groups > 1 {
            input.extend(sums.iter().map(|sum| Field64::from(*sum)));
        }
        input.extend(self.bits(value.ok_or(NotInRange)?)?);
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

    /// The bits that weigh as much as `value`.
    fn bits(&self, value: u64) -> Result<Vec<Field64>, NotInRange> {
        let Some((last, rest)) = self.weights.split_last() else {
            return Ok(Vec::new());
        };
        let high = value > rest.iter().sum::<u64>();
        let low = if high { value - last } else { value };
        if low >> rest.len() != 0 {
            return Err(NotInRange);
        }
        let low = (0..rest.len()).map(|bit| Field64::from((low >> bit) & 1));
        Ok(low.chain(std::iter::once(u64::from(high).into())).collect())
    }

    /// Groups, sums and bits of an input or of a share of it.
    fn parts<'a>(&self, input: &'a [Field64]) -> (&'a [Field64], &'a [Field64], &'a [Field64]) {
        let (groups, rest) = input.split_at(self.groups);
        let (sums, bits) = rest.split_at(rest.len() - self.weights.len());
        (groups, sums, bits)
    }

    /// Of an input, or of a share of it when `one` is that share of one.
    fn constraints(&self, input: &[Field64], one: Field64) -> Vec<Constraint> {
        let (groups, sums, bits) = self.parts(input);
        let value = self.value(bits);
        let mut constraints: Vec<_> = groups
            .iter()
            .chain(bits)
            .map(|x| Constraint::bit(*x, one))
            .collect();
        match groups {
            [_] if bits.is_empty() => {}
            [group] => constraints.push(Constraint {
                left: value,
                right: *group - one,
                result: Field64::zero(),
            }),
            _ => constraints.push(Constraint::bit(sum(groups), one)),
        }
        constraints.extend(groups.iter().zip(sums).map(|(group, sum)| Constraint {
            left: *group,
            right: value,
            result: *sum,
        }));
        constraints
    }

    fn value(&self, bits: &[Field64]) -> Field64 {
        bits.iter()
            .zip(&self.weights)
            .fold(Field64::zero(), |value, (bit, weight)| {
                value + *bit * Field64::from(*weight)
            })
    }

    /// The person's vector, or a share of it.
    fn output(&self, input: &[Field64]) -> Vec<Field64> {
        let (groups, sums, bits) = self.parts(input);
        let whole = self.counts_apart().then(|| sum(groups));
        let value = (self.groups == 1 && !bits.is_empty()).then(|| self.value(bits));
        whole
            .into_iter()
            .chain(groups.iter().chain(sums).copied())
            .chain(value)
            .collect()
    }

    /// Whether the vector has a match count besides the groups' elements, which is their sum.
    fn counts_apart(&self) -> bool {
        matches!(self.statistic, Statistic::Histogram { .. })
    }
}

/// Weights of the bits of a number in `0..=max`, adding up to `max`.
fn weights(max: u64) -> Vec<u64> {
    let low = max.ilog2();
    let mut weights: Vec<_> = (0..low).map(|bit| 1 << bit).collect();
    weights.push(max - ((1 << low) - 1));
    weights
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
        let sums = match (self.groups, self.weights.len()) {
            (1, _) | (_, 0) => 0,
            (groups, _) => groups,
        };
        self.groups + sums + self.weights.len()
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
        self.statistic.vector_len()
    }
}

/// The elements as a vector, if there are not too many.
pub fn to_vector(elements: &[Field64]) -> Option<Vector> {
    let numbers: Zeroizing<Vec<u64>> =
        Zeroizing::new(elements.iter().map(|x| u64::from(*x)).collect());
    Vector::from_u64s(&numbers).ok()
}
