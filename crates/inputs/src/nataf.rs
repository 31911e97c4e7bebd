//! From the correlation of two inputs to that of their normal scores.
//!
//! Nataf's model gives normal scores $z_i$ a joint normal distribution with correlation $\rho_0$ and the
//! inputs $w_i(z_i)$ the correlation (Liu and Der Kiureghian 1986, equation 12)
//!
//! $$ \rho = \iint \frac{w_1(z_1) - \mu_1}{\sigma_1} \frac{w_2(z_2) - \mu_2}{\sigma_2}
//!    \varphi_2(z_1, z_2; \rho_0) \mathrm dz_1 \mathrm dz_2. \tag{1} $$
//!
//! In orthonormal Hermite polynomials $h_k$ this integral is a power series (Mehler's formula),
//!
//! $$ \rho = \sum_{k \ge 1} a_k b_k \rho_0^k, \qquad
//!    a_k = \frac{1}{\sigma_1} \int w_1(z) h_k(z) \varphi(z) \mathrm dz, \tag{2} $$
//!
//! so that one integral per input and order serves all pairs. $\rho$ grows with $\rho_0$; the root is found
//! by bisection.
//!
//! # References
//! - P.-L. Liu, A. Der Kiureghian: Multivariate distribution models with prescribed marginals and
//!   covariances. *Probabilistic Engineering Mechanics* 1 (1986), 105–112.

use tails::normal::pdf;

use crate::{
    distribution::Distribution,
    univariate::{Univariate, discrete::Discrete},
};

/// Terms for a distribution without steps: their coefficients fall quickly.
const TERMS: usize = 200;
/// Terms for a staircase, whose coefficients fall slowly.
const STEP_TERMS: usize = 2000;

/// The coefficients $a_1, a_2, \dots$ of a distribution with a finite standard deviation.
pub(crate) fn coefficients(distribution: &Distribution) -> Vec<f64> {
    let sd = distribution.sd();
    let sums = match distribution {
        Distribution::Discrete(d) => of_steps(d),
        smooth => of_values(smooth),
    };
    sums.into_iter().map(|a| a / sd).collect()
}

/// By the trapezoidal rule, which converges faster than any power for smooth functions that vanish at both
/// ends.
fn of_values(distribution: &Distribution) -> Vec<f64> {
    let (reach, per_unit) = (30, 100);
    let mean = distribution.mean();
    let mut sums = vec![0.0; TERMS];
    for i in -reach * per_unit..=reach * per_unit {
        let z = f64::from(i) / f64::from(per_unit);
        let weight = (distribution.at_normal(z) - mean) * pdf(z) / f64::from(per_unit);
        add_polynomials(&mut sums, z, weight);
    }
    sums
}

/// Exactly: by parts, $\int w h_k \varphi = \int w' h_{k-1} \varphi / \sqrt k$, and $w'$ is a sum of
/// points.
fn of_steps(discrete: &Discrete) -> Vec<f64> {
    let mut sums = vec![0.0; STEP_TERMS];
    for (z, step) in discrete.steps() {
        let weight = step * pdf(z);
        sums[0] += weight;
        add_polynomials(&mut sums[1..], z, weight);
    }
    for (k, sum) in (1_u32..).zip(&mut sums) {
        *sum /= f64::from(k).sqrt();
    }
    sums
}

/// Adds `weight` times $h_1(z), h_2(z), \dots$ by the recursion
/// $\sqrt{k + 1} h_{k+1} = z h_k - \sqrt k h_{k-1}$.
fn add_polynomials(sums: &mut [f64], z: f64, weight: f64) {
    let (mut before, mut now) = (weight, weight * z);
    for (k, sum) in (1_u32..).zip(sums) {
        *sum += now;
        let k = f64::from(k);
        (before, now) = (now, (z * now - k.sqrt() * before) / (k + 1.0).sqrt());
    }
}

/// The correlation of the inputs at that of the scores, equation (2).
pub(crate) fn of_inputs(a: &[f64], b: &[f64], score: f64) -> f64 {
    let n = a.len().min(b.len());
    a[..n].iter().zip(&b[..n]).rev().fold(0.0, |sum, (a, b)| (sum + a * b) * score)
}

/// The correlation of the scores at that of the inputs.
///
/// # Errors
/// The least and the greatest correlation that the two distributions allow, when `rho` is beyond them.
pub(crate) fn of_scores(a: &[f64], b: &[f64], rho: f64) -> Result<f64, (f64, f64)> {
    let (mut low, mut high) = (-1.0, 1.0);
    let range = (of_inputs(a, b, low), of_inputs(a, b, high));
    if !(range.0 < rho && rho < range.1) {
        return Err(range);
    }
    loop {
        let middle = 0.5 * (low + high);
        if middle <= low || middle >= high {
            return Ok(middle);
        }
        if of_inputs(a, b, middle) < rho {
            low = middle;
        } else {
            high = middle;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::f64::consts::PI;

    use super::*;
    use crate::{Exponential, LogNormal, Normal, Uniform};

    fn scores(a: impl Into<Distribution>, b: impl Into<Distribution>, rho: f64) -> f64 {
        of_scores(&coefficients(&a.into()), &coefficients(&b.into()), rho).unwrap()
    }

    #[test]
    fn pairs_with_a_formula_follow_it() {
        let (normal, uniform) = (Normal::new(2.0, 3.0).unwrap(), Uniform::new(-1.0, 4.0).unwrap());
        for rho in [-0.9, -0.3, 1e-3, 0.5, 0.9] {
            assert!((scores(normal, normal, rho) - rho).abs() < 1e-13);
            // Normal and uniform: rho_0 = rho sqrt(pi / 3). Two uniforms: 2 sin(pi rho / 6).
            let exact = rho * (PI / 3.0).sqrt();
            assert!((scores(normal, uniform, rho) - exact).abs() < 1e-13);
            let exact = 2.0 * (PI * rho / 6.0).sin();
            assert!((scores(uniform, uniform, rho) - exact).abs() < 1e-13);
            // Two log-normals (Liu and Der Kiureghian, table 5).
            let (z1, z2) = (0.2_f64, 0.5_f64);
            let cov = |z: f64| z.powi(2).exp_m1().sqrt();
            let exact = (rho * cov(z1) * cov(z2)).ln_1p() / (z1 * z2);
            let pair = [z1, z2].map(|z| LogNormal::new(0.7, z).unwrap());
            if exact.abs() < 1.0 {
                assert!((scores(pair[0], pair[1], rho) - exact).abs() < 1e-12);
            }
            // Normal and log-normal.
            let exact = rho * cov(z2) / z2;
            if exact.abs() < 1.0 {
                assert!((scores(normal, pair[1], rho) - exact).abs() < 1e-12);
            }
        }
        let wide = LogNormal::new(0.0, 1.5).unwrap();
        let exact = (0.4 * 2.25_f64.exp_m1()).ln_1p() / 2.25;
        assert!((scores(wide, wide, 0.4) - exact).abs() < 1e-10);
    }

    #[test]
    fn two_coins_follow_the_arcsine() {
        // P(both up) = 1/4 + asin(rho_0) / (2 pi), hence rho = (2 / pi) asin(rho_0).
        let coin = Discrete::new(vec![0.0, 1.0], vec![0.5, 0.5]).unwrap();
        for rho in [-0.8, 0.1, 0.6, 0.9] {
            let exact = (0.5 * PI * rho).sin();
            let actual = scores(coin.clone(), coin.clone(), rho);
            assert!((actual - exact).abs() < 1e-9, "{rho}: {actual}, not {exact}");
        }
    }

    #[test]
    fn two_exponentials_agree_with_the_published_fit() {
        // Liu and Der Kiureghian, table 6: rho_0 = rho (1.229 - 0.367 rho + 0.153 rho^2), within 1.5 %.
        let d = Exponential::new(3.0).unwrap();
        for rho in [-0.4, -0.2, 0.2, 0.5, 0.8] {
            let fit = rho * (1.229 - 0.367 * rho + 0.153 * rho * rho);
            let actual = scores(d, d, rho);
            assert!((actual / fit - 1.0).abs() < 0.015, "{rho}: {actual}, fit {fit}");
        }
        // The least correlation of two exponentials is 1 - pi^2 / 6.
        let a = coefficients(&d.into());
        let (least, greatest) = of_scores(&a, &a, -0.9).unwrap_err();
        assert!((least - (1.0 - PI * PI / 6.0)).abs() < 1e-9 && (greatest - 1.0).abs() < 1e-9);
    }
}
