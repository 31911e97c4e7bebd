//! Maximum likelihood for excesses.

use crate::{error::TailError, maximum::maximum, pareto::GeneralisedPareto};

/// Fewest excesses of a fit.
pub(crate) const FEWEST: usize = 10;
/// Smallest shape: below it the likelihood has no maximum.
pub(crate) const SMALLEST_SHAPE: f64 = -1.0;

/// A generalised Pareto distribution fitted to excesses.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ExcessFit {
    /// The distribution of largest likelihood with a shape of at least -1.
    pub distribution: GeneralisedPareto,
    /// Its log-likelihood.
    pub ln_likelihood: f64,
    /// Standard error of the shape, from the expected information; infinite for a shape of at most
    /// -0.5, where there is none.
    pub shape_error: f64,
    /// Standard error of the scale, in the same way.
    pub scale_error: f64,
}

/// Fits excesses `y`, `[k]`, by maximum likelihood.
///
/// The likelihood is reduced to one variable: with $\theta = \xi/\sigma$ the best shape is the mean of
/// $\ln(1 + \theta y_i)$. The standard errors are those of Smith, $\mathrm{Var}(\xi) = (1 + \xi)^2/k$ and
/// $\mathrm{Var}(\sigma) = 2\sigma^2(1 + \xi)/k$.
///
/// # Errors
/// [`TailError::TooFew`] for fewer than ten positive excesses, [`TailError::NotFinite`].
///
/// # References
/// - S. D. Grimshaw: Computing maximum likelihood estimates for the generalized Pareto distribution.
///   *Technometrics* 35 (1993), 185–191.
/// - R. L. Smith: Estimating tails of probability distributions. *Annals of Statistics* 15 (1987),
///   1174–1207.
pub fn fit(y: &[f64]) -> Result<ExcessFit, TailError> {
    if let Some(index) = y.iter().position(|v| !v.is_finite()) {
        return Err(TailError::NotFinite { index, value: y[index] });
    }
    let found = y.iter().filter(|v| **v > 0.0).count();
    if found < FEWEST {
        return Err(TailError::TooFew { found, needed: FEWEST });
    }
    let k = y.len() as f64;
    let largest = y.iter().fold(0.0, |m: f64, v| m.max(*v));
    let mean = y.iter().sum::<f64>() / k;
    let shape_of = |theta: f64| y.iter().map(|y| (theta * y).ln_1p()).sum::<f64>() / k;
    // The coordinate is s = ln(1 + theta y_max): it tells apart places near the end of a bounded tail
    // and those of a heavy tail alike.
    let parameters = |s: f64| {
        let theta = s.exp_m1() / largest;
        if theta.abs() * largest < 1e-9 {
            return (0.0, mean);
        }
        let shape = shape_of(theta);
        (shape, shape / theta)
    };
    let ln_likelihood = |s: f64| {
        let (shape, scale) = parameters(s);
        if shape >= SMALLEST_SHAPE && scale > 0.0 {
            -k * (scale.ln() + shape + 1.0)
        } else {
            f64::NEG_INFINITY
        }
    };
    // With theta at most `e^25 / y_max` the shape can exceed any that a table of outcomes shows.
    let grid: Vec<f64> = (-120..=100).map(|i| 0.25 * f64::from(i)).collect();
    let (s, interior) = maximum(&grid, 1e-10, ln_likelihood);
    // The edge of the range of shapes, where the distribution is uniform up to the largest excess.
    let edge = -k * largest.ln();
    let (shape, scale, ln_likelihood) = if interior > edge {
        let (shape, scale) = parameters(s);
        (shape, scale, interior)
    } else {
        (SMALLEST_SHAPE, largest, edge)
    };
    let factor = if shape > -0.5 { ((1.0 + shape) / k).sqrt() } else { f64::INFINITY };
    Ok(ExcessFit {
        distribution: GeneralisedPareto::new(shape, scale)?,
        ln_likelihood,
        shape_error: factor * (1.0 + shape).sqrt(),
        scale_error: factor * scale * std::f64::consts::SQRT_2,
    })
}
