//! Special functions of the estimators: log-sum-exp and the normal distribution far in its tails.

pub use tails::normal::{
    LN_2PI, cdf as normal_cdf, inverse_ln_cdf as inverse_ln_normal_cdf, ln_cdf as ln_normal_cdf,
    pdf as normal_pdf,
};

/// $\log \sum_i e^{a_i}$; minus infinity for an empty sum.
pub fn ln_sum_exp(a: &[f64]) -> f64 {
    let max = a.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if max.is_infinite() {
        return max;
    }
    max + a.iter().map(|v| (v - max).exp()).sum::<f64>().ln()
}

/// $\log(e^a + e^b)$.
pub fn ln_add_exp(a: f64, b: f64) -> f64 {
    let (low, high) = if a < b { (a, b) } else { (b, a) };
    if low == f64::NEG_INFINITY { high } else { high + (low - high).exp().ln_1p() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_of_exponentials_survive_underflow() {
        assert!(
            (ln_sum_exp(&[-2000.0, -2000.0]) - (-2000.0 + std::f64::consts::LN_2)).abs() < 1e-12
        );
        assert!((ln_add_exp(-2000.0, -2001.0) - ln_sum_exp(&[-2000.0, -2001.0])).abs() < 1e-12);
        assert!(ln_sum_exp(&[]).is_infinite());
    }
}
