//! How far importance weights can be trusted.
//!
//! All figures are of the nonzero terms $h_i = \mathbf 1\lbrace g(x_i) \le 0\rbrace p(x_i)/q(x_i)$ alone. They see
//! only what the proposal sampled: a failure mode that it never visits leaves all of them green.
//!
//! # References
//! - A. Vehtari, D. Simpson, A. Gelman, Y. Yao, J. Gabry: Pareto smoothed importance sampling.
//!   *Journal of Machine Learning Research* 25 (2024).
//! - F. Satterthwaite: An approximate distribution of estimates of variance components. *Biometrics
//!   Bulletin* 2 (1946), 110–114.
//! - J. Zhang, M. Stephens: A new and efficient estimation method for the generalized Pareto
//!   distribution. *Technometrics* 51 (2009), 316–325.

use crate::math::special::ln_sum_exp;

/// Effective sample size $(\sum h_i)^2 / \sum h_i^2$ from the logarithms of the nonzero terms; zero
/// when there are none.
pub fn effective_sample_size(ln_h: &[f64]) -> f64 {
    let twice: Vec<f64> = ln_h.iter().map(|l| 2.0 * l).collect();
    let value = 2.0 * ln_sum_exp(ln_h) - ln_sum_exp(&twice);
    if value.is_nan() { 0.0 } else { value.exp() }
}

/// Largest share of one term in the sum; a value above 0.2 means that one draw carries the estimate.
/// One when there are no terms.
pub fn max_weight_share(ln_h: &[f64]) -> f64 {
    let max = ln_h.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let share = (max - ln_sum_exp(ln_h)).exp();
    if share.is_nan() { 1.0 } else { share }
}

/// Degrees of freedom of the sample variance of `draws` terms, of which the nonzero ones have the
/// logarithms `ln_h`: $2 n / (\kappa - 1)$ with the kurtosis $\kappa$ of the terms, zeros included, so that the variance
/// of a chi-square distribution with as many agrees (Satterthwaite 1946). It is $n - 1$ at most; about twice the
/// number of failures when all weights are equal; two when one draw carries all.
pub fn degrees_of_freedom(ln_h: &[f64], draws: u64) -> f64 {
    let n = draws as f64;
    let total = ln_sum_exp(ln_h);
    let power = |k: f64| {
        let powers: Vec<f64> = ln_h.iter().map(|l| k * (l - total)).collect();
        ln_sum_exp(&powers).exp() / n
    };
    // Raw moments of terms that add up to one, then central ones.
    let (mean, second, third, fourth) = (1.0 / n, power(2.0), power(3.0), power(4.0));
    let variance = second - mean * mean;
    let fourth = fourth - 4.0 * mean * third + 6.0 * mean * mean * second - 3.0 * mean.powi(4);
    let freedom = 2.0 * n / (fourth / (variance * variance) - 1.0);
    let most = (n - 1.0).max(1.0);
    if freedom > 0.0 { freedom.clamp(1.0, most) } else { most }
}

/// Shape $\hat k$ of a generalised Pareto distribution fitted to the largest terms.
///
/// Below 0.5 the terms have finite variance and the interval holds at its usual rate; up to 0.7 the
/// estimate is usable and its interval optimistic; above, it is unreliable. The tail holds the
/// $M = \min(0.2 n, 3 \sqrt n)$ largest of $n$ terms; with $M < 5$, or when the terms are all
/// equal, the shape is undefined.
pub fn pareto_k(ln_h: &[f64]) -> Option<f64> {
    let n = ln_h.len() as f64;
    let m = (0.2 * n).min(3.0 * n.sqrt()) as usize;
    if m < 5 {
        return None;
    }
    let mut sorted = ln_h.to_vec();
    sorted.sort_by(f64::total_cmp);
    let (max, cutoff) = (sorted[sorted.len() - 1], sorted[sorted.len() - 1 - m]);
    let floor = (cutoff - max).exp();
    let exceedances: Vec<f64> =
        sorted[sorted.len() - m..].iter().map(|l| (l - max).exp() - floor).collect();
    pareto_shape(&exceedances)
}

/// Posterior-mean estimate of the shape from ascending exceedances, shrunk towards 0.5.
fn pareto_shape(x: &[f64]) -> Option<f64> {
    let m = x.len() as f64;
    let quartile = x[((m / 4.0 + 0.5) as usize).max(1) - 1];
    let largest = x[x.len() - 1];
    if quartile <= 0.0 {
        return None;
    }
    let n_grid = 30 + m.sqrt() as usize;
    let shape = |theta: f64| x.iter().map(|x| (-theta * x).ln_1p()).sum::<f64>() / m;
    let grid: Vec<(f64, f64)> = (1..=n_grid)
        .map(|j| {
            let step = 1.0 - (n_grid as f64 / (j as f64 - 0.5)).sqrt();
            let theta = 1.0 / largest + step / (3.0 * quartile);
            let k = shape(theta);
            (theta, m * ((-theta / k).ln() - k - 1.0))
        })
        .filter(|(_, ln_likelihood)| ln_likelihood.is_finite())
        .collect();
    let total = ln_sum_exp(&grid.iter().map(|(_, l)| *l).collect::<Vec<_>>());
    let theta: f64 = grid.iter().map(|(theta, l)| theta * (l - total).exp()).sum();
    let k = (m * shape(theta) + 10.0 * 0.5) / (m + 10.0);
    k.is_finite().then_some(k)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::rng;
    use rand::RngExt;

    #[test]
    fn effective_size_counts_equal_terms() {
        assert!((effective_sample_size(&[-900.0; 40]) - 40.0).abs() < 1e-9);
        assert!(effective_sample_size(&[]).abs() < 1e-15);
        assert!((max_weight_share(&[-900.0; 40]) - 0.025).abs() < 1e-12);
        assert!((max_weight_share(&[]) - 1.0).abs() < 1e-15);
    }

    #[test]
    fn degrees_of_freedom_follow_the_kurtosis() {
        // A Bernoulli distribution has kurtosis 1 / (p (1 - p)) - 3.
        let p = 0.01;
        let exact = 2.0 * 10_000.0 / (1.0 / (p * (1.0 - p)) - 4.0);
        assert!((degrees_of_freedom(&[-3.0; 100], 10_000) - exact).abs() < 1e-6 * exact);
        let mut one = vec![-300.0; 100];
        one[3] = 0.0;
        assert!((degrees_of_freedom(&one, 10_000) - 2.0).abs() < 1e-2);
        // Terms that do not vary say nothing against the variance.
        assert!((degrees_of_freedom(&[-700.0; 50], 50) - 49.0).abs() < 1e-12);
    }

    #[test]
    fn the_shape_of_pareto_terms_is_found() {
        // h = U^-k has a Pareto tail of shape k; the mean over replications of the shrunk estimate
        // lies within 0.1 of it at this size.
        for shape in [0.3, 0.7, 1.0] {
            let mean = (0..30)
                .map(|seed| {
                    let mut random = rng::stream(seed, 0);
                    let ln_h: Vec<f64> =
                        (0..4000).map(|_| -shape * random.random::<f64>().ln()).collect();
                    pareto_k(&ln_h).unwrap()
                })
                .sum::<f64>()
                / 30.0;
            assert!((mean - shape).abs() < 0.1, "{mean} for {shape}");
        }
    }

    #[test]
    fn bounded_terms_give_a_negative_shape_and_equal_ones_none() {
        let mut random = rng::stream(1, 0);
        let ln_h: Vec<f64> = (0..4000).map(|_| random.random::<f64>().ln()).collect();
        assert!(pareto_k(&ln_h).unwrap() < 0.0);
        assert_eq!(pareto_k(&vec![0.0; 4000]), None);
        assert_eq!(pareto_k(&[0.0; 10]), None);
    }
}
