//! Special functions on the logarithmic scale.

pub(crate) mod beta;
pub(crate) mod climb;
pub(crate) mod gamma;
pub(crate) mod interval;
pub(crate) mod quadrature;
pub(crate) mod score;
pub(crate) mod stirling;

/// $\log(1 - e^l)$ for $l \le 0$.
pub(crate) fn ln_1m_exp(l: f64) -> f64 {
    if l > -std::f64::consts::LN_2 { (-l.exp_m1()).ln() } else { (-l.exp()).ln_1p() }
}
