//! What can be proved of a declared statistic's vectors.

use thiserror::Error;

use crate::statistic;
use crate::validity::shape::{Number, Origin, Shape};
use crate::validity::statistic::Unprovable;

/// Why contributions to a declared statistic are taken without a proof.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NoProof {
    /// A person adds up several rows: then sums of products are no products of sums.
    #[error("no proof: {rows} rows of each person, proofs are made for one")]
    Rows {
        /// As declared.
        rows: u16,
    },
    /// A step of a logistic regression.
    #[error(
        "no proof: a logistic step is an exponential, rounded; proofs are made for sums and products"
    )]
    Rounded,
    /// Somebody's number could reach the field's modulus, where products are no longer those of integers.
    #[error(
        "no proof: one person's \"{number}\" could exceed 64 bits; narrow the range or take larger steps"
    )]
    Wide {
        /// Of which columns.
        number: String,
    },
    /// Beyond a limit of proofs.
    #[error("no proof: {0}")]
    Limit(#[from] Unprovable),
}

impl Shape {
    /// That of a declared statistic: what it [encodes](statistic::Statistic::encode) of one row, or of none, passes.
    /// What passes has one group, one bucket of it, and one person's numbers in their ranges, with the products of just
    /// these. That the group or bucket is the one that a number would be in is not proved: a lie about it is one about
    /// oneself, which no proof finds.
    ///
    /// # Errors
    ///
    /// Why there is no proof, for people.
    pub fn of(statistic: &statistic::Statistic) -> Result<Self, NoProof> {
        let (declaration, layout) = (statistic.declaration(), statistic.layout());
        if declaration.rows > 1 {
            let rows = declaration.rows;
            return Err(NoProof::Rows { rows });
        }
        let origins = statistic.origins().into_iter().enumerate();
        let numbers = origins
            .map(|(index, origin)| number(statistic, index, origin))
            .collect::<Result<_, _>>()?;
        let count = |count: usize| u32::try_from(count).expect("a vector is not so long");
        let shape = Self {
            groups: count(layout.cells()),
            buckets: (layout.bucket_count() > 0).then(|| count(layout.bucket_count())),
            numbers,
        };
        shape.check()?;
        Ok(shape)
    }
}

fn number(
    statistic: &statistic::Statistic,
    index: usize,
    origin: statistic::Origin,
) -> Result<Number, NoProof> {
    let layout = statistic.layout();
    let wide = || NoProof::Wide {
        number: statistic.number_name(index),
    };
    let origin = match origin {
        statistic::Origin::Column => Origin::Column {
            max: u64::try_from(layout.limit(index)).map_err(|_| wide())?,
        },
        statistic::Origin::Product(i, j) => Origin::Product(i, j),
        statistic::Origin::Rounded => return Err(NoProof::Rounded),
    };
    let number = Number {
        origin,
        limbs: layout.limb_limits(index),
    };
    number.fits().then_some(number).ok_or_else(wide)
}
