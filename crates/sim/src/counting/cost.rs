//! What SEP2P counts the cost of a protocol in (§4.1).

use std::iter::Sum;
use std::ops::Add;

use crypto::Operations;

/// Asymmetric operations and messages of all nodes together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cost {
    /// Signatures and verifiable random values, made and checked.
    pub operations: Operations,
    /// Messages sent.
    pub messages: u64,
}

impl Cost {
    /// So many signatures made and checked, and no verifiable random values.
    pub fn new(signed: u64, checked: u64, messages: u64) -> Self {
        let operations = Operations {
            signed,
            checked,
            ..Operations::default()
        };
        Self {
            operations,
            messages,
        }
    }
}

impl Add for Cost {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        let (a, b) = (self.operations, other.operations);
        Self {
            operations: Operations {
                signed: a.signed + b.signed,
                checked: a.checked + b.checked,
                drawn: a.drawn + b.drawn,
                proven: a.proven + b.proven,
            },
            messages: self.messages + other.messages,
        }
    }
}

impl Sum for Cost {
    fn sum<I: Iterator<Item = Self>>(costs: I) -> Self {
        costs.fold(Self::default(), Self::add)
    }
}
