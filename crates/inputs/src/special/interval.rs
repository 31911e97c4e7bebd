//! The standard normal mass of an interval, and its quantiles.

use tails::normal::{LN_2PI, ln_cdf};

use super::{climb::concave_root, ln_1m_exp, quadrature::integrate, score::lower};

/// $\log\varphi(z)$.
fn ln_pdf(z: f64) -> f64 {
    -0.5 * (z * z + LN_2PI)
}

/// $\log(\Phi(b) - \Phi(a))$ for $a \le b$, without cancellation.
pub(crate) fn ln_mass(a: f64, b: f64) -> f64 {
    if a.is_nan() || b.is_nan() {
        f64::NAN
    } else if a >= b {
        f64::NEG_INFINITY
    } else if a + b > 0.0 {
        ln_mass(-b, -a)
    } else if (b - a) * a.abs().max(1.0) < 1.0 {
        ln_mass_from(a, b - a)
    } else {
        ln_cdf(b) + ln_1m_exp(ln_cdf(a) - ln_cdf(b))
    }
}

/// $\log(\Phi(a + \delta) - \Phi(a))$ for a distance $\delta$ that may be lost in the sum $a + \delta$.
pub(crate) fn ln_mass_from(a: f64, distance: f64) -> f64 {
    if distance <= 0.0 {
        f64::NEG_INFINITY
    } else if distance * a.abs().max(1.0) < 1.0 {
        ln_pdf(a) + integrate(0.0, distance, |t| (-t * (a + 0.5 * t)).exp()).ln()
    } else {
        ln_mass(a, a + distance)
    }
}

/// Where the mass above the lower end of an interval reaches a share of the whole.
pub(crate) enum Place {
    /// At this distance from the lower end.
    Distance(f64),
    /// At this value; the lower end is infinite.
    Value(f64),
}

/// The place in `[a, b]` below which lies the share `exp(ln_p)` of its mass.
///
/// The normal density is log-concave, and so is the mass as a function of the distance from `a`. That
/// the density nowhere exceeds its greatest value gives a distance below the root.
pub(crate) fn quantile(a: f64, b: f64, ln_p: f64) -> Place {
    let target = ln_p + ln_mass(a, b);
    if a == f64::NEG_INFINITY {
        return Place::Value(if target <= -std::f64::consts::LN_2 {
            lower(target)
        } else {
            -lower(ln_1m_exp(target))
        });
    }
    let peak = ln_pdf(0.0_f64.clamp(a, b));
    let start = (target - peak).exp();
    if start == 0.0 {
        return Place::Distance(0.0);
    }
    Place::Distance(concave_root(start, |distance| {
        let ln = ln_mass_from(a, distance);
        (ln - target, (ln_pdf(a + distance) - ln).exp())
    }))
}

/// Mean and standard deviation of the standard normal distribution cut to `[a, b]`.
pub(crate) fn moments(a: f64, b: f64) -> (f64, f64) {
    let peak = 0.0_f64.clamp(a, b);
    // Beyond this distance the density is below 1e-13 of its greatest value.
    let reach = 50.0 / (peak.abs() + 5.0);
    let (from, to) = ((a - peak).max(-reach), (b - peak).min(reach));
    let panels = 64;
    let moment = |f: &dyn Fn(f64) -> f64| {
        let edge = |i: i32| from + (to - from) * f64::from(i) / f64::from(panels);
        let weight = |t: f64| (-t * (peak + 0.5 * t)).exp();
        (0..panels).map(|i| integrate(edge(i), edge(i + 1), |t| f(t) * weight(t))).sum::<f64>()
    };
    let mass = moment(&|_| 1.0);
    let shift = moment(&|t| t) / mass;
    let variance = moment(&|t| (t - shift).powi(2)) / mass;
    (peak + shift, variance.sqrt())
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "these are exact")]
mod tests {
    use super::*;

    #[test]
    fn masses_agree_with_decimal_arithmetic() {
        // log(Phi(b) - Phi(a)) by mpmath with 50 digits.
        for (a, b, expected) in MASSES {
            let actual = ln_mass(a, b);
            assert!((actual / expected - 1.0).abs() < 1e-13, "{a} {b}: {actual}");
            assert_eq!(ln_mass(-b, -a), actual);
        }
    }

    const MASSES: [(f64, f64, f64); 6] = [
        (-2.0, 1.0, -0.2001662943244626),
        (-40.0, -39.5, -784.7208791066234),
        (-0.001, 0.002, -6.72808202351855),
        (5.0, 5.01, -18.04902101327498),
        (8.0, 8.5, -35.02879250857975),
        (-0.4, 0.5, -1.0587642639956454),
    ];
}
