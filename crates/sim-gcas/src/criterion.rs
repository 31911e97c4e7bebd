//! Which outcomes are failures.

use nalgebra::{DMatrix, DVector};

/// Means of the twelve features over 1,000,000 runs of the reference program.
pub const REFERENCE_MEAN: [f64; 12] = [
    529.26836,
    -0.00094518632,
    -0.066112023,
    0.19549594,
    -0.054605493,
    0.00071672664,
    0.14372527,
    -0.0042770351,
    1508.9613,
    -16.833388,
    320.60064,
    -0.85558871,
];

/// Standard deviations of the twelve features over the same runs.
pub const REFERENCE_SD: [f64; 12] = [
    16.73415,
    0.00014337089,
    0.0050640426,
    0.089279165,
    0.020655842,
    0.00021276483,
    0.24266343,
    0.00058084867,
    58.00687,
    31.247195,
    170.68056,
    0.48445395,
];

/// The nose is too high when the standardised pitch angle exceeds this.
pub const PITCH_THRESHOLD: f64 = 1.45;
/// The aircraft is too low when the standardised altitude falls below this.
pub const ALTITUDE_THRESHOLD: f64 = -2.45;

/// Positions of pitch angle and altitude among the features.
const PITCH: usize = 3;
const ALTITUDE: usize = 10;

/// A failure criterion in standardised features (Kruse et al., AAAI 2025).
#[derive(Clone, Debug, PartialEq)]
pub enum Criterion {
    /// The nose is too high or the aircraft too low,
    /// $g(x) = \min(1.45 - \theta, h + 2.45)$, with pitch angle $\theta$ and altitude $h$ standardised by
    /// [`REFERENCE_MEAN`] and [`REFERENCE_SD`].
    Thresholds,
    /// The outcome lies in one of several ellipsoids, as in the paper: $g(x)$ is the smallest of its
    /// Mahalanobis distances from their centres, less one.
    Ellipsoids(Ellipsoids),
}

/// Ellipsoids in standardised features, $\lbrace z : \lVert L^{-1}(z - c) \rVert \le 1 \rbrace$.
#[derive(Clone, Debug, PartialEq)]
pub struct Ellipsoids {
    mean: DVector<f64>,
    sd: DVector<f64>,
    bodies: Vec<(DVector<f64>, DMatrix<f64>)>,
}

/// Why ellipsoids are refused.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CriterionError {
    /// There is no ellipsoid.
    #[error("at least one ellipsoid is needed")]
    Empty,
    /// A mean is infinite or NaN, or a standard deviation not positive.
    #[error("feature {0} needs a finite mean and a finite standard deviation above 0")]
    Moments(usize),
    /// A centre or factor has another size, or a factor is singular.
    #[error(
        "ellipsoid {0} needs a centre [12] and a lower Cholesky factor [12, 12] with a positive diagonal"
    )]
    Ellipsoid(usize),
}

impl Ellipsoids {
    /// Ellipsoids `(c, L)` with centres `c: [12]` and lower Cholesky factors `L: [12, 12]` of their shape
    /// matrices, in features standardised with `mean` and `sd`.
    ///
    /// # Errors
    /// [`CriterionError`] when sizes differ, a number is not finite or a factor is singular.
    pub fn new(
        mean: [f64; 12],
        sd: [f64; 12],
        bodies: Vec<(DVector<f64>, DMatrix<f64>)>,
    ) -> Result<Self, CriterionError> {
        let usable = |i: &usize| mean[*i].is_finite() && sd[*i].is_finite() && sd[*i] > 0.0;
        if let Some(bad) = (0..12).find(|i| !usable(i)) {
            return Err(CriterionError::Moments(bad));
        }
        if bodies.is_empty() {
            return Err(CriterionError::Empty);
        }
        for (i, (center, factor)) in bodies.iter().enumerate() {
            let sized = center.len() == 12 && factor.shape() == (12, 12);
            let finite = center.iter().chain(factor.iter()).all(|v| v.is_finite());
            if !(sized && finite && factor.diagonal().iter().all(|v| *v > 0.0)) {
                return Err(CriterionError::Ellipsoid(i));
            }
        }
        Ok(Self { mean: DVector::from(mean.to_vec()), sd: DVector::from(sd.to_vec()), bodies })
    }

    fn limit(&self, x: &[f64]) -> f64 {
        let z = DVector::from_fn(12, |i, _| (x[i] - self.mean[i]) / self.sd[i]);
        let distance = |(center, factor): &(DVector<f64>, DMatrix<f64>)| {
            let solved = factor.solve_lower_triangular(&(&z - center));
            solved.map_or(f64::NAN, |w| w.norm() - 1.0)
        };
        self.bodies.iter().map(distance).reduce(lesser).unwrap_or(f64::NAN)
    }
}

/// The smaller of two numbers; NaN if the first is.
fn lesser(a: f64, b: f64) -> f64 {
    if b < a { b } else { a }
}

impl Criterion {
    /// Returns $g(x)$ at the twelve features `x` of one outcome, in their own units; NaN where the features
    /// are NaN.
    ///
    /// # Panics
    /// When `x` has fewer than twelve entries.
    pub fn limit(&self, x: &[f64]) -> f64 {
        match self {
            Self::Thresholds => {
                let z = |i: usize| (x[i] - REFERENCE_MEAN[i]) / REFERENCE_SD[i];
                lesser(PITCH_THRESHOLD - z(PITCH), z(ALTITUDE) - ALTITUDE_THRESHOLD)
            }
            Self::Ellipsoids(ellipsoids) => ellipsoids.limit(x),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit_ball() -> (DVector<f64>, DMatrix<f64>) {
        (DVector::zeros(12), DMatrix::identity(12, 12))
    }

    #[test]
    fn bad_ellipsoids_are_refused() {
        let new = |mean, sd, bodies| Ellipsoids::new(mean, sd, bodies).unwrap_err();
        assert_eq!(new([0.0; 12], [1.0; 12], vec![]), CriterionError::Empty);
        assert_eq!(new([0.0; 12], [0.0; 12], vec![unit_ball()]), CriterionError::Moments(0));
        let short = (DVector::zeros(11), DMatrix::identity(12, 12));
        let bodies = vec![unit_ball(), short];
        assert_eq!(new([0.0; 12], [1.0; 12], bodies), CriterionError::Ellipsoid(1));
        let flat = (DVector::zeros(12), DMatrix::zeros(12, 12));
        assert_eq!(new([0.0; 12], [1.0; 12], vec![flat]), CriterionError::Ellipsoid(0));
    }

    #[test]
    fn the_nearest_ellipsoid_counts() {
        let far = (DVector::repeat(12, 10.0), DMatrix::identity(12, 12) * 2.0);
        let ellipsoids = Ellipsoids::new([1.0; 12], [0.5; 12], vec![far, unit_ball()]).unwrap();
        let criterion = Criterion::Ellipsoids(ellipsoids);
        let mut x = [1.0; 12];
        x[4] = 2.0; // two units from the centre of the ball
        assert!((criterion.limit(&x) - 1.0).abs() < 1e-14);
        assert!((criterion.limit(&[1.0; 12]) + 1.0).abs() < 1e-14);
        assert!(criterion.limit(&[f64::NAN; 12]).is_nan());
        assert!(Criterion::Thresholds.limit(&[f64::NAN; 12]).is_nan());
    }

    #[test]
    fn thresholds_are_those_of_the_specification() {
        let mut x = REFERENCE_MEAN;
        x[PITCH] = 0.324951;
        assert!(Criterion::Thresholds.limit(&x).abs() < 1e-5);
        let mut x = REFERENCE_MEAN;
        x[ALTITUDE] = -97.5667;
        assert!(Criterion::Thresholds.limit(&x).abs() < 1e-5);
    }
}
