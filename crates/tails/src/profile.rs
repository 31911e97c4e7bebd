//! Confidence intervals of the probability of a large excess, from the profile likelihood.

use crate::{fit::SMALLEST_SHAPE, maximum::maximum, pareto::GeneralisedPareto};

/// Largest shape in a profile: at it, moments of order 1/3 are infinite.
const LARGEST_SHAPE: f64 = 3.0;

/// The largest log-likelihood of the excesses `y` among the distributions with
/// $\ln \mathrm P(Y > y_0) = l$.
fn profile(y: &[f64], y0: f64, ln_sf: f64) -> f64 {
    let grid: Vec<f64> = (0..=40).map(|i| SMALLEST_SHAPE + 0.1 * f64::from(i)).collect();
    debug_assert!((grid[40] - LARGEST_SHAPE).abs() < 1e-9);
    let ln_likelihood = |shape: f64| {
        // The scale follows from the shape and the probability.
        let Ok(unit) = GeneralisedPareto::new(shape, 1.0) else { return f64::NEG_INFINITY };
        let Ok(distribution) = GeneralisedPareto::new(shape, y0 / unit.inverse_ln_sf(ln_sf)) else {
            return f64::NEG_INFINITY;
        };
        y.iter().map(|y| distribution.ln_pdf(*y)).sum()
    };
    maximum(&grid, 1e-4, ln_likelihood).1
}

/// The ends of the interval of $\ln \mathrm P(Y > y_0)$ that the likelihood ratio does not reject:
/// those $l$ with a deviance of at most `limit` from the best one. `best` is the estimate with its
/// log-likelihood; the lower end is negative infinity when the tail may end before $y_0$.
pub(crate) fn interval(y: &[f64], y0: f64, best: (f64, f64), limit: f64) -> (f64, f64) {
    // The maximum over a grid may be slightly better than the fit.
    let top = best.1.max(if best.0.is_finite() { profile(y, y0, best.0) } else { best.1 });
    let deviance = |l: f64| 2.0 * (top - profile(y, y0, l));
    // From probabilities of e^-700, beyond which nothing is distinguished.
    let begin = best.0.max(FARTHEST);
    let upper = crossing(begin, -1e-12, |l| deviance(l) > limit);
    let lower = if begin <= FARTHEST || deviance(FARTHEST) <= limit {
        f64::NEG_INFINITY
    } else {
        crossing(begin, FARTHEST, |l| deviance(l) > limit)
    };
    (lower, upper)
}

/// The logarithm of the smallest probability in a profile.
const FARTHEST: f64 = -700.0;

/// The place between `inside` and `outside` where `beyond` becomes true, on the logarithmic scale.
fn crossing(inside: f64, outside: f64, beyond: impl Fn(f64) -> bool) -> f64 {
    let (mut inside, mut outside) = ((-inside).ln(), (-outside).ln());
    for _ in 0..40 {
        let middle = 0.5 * (inside + outside);
        if beyond(-middle.exp()) {
            outside = middle;
        } else {
            inside = middle;
        }
        if (inside - outside).abs() < 1e-4 {
            break;
        }
    }
    -(0.5 * (inside + outside)).exp()
}
