//! The inverse of a symmetric matrix, exactly: no pivot is nearly zero, it is zero or not.
//!
//! Elimination in integers, in which each division leaves no rest (Bareiss, "Sylvester's identity and multistep
//! integer-preserving Gaussian elimination", 1968): fractions would need a greatest common divisor at every step, which for
//! sixteen columns takes some twenty times as long.

use num_bigint::BigInt;
use num_integer::Integer as _;
use num_rational::BigRational;
use num_traits::{One as _, Signed as _, Zero as _};

/// Rows of equal length.
pub(super) type Matrix = Vec<Vec<BigRational>>;

/// Why there is no inverse.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Singular {
    /// This column is a combination of those before it.
    Dependent(usize),
    /// The matrix is no matrix of cross products: some combination of columns would have a negative square.
    Indefinite,
}

/// An inverse: `scale × adjugate / determinant`.
pub(super) struct Inverse {
    scale: BigInt,
    adjugate: Vec<Vec<BigInt>>,
    determinant: BigInt,
}

impl Inverse {
    /// Of the first rows and columns, as many as `size`, of a matrix that is positive definite there.
    ///
    /// Needs no exchange of rows: each pivot is a leading minor, and these are positive.
    pub(super) fn of(matrix: &[Vec<BigRational>], size: usize) -> Result<Self, Singular> {
        let scale = common_denominator(matrix[..size].iter().flat_map(|row| &row[..size]));
        let mut rows: Vec<Vec<BigInt>> = (0..size)
            .map(|i| {
                let scaled = scaled(&matrix[i][..size], &scale);
                let unit = (0..size).map(|j| BigInt::from(u8::from(i == j)));
                scaled.chain(unit).collect()
            })
            .collect();
        let mut previous = BigInt::one();
        for pivot in 0..size {
            check_pivot(&rows[pivot][..size], pivot)?;
            let by = rows[pivot].clone();
            for row in (0..size).filter(|&row| row != pivot) {
                eliminate(&mut rows[row], &by, pivot, &previous);
            }
            previous.clone_from(&by[pivot]);
        }
        Ok(Self {
            scale,
            adjugate: rows
                .into_iter()
                .map(|mut row| row.split_off(size))
                .collect(),
            determinant: previous,
        })
    }

    /// The inverse times a vector.
    pub(super) fn times(&self, vector: &[BigRational]) -> Vec<BigRational> {
        let common = common_denominator(vector);
        let scaled: Vec<BigInt> = scaled(vector, &common).collect();
        let below = common * &self.determinant;
        let sum =
            |row: &Vec<BigInt>| -> BigInt { row.iter().zip(&scaled).map(|(a, b)| a * b).sum() };
        let above = self.adjugate.iter().map(|row| sum(row) * &self.scale);
        above
            .map(|above| BigRational::new(above, below.clone()))
            .collect()
    }

    /// An element of the diagonal.
    pub(super) fn diagonal(&self, index: usize) -> BigRational {
        let above = &self.adjugate[index][index] * &self.scale;
        BigRational::new(above, self.determinant.clone())
    }
}

fn common_denominator<'a>(values: impl IntoIterator<Item = &'a BigRational>) -> BigInt {
    let common = BigInt::one();
    values
        .into_iter()
        .fold(common, |common, value| common.lcm(value.denom()))
}

/// Integers, if `scale` is a multiple of all denominators.
fn scaled<'a>(values: &'a [BigRational], scale: &'a BigInt) -> impl Iterator<Item = BigInt> + 'a {
    values
        .iter()
        .map(move |value| value.numer() * (scale / value.denom()))
}

fn check_pivot(row: &[BigInt], pivot: usize) -> Result<(), Singular> {
    if row[pivot].is_positive() {
        Ok(())
    } else if row[pivot..].iter().all(BigInt::is_zero) {
        Err(Singular::Dependent(pivot))
    } else {
        Err(Singular::Indefinite)
    }
}

/// Makes `row` zero in the pivot's column.
fn eliminate(row: &mut [BigInt], by: &[BigInt], pivot: usize, previous: &BigInt) {
    let (factor, lead) = (row[pivot].clone(), &by[pivot]);
    for (value, by) in row.iter_mut().zip(by) {
        *value = (&*value * lead - &factor * by) / previous;
    }
}

/// The sum of products.
pub(super) fn dot(a: &[BigRational], b: &[BigRational]) -> BigRational {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::fixed::exact;
    use super::*;

    /// The cross products of columns of small fractions.
    fn products(columns: &[Vec<i8>]) -> Matrix {
        let columns: Vec<Vec<BigRational>> = columns
            .iter()
            .map(|column| {
                column
                    .iter()
                    .map(|&value| exact(value) / exact(6))
                    .collect()
            })
            .collect();
        let row = |a: &Vec<BigRational>| columns.iter().map(|b| dot(a, b)).collect();
        columns.iter().map(row).collect()
    }

    proptest! {
        #[test]
        fn undoes_its_matrix(columns in prop::collection::vec(prop::collection::vec(any::<i8>(), 5), 1..7)) {
            let matrix = products(&columns);
            let size = matrix.len();
            match Inverse::of(&matrix, size) {
                Ok(inverse) => for (index, row) in matrix.iter().enumerate() {
                    let unit: Vec<BigRational> = (0..size).map(|i| exact(u8::from(i == index))).collect();
                    prop_assert_eq!(inverse.times(row), unit.clone());
                    prop_assert_eq!(&inverse.times(&unit)[index], &inverse.diagonal(index));
                },
                // The columns before it are independent; with it, they are not.
                Err(Singular::Dependent(index)) => {
                    prop_assert!(Inverse::of(&matrix, index).is_ok());
                    let both = Inverse::of(&matrix, index + 1).err();
                    prop_assert_eq!(both, Some(Singular::Dependent(index)));
                }
                Err(Singular::Indefinite) => prop_assert!(false, "these are cross products"),
            }
        }
    }

    #[test]
    fn names_what_is_wrong() {
        let of = |rows: [[i128; 2]; 2]| {
            let matrix: Matrix = rows
                .iter()
                .map(|row| row.iter().map(|&value| exact(value)).collect())
                .collect();
            Inverse::of(&matrix, 2).err()
        };
        assert_eq!(of([[1, 0], [0, 1]]), None);
        assert_eq!(of([[0, 0], [0, 1]]), Some(Singular::Dependent(0)));
        assert_eq!(of([[1, 2], [2, 4]]), Some(Singular::Dependent(1)));
        assert_eq!(of([[1, 2], [2, 3]]), Some(Singular::Indefinite));
        assert_eq!(of([[0, 1], [1, 0]]), Some(Singular::Indefinite));
        assert_eq!(of([[-1, 0], [0, 1]]), Some(Singular::Indefinite));
    }
}
