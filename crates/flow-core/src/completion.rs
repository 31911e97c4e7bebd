//! Features that follow from others: a flow of the free features, and a regression of the rest.
//!
//! Where $m$ free features $y$ determine all $d$ features of an outcome, $x = f(y)$, the outcomes lie on a surface and
//! have no density in $d$ dimensions. A flow of $y$ has one, and
//!
//! $$ P(g(x) \le 0) = P(g(f(y)) \le 0), \qquad y = T(u). \tag{1} $$
//!
//! $f$ is estimated at each $y$ from the outcomes nearest to it, by least squares with a quadratic polynomial whose value
//! at $y$ is the result. The weights decrease to zero at the farthest neighbour. With more than ten free features
//! the polynomial is linear.
//!
//! # References
//! - W. S. Cleveland, S. J. Devlin: Locally weighted regression. *Journal of the American Statistical Association* 83
//!   (1988), 596–610.

use nalgebra::{DMatrix, DMatrixView, DVector};
use rayon::prelude::*;

use crate::{
    bijection::standardise::{Standardise, check_finite},
    error::FlowError,
};

/// Neighbours per coefficient of the polynomial.
const PER_COEFFICIENT: usize = 5;
/// Most free features for a quadratic polynomial.
const QUADRATIC: usize = 10;
/// Added to the diagonal of the normal equations, relative to it.
const RIDGE: f64 = 1e-10;
/// Outcomes whose residuals are computed.
const RESIDUALS: usize = 1_000;

/// A regression of all features of outcomes on some of them.
#[derive(Clone, Debug)]
pub struct Completion {
    free: Vec<usize>,
    moments: Standardise,
    /// The outcomes, `[d, n]`, standardised.
    rows_std: DMatrix<f64>,
    /// Their free features, `[m, n]`, standardised.
    places: DMatrix<f64>,
}

impl Completion {
    /// A regression on the features `free`, `[m]`, from outcomes `x`.
    ///
    /// # Shapes
    /// - `x`: `[d, n]`, in the units of the data
    ///
    /// # Errors
    /// [`FlowError::Setting`] for free features that do not exist, are there twice, are none or all;
    /// [`FlowError::TooFewRows`] for fewer outcomes than a polynomial needs; [`FlowError::NotFinite`] and
    /// [`FlowError::ConstantFeature`] for unsuitable outcomes.
    pub fn new(x: DMatrixView<'_, f64>, free: &[usize]) -> Result<Self, FlowError> {
        let d = x.nrows();
        let once = |i: &usize| *i < d && free.iter().filter(|j| *j == i).count() == 1;
        if free.is_empty() || free.len() >= d || !free.iter().all(once) {
            let condition = "some of the features, but not all, each once";
            return Err(FlowError::setting("free", condition, format!("{free:?}")));
        }
        let needed = neighbours(free.len()) + 1;
        if x.ncols() < needed {
            return Err(FlowError::TooFewRows { rows: x.ncols(), needed });
        }
        let moments = Standardise::from_data(x)?;
        let rows_std = moments.apply(x);
        let places = rows_std.select_rows(free);
        Ok(Self { free: free.to_vec(), moments, rows_std, places })
    }

    /// Number of all features `d`.
    pub fn features(&self) -> usize {
        self.rows_std.nrows()
    }

    /// The free features, `[m]`.
    pub fn free(&self) -> &[usize] {
        &self.free
    }

    /// Means and standard deviations of all features.
    pub fn moments(&self) -> &Standardise {
        &self.moments
    }

    /// All features of outcomes whose free features are given. These stay as they are.
    ///
    /// # Shapes
    /// - `y_std`: `[m, n]`, standardised; returns `[d, n]`, standardised
    ///
    /// # Errors
    /// [`FlowError::Features`] and [`FlowError::NotFinite`].
    pub fn complete(&self, y_std: DMatrixView<'_, f64>) -> Result<DMatrix<f64>, FlowError> {
        let (expected, actual) = (self.free.len(), y_std.nrows());
        if actual != expected {
            return Err(FlowError::Features { expected, actual });
        }
        check_finite(y_std)?;
        let d = self.features();
        let mut x = DMatrix::zeros(d, y_std.ncols());
        x.as_mut_slice().par_chunks_mut(d).enumerate().for_each(|(j, x)| {
            let y: Vec<f64> = y_std.column(j).iter().copied().collect();
            x.copy_from_slice(self.regress(&y, None).as_slice());
            for (&i, y) in self.free.iter().zip(y) {
                x[i] = y;
            }
        });
        Ok(x)
    }

    /// How far each feature is from the regression, `[d]`, in standard deviations: the root mean square over up to
    /// 1,000 outcomes, each left out of its own regression. Free features have zero.
    pub fn residuals(&self) -> Vec<f64> {
        let n = self.rows_std.ncols();
        let count = n.min(RESIDUALS);
        let squares: Vec<DVector<f64>> = (0..count)
            .into_par_iter()
            .map(|i| {
                let j = i * n / count;
                let y: Vec<f64> = self.places.column(j).iter().copied().collect();
                let mut found = self.regress(&y, Some(j)) - self.rows_std.column(j);
                self.free.iter().for_each(|&i| found[i] = 0.0);
                found.map(|v| v * v)
            })
            .collect();
        let sum = squares.iter().fold(DVector::zeros(self.features()), |sum, s| sum + s);
        sum.iter().map(|v| (v / count as f64).sqrt()).collect()
    }

    /// The value of the local polynomial at `y`, `[m]`, for all features; outcome `without` is left out.
    fn regress(&self, y: &[f64], without: Option<usize>) -> DVector<f64> {
        let (m, k) = (self.free.len(), neighbours(self.free.len()));
        let squared = |j: usize| -> f64 {
            self.places.column(j).iter().zip(y).map(|(a, b)| (a - b).powi(2)).sum()
        };
        let mut near: Vec<(f64, usize)> = (0..self.places.ncols())
            .filter(|j| Some(*j) != without)
            .map(|j| (squared(j), j))
            .collect();
        near.select_nth_unstable_by(k - 1, |a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        near.truncate(k);
        // In this order sums do not depend on how the nearest were selected.
        near.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        let width = near[k - 1].0.sqrt().max(f64::MIN_POSITIVE);
        let p = coefficients(m);
        let mut normal = DMatrix::<f64>::zeros(p, p);
        let mut right = DMatrix::<f64>::zeros(p, self.features());
        let mut terms = DVector::<f64>::zeros(p);
        for &(squared, j) in &near {
            let weight = (1.0 - squared / (width * width)).max(1e-3);
            let place = self.places.column(j);
            polynomial(place.iter().zip(y).map(|(a, b)| (a - b) / width), &mut terms);
            normal.ger(weight, &terms, &terms, 1.0);
            right.ger(weight, &terms, &self.rows_std.column(j), 1.0);
        }
        let total = normal[(0, 0)];
        for i in 0..p {
            normal[(i, i)] *= 1.0 + RIDGE;
            // A coefficient that no neighbour decides is zero.
            normal[(i, i)] += f64::MIN_POSITIVE.sqrt();
        }
        match normal.cholesky() {
            Some(factor) => factor.solve(&right).row(0).transpose(),
            // All neighbours in one place: their weighted mean.
            None => right.row(0).transpose() / total,
        }
    }
}

/// Number of coefficients of the polynomial of `m` variables.
fn coefficients(m: usize) -> usize {
    if m <= QUADRATIC { 1 + m + m * (m + 1) / 2 } else { 1 + m }
}

/// Number of neighbours.
fn neighbours(m: usize) -> usize {
    PER_COEFFICIENT * coefficients(m)
}

/// The terms of the polynomial: one, the variables and, if there is room, their products.
fn polynomial(variables: impl Iterator<Item = f64>, terms: &mut DVector<f64>) {
    terms[0] = 1.0;
    let mut m = 0;
    for v in variables {
        m += 1;
        terms[m] = v;
    }
    let mut next = 1 + m;
    if next < terms.len() {
        for i in 1..=m {
            for j in i..=m {
                terms[next] = terms[i] * terms[j];
                next += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;
    use rand_distr::{Distribution, StandardNormal};

    use super::*;

    fn normals(d: usize, n: usize, seed: u64) -> DMatrix<f64> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        DMatrix::from_fn(d, n, |_, _| StandardNormal.sample(&mut rng))
    }

    /// Features 1 and 3 are free.
    fn surface(n: usize, seed: u64, rest: fn(f64, f64) -> [f64; 2]) -> DMatrix<f64> {
        let y = normals(2, n, seed);
        DMatrix::from_fn(4, n, |i, j| {
            let (a, b) = (y[(0, j)], y[(1, j)]);
            let rest = rest(a, b);
            [rest[0], a, rest[1], 5.0 + 10.0 * b][i]
        })
    }

    #[test]
    fn quadratic_functions_are_exact() {
        let rest = |a: f64, b: f64| [3.0 + a * b - b * b, 1e3 * (a - 2.0 * b)];
        let completion = Completion::new(surface(500, 1, rest).as_view(), &[1, 3]).unwrap();
        let x = surface(50, 2, rest);
        let x_std = completion.moments().apply(x.as_view());
        let y_std = x_std.select_rows(&[1, 3]);
        let found = completion.complete(y_std.as_view()).unwrap();
        assert!((found - x_std).amax() < 1e-6);
        assert!(completion.residuals().iter().all(|r| *r < 1e-6));
    }

    /// The error of a local quadratic polynomial is of third order in the distance of the neighbours.
    #[test]
    fn smooth_functions_are_approximated_the_better_the_more_outcomes_there_are() {
        let rest = |a: f64, b: f64| [(a + b).sin(), (0.5 * a).exp()];
        let residual = |n: usize| {
            let completion = Completion::new(surface(n, 3, rest).as_view(), &[1, 3]).unwrap();
            completion.residuals()[0]
        };
        let (few, many) = (residual(500), residual(8_000));
        // Distances are a quarter: 64 times as accurate in the interior.
        assert!(few < 0.1 && many < few / 8.0, "{few} {many}");
    }

    #[test]
    fn features_that_do_not_suit_are_refused() {
        let x = surface(500, 1, |a, b| [a, b]);
        for free in [&[][..], &[0, 1, 2, 3], &[1, 1], &[4]] {
            let error = Completion::new(x.as_view(), free).unwrap_err();
            assert!(matches!(error, FlowError::Setting { .. }), "{error}");
        }
        let few = Completion::new(x.columns(0, 30), &[1, 3]).unwrap_err();
        assert!(matches!(few, FlowError::TooFewRows { rows: 30, needed: 31 }), "{few}");
        let completion = Completion::new(x.as_view(), &[1, 3]).unwrap();
        let wrong = completion.complete(DMatrix::zeros(3, 2).as_view());
        assert!(matches!(wrong, Err(FlowError::Features { expected: 2, actual: 3 })));
        // Outcomes all in one place, and one far away.
        let same = DMatrix::from_fn(3, 200, |i, j| if j == 0 { (i + 1) as f64 } else { 0.5 });
        let completion = Completion::new(same.as_view(), &[0]).unwrap();
        let far = completion.complete(DMatrix::from_element(1, 1, 1e3).as_view()).unwrap();
        assert!(far.iter().all(|v| v.is_finite()), "{far}");
    }
}
