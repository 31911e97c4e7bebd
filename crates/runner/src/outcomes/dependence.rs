//! Features that are linear functions of others: such outcomes lie on a surface and have no density.

use nalgebra::{DMatrix, DVector};

/// Largest share of its variance that the others leave of an exact function: rounding.
const ROUNDING: f64 = 1e-10;
/// Largest share of its variance that the others leave of what is nearly a function.
const NEARLY: f64 = 1e-3;
/// Least factor of a feature that is named, both features in standard deviations.
const FACTOR: f64 = 1e-4;

/// A feature that is a linear function of others, exactly or nearly.
#[derive(Clone, Debug, PartialEq)]
pub struct Dependence {
    /// The feature.
    pub feature: usize,
    /// The features that it is a function of.
    pub of: Vec<usize>,
    /// The share of its variance that they leave unexplained; 0 for an exact function.
    pub unexplained: f64,
}

/// The first feature that is a linear function of features before it or, without one, that which is nearest to being
/// one, if they leave less than a thousandth of its variance.
///
/// The Cholesky factor $L$ of the correlation matrix is computed row by row; $L_{jj}^2$ is the share of
/// the variance of feature $j$ that the features before it leave unexplained.
///
/// # Shapes
/// - `x`: `[d, n]`, one outcome per column
pub fn linear_dependence(x: &DMatrix<f64>) -> Option<Dependence> {
    let d = x.nrows();
    let mean = x.column_mean();
    let mut covariance = DMatrix::zeros(d, d);
    let mut centred = DVector::zeros(d);
    for outcome in x.column_iter() {
        outcome.sub_to(&mean, &mut centred);
        covariance.ger(1.0, &centred, &centred, 1.0);
    }
    let sd = covariance.diagonal().map(f64::sqrt);
    if !sd.iter().all(|sd| *sd > 0.0 && sd.is_finite()) {
        return None;
    }
    let mut nearest = None;
    let mut l = DMatrix::<f64>::zeros(d, d);
    for j in 0..d {
        for i in 0..j {
            let known = l.row(j).columns(0, i).dot(&l.row(i).columns(0, i));
            l[(j, i)] = (covariance[(j, i)] / (sd[i] * sd[j]) - known) / l[(i, i)];
        }
        let before = l.row(j).columns(0, j).transpose();
        let unexplained = 1.0 - before.norm_squared();
        let exact = unexplained < ROUNDING;
        if exact || unexplained < nearest.as_ref().map_or(NEARLY, |n: &Dependence| n.unexplained) {
            let factors = l.view((0, 0), (j, j)).transpose().solve_upper_triangular(&before)?;
            let of = (0..j).filter(|&i| factors[i].abs() > FACTOR).collect();
            let unexplained = if exact { 0.0 } else { unexplained };
            nearest = Some(Dependence { feature: j, of, unexplained });
        }
        if exact {
            return nearest;
        }
        l[(j, j)] = unexplained.sqrt();
    }
    nearest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_feature_that_follows_from_others_is_found_with_them() {
        let base = |i: usize, j: usize| (1.7 * (i + 1) as f64 * j as f64).sin();
        let x = |last: fn(f64, f64) -> f64| {
            DMatrix::from_fn(4, 500, |i, j| match i {
                3 => last(base(0, j), base(2, j)),
                _ => base(i, j),
            })
        };
        let exactly =
            |of: &[usize]| Some(Dependence { feature: 3, of: of.to_vec(), unexplained: 0.0 });
        assert_eq!(linear_dependence(&x(|a, _| a)), exactly(&[0]));
        assert_eq!(linear_dependence(&x(|a, c| 1e6 - 3.0 * a + 0.1 * c)), exactly(&[0, 2]));
        let nearly = linear_dependence(&x(|a, c| a + 0.01 * a * c)).unwrap();
        assert_eq!((nearly.feature, nearly.of), (3, vec![0]));
        assert!(nearly.unexplained > 1e-6 && nearly.unexplained < 1e-4, "{}", nearly.unexplained);
        assert_eq!(linear_dependence(&x(|a, c| a * c)), None);
        assert_eq!(linear_dependence(&x(|_, _| 5.0)), None);
    }
}
