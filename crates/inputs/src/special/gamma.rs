//! The regularised incomplete gamma functions $P(a, x)$ and $Q(a, x) = 1 - P(a, x)$, and their inverses.
//!
//! NIST Digital Library of Mathematical Functions 8.7.1 (series) and 8.9.2 (continued fraction).

use libm::lgamma;
use tails::normal::LN_2PI;

use super::{
    climb::concave_root,
    ln_1m_exp,
    stirling::{deviance, stirling_error},
};

/// $\log(x^a e^{-x} / \Gamma(a))$ at $x = e^y$: the density of $y$.
pub(crate) fn ln_density(a: f64, y: f64) -> f64 {
    if a < 10.0 {
        a * y - y.exp() - lgamma(a)
    } else {
        let ln_r = y - a.ln();
        0.5 * (a.ln() - LN_2PI) - stirling_error(a) - a * deviance(ln_r.exp(), ln_r)
    }
}

/// $(\log P, \log Q)$ at $x = e^y$.
pub(crate) fn ln_both(a: f64, y: f64) -> (f64, f64) {
    let x = y.exp();
    if x < a + 1.0 {
        let ln_p = (ln_density(a, y) + series(a, x).ln() - a.ln()).min(0.0);
        (ln_p, ln_1m_exp(ln_p))
    } else {
        let ln_q = (ln_density(a, y) - fraction(a, x).ln()).min(0.0);
        (ln_1m_exp(ln_q), ln_q)
    }
}

/// $\sum_n x^n / ((a + 1) \cdots (a + n))$.
fn series(a: f64, x: f64) -> f64 {
    let (mut term, mut sum, mut n) = (1.0, 1.0, a);
    while term > 1e-17 * sum {
        n += 1.0;
        term *= x / n;
        sum += term;
    }
    sum
}

/// The continued fraction $x + 1 - a - \frac{1 (1 - a)}{x + 3 - a - \cdots}$ by Lentz' method.
fn fraction(a: f64, x: f64) -> f64 {
    let mut b = x + 1.0 - a;
    let (mut f, mut c, mut d) = (b, b, 0.0);
    for n in 1..100_000 {
        let n = f64::from(n);
        let an = n * (a - n);
        b += 2.0;
        d = (b + an * d).recip();
        c = b + an / c;
        f *= c * d;
        if (c * d - 1.0).abs() < 1e-16 {
            break;
        }
    }
    f
}

/// The $\log x$ with $\log P(a, x) = l$.
///
/// $\log P$ is concave in $\log x$, and $P \le x^a / \Gamma(a + 1)$ gives a point below the root.
pub(crate) fn ln_lower_quantile(a: f64, l: f64) -> f64 {
    concave_root((l + lgamma(a + 1.0)) / a, |y| {
        let (ln_p, _) = ln_both(a, y);
        (ln_p - l, (ln_density(a, y) - ln_p).exp())
    })
}

/// The $x$ with $\log Q(a, x) = s$, for $s \le \log\frac12$.
///
/// For $a \ge 1$ the function $\log Q$ is concave in $x$. Otherwise it is concave in $\log x$, and
/// $Q \le e^{-x}$ gives a point above the root.
pub(crate) fn upper_quantile(a: f64, s: f64) -> f64 {
    if s == f64::NEG_INFINITY {
        f64::INFINITY
    } else if a < 1.0 {
        let root = concave_root((-s).ln(), |y| {
            let (_, ln_q) = ln_both(a, y);
            (ln_q - s, -(ln_density(a, y) - ln_q).exp())
        });
        root.exp()
    } else {
        concave_root(a, |x| {
            let y = x.ln();
            let (_, ln_q) = ln_both(a, y);
            (ln_q - s, -(ln_density(a, y) - y - ln_q).exp())
        })
    }
}
