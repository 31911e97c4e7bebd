//! The smoothed indicator $\Phi(-g/\sigma)$ of the failure event and the choice of its width.

use crate::math::special::{ln_normal_cdf, ln_sum_exp};
use crate::result::diagnostics::effective_sample_size;

/// Logarithm of the widest over the narrowest width tried.
const RANGE: f64 = 20.0;
/// Halvings of that range.
const HALVINGS: usize = 40;

/// $\log\Phi(-g/\sigma)$; the constant $\log\frac12$ when sigma is infinite (absent).
pub(crate) fn ln_indicator(g: f64, sigma: Option<f64>) -> f64 {
    match sigma {
        None => -std::f64::consts::LN_2,
        Some(s) => ln_normal_cdf(-g / s),
    }
}

/// $\log \mathbf 1\lbrace g \le 0\rbrace$.
pub(crate) fn ln_failure(g: f64) -> f64 {
    if g <= 0.0 { 0.0 } else { f64::NEG_INFINITY }
}

/// Log of the mean of exponentials.
pub(crate) fn ln_mean_exp(ln_w: &[f64]) -> f64 {
    ln_sum_exp(ln_w) - (ln_w.len() as f64).ln()
}

/// Log-weights from one width to a narrower one; the first level weighs by the indicator itself.
pub(crate) fn ln_increments(g: &[f64], from: Option<f64>, to: f64) -> Vec<f64> {
    let before = |g: f64| if from.is_some() { ln_indicator(g, from) } else { 0.0 };
    g.iter().map(|g| ln_indicator(*g, Some(to)) - before(*g)).collect()
}

/// Log-weights from the smoothed indicator to the sharp one.
pub(crate) fn ln_to_failure(g: &[f64], sigma: Option<f64>) -> Vec<f64> {
    g.iter().map(|g| if *g <= 0.0 { -ln_indicator(*g, sigma) } else { f64::NEG_INFINITY }).collect()
}

/// Coefficient of variation of weights given by their logarithms; infinite when all are zero.
pub(crate) fn weight_cov(ln_w: &[f64]) -> f64 {
    let ess = effective_sample_size(ln_w);
    if ess > 0.0 { (ln_w.len() as f64 / ess - 1.0).max(0.0).sqrt() } else { f64::INFINITY }
}

/// The smallest width at which `holds`, taken to do so from some width on, by bisection on the
/// logarithm; at most `before`, or ten times the median of $|g|$ where there is none.
pub(crate) fn narrowest(g: &[f64], before: Option<f64>, holds: impl Fn(f64) -> bool) -> f64 {
    let widest = before.unwrap_or_else(|| {
        let mut sizes: Vec<f64> = g.iter().map(|g| g.abs()).collect();
        let middle = sizes.len() / 2;
        (10.0 * *sizes.select_nth_unstable_by(middle, f64::total_cmp).1).max(f64::MIN_POSITIVE)
    });
    let (mut low, mut high) = (widest.ln() - RANGE, widest.ln());
    if holds(low.exp()) {
        return low.exp();
    }
    for _ in 0..HALVINGS {
        let centre = 0.5 * (low + high);
        if holds(centre.exp()) {
            high = centre;
        } else {
            low = centre;
        }
    }
    high.exp().min(widest)
}

/// The narrowest width, at most `before`, at which points with the log-weights `ln_w` have an effective
/// size of `min_ess` under the smoothed indicator, and the logarithms of its values. The width is zero, and
/// the indicator sharp, where the failing points are enough by themselves.
pub(crate) fn fit_width(
    g: &[f64],
    ln_w: &[f64],
    before: Option<f64>,
    min_ess: f64,
) -> (f64, Vec<f64>) {
    let size = |factors: &[f64]| {
        let ln_h: Vec<f64> = ln_w.iter().zip(factors).map(|(w, f)| w + f).collect();
        effective_sample_size(&ln_h)
    };
    let sharp: Vec<f64> = g.iter().map(|g| ln_failure(*g)).collect();
    if size(&sharp) >= min_ess {
        return (0.0, sharp);
    }
    let factors = |s: f64| g.iter().map(|g| ln_indicator(*g, Some(s))).collect::<Vec<f64>>();
    let width = narrowest(g, before, |s| size(&factors(s)) >= min_ess);
    (width, factors(width))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::rng;

    #[test]
    fn the_width_meets_its_target() {
        let g: Vec<f64> = rng::standard_normal(1, 5000, 3).iter().map(|u| 3.0 - u).collect();
        let cov = |from, to| weight_cov(&ln_increments(&g, from, to));
        let first = narrowest(&g, None, |s| cov(None, s) <= 1.5);
        assert!((cov(None, first) - 1.5).abs() < 1e-6);
        let second = narrowest(&g, Some(first), |s| cov(Some(first), s) <= 0.5);
        assert!(second < first);
        assert!((cov(Some(first), second) - 0.5).abs() < 1e-6);
        assert!((narrowest(&g, Some(0.7), |_| false) - 0.7).abs() < 1e-15);
    }

    #[test]
    fn enough_failures_make_the_indicator_sharp() {
        let g: Vec<f64> = rng::standard_normal(1, 5000, 3).iter().map(|u| 1.5 - u).collect();
        let failures = g.iter().filter(|g| **g <= 0.0).count() as f64;
        let flat = vec![0.0; g.len()];
        assert!(fit_width(&g, &flat, None, 0.999 * failures).0 == 0.0);
        let (width, factors) = fit_width(&g, &flat, None, 2.0 * failures);
        assert!(width > 0.0 && (effective_sample_size(&factors) / failures - 2.0).abs() < 1e-4);
    }
}
