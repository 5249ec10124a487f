//! The inverse of a symmetric matrix, in fractions: no pivot is nearly zero, it is zero or not.

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

/// Inverts a positive definite matrix (Gauss and Jordan). Needs no exchange of rows, as all leading minors are positive.
pub(super) fn invert(mut matrix: Matrix) -> Result<Matrix, Singular> {
    let size = matrix.len();
    let mut inverse: Matrix = (0..size)
        .map(|i| (0..size).map(|j| unit(i == j)).collect())
        .collect();
    for pivot in 0..size {
        check_pivot(&matrix, pivot)?;
        let reciprocal = matrix[pivot][pivot].recip();
        for side in [&mut matrix, &mut inverse] {
            side[pivot]
                .iter_mut()
                .for_each(|value| *value *= &reciprocal);
        }
        let (of_matrix, of_inverse) = (matrix[pivot].clone(), inverse[pivot].clone());
        for row in (0..size).filter(|&row| row != pivot) {
            let factor = matrix[row][pivot].clone();
            subtract(&mut matrix[row], &factor, &of_matrix);
            subtract(&mut inverse[row], &factor, &of_inverse);
        }
    }
    Ok(inverse)
}

fn unit(one: bool) -> BigRational {
    if one {
        BigRational::one()
    } else {
        BigRational::zero()
    }
}

fn check_pivot(matrix: &Matrix, pivot: usize) -> Result<(), Singular> {
    let rest = &matrix[pivot][pivot..];
    if rest[0].is_positive() {
        Ok(())
    } else if rest.iter().all(BigRational::is_zero) {
        Err(Singular::Dependent(pivot))
    } else {
        Err(Singular::Indefinite)
    }
}

/// Subtracts `factor` times `other`.
fn subtract(row: &mut [BigRational], factor: &BigRational, other: &[BigRational]) {
    for (value, other) in row.iter_mut().zip(other) {
        if !other.is_zero() {
            *value -= factor * other;
        }
    }
}

/// The sum of products.
pub(super) fn dot(a: &[BigRational], b: &[BigRational]) -> BigRational {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
