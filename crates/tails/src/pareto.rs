//! The generalised Pareto distribution.

use crate::error::TailError;

/// The generalised Pareto distribution of an excess $y \ge 0$ over a threshold, with shape $\xi$ and
/// scale $\sigma > 0$:
///
/// $$ \mathrm P(Y > y) = \left(1 + \frac{\xi y}{\sigma}\right)^{-1/\xi}, $$
///
/// and $\exp(-y/\sigma)$ for $\xi = 0$. With a negative shape it ends at $-\sigma/\xi$.
///
/// # References
/// - J. Pickands: Statistical inference using extreme order statistics. *Annals of Statistics* 3 (1975),
///   119–131.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GeneralisedPareto {
    shape: f64,
    scale: f64,
}

impl GeneralisedPareto {
    /// The distribution of this shape and scale.
    ///
    /// # Errors
    /// [`TailError::Parameter`] when the shape is not finite or the scale is not positive and finite.
    pub fn new(shape: f64, scale: f64) -> Result<Self, TailError> {
        let refused = |name, condition, value| TailError::Parameter { name, condition, value };
        if !shape.is_finite() {
            return Err(refused("shape", "finite", shape));
        }
        if !(scale > 0.0 && scale.is_finite()) {
            return Err(refused("scale", "positive and finite", scale));
        }
        Ok(Self { shape, scale })
    }

    /// The shape $\xi$: positive for a heavy tail, negative for one that ends.
    pub fn shape(&self) -> f64 {
        self.shape
    }

    /// The scale $\sigma$, in the unit of the excess.
    pub fn scale(&self) -> f64 {
        self.scale
    }

    /// The largest possible excess, infinite for a shape that is not negative.
    pub fn upper(&self) -> f64 {
        if self.shape < 0.0 { -self.scale / self.shape } else { f64::INFINITY }
    }

    /// $\ln \mathrm P(Y > y)$.
    pub fn ln_sf(&self, y: f64) -> f64 {
        if y <= 0.0 {
            return 0.0;
        }
        let t = self.shape * (y / self.scale);
        if t <= -1.0 {
            return f64::NEG_INFINITY;
        }
        -(y / self.scale) * ln_1p_over(t)
    }

    /// The logarithm of the density at `y`.
    pub fn ln_pdf(&self, y: f64) -> f64 {
        if y < 0.0 || y > self.upper() {
            return f64::NEG_INFINITY;
        }
        -self.scale.ln() + (1.0 + self.shape) * self.ln_sf(y)
    }

    /// The excess that is exceeded with probability $\exp(l)$, for $l$ = `ln_sf` $\le 0$.
    pub fn inverse_ln_sf(&self, ln_sf: f64) -> f64 {
        if ln_sf >= 0.0 {
            return 0.0;
        }
        let a = -self.shape * ln_sf;
        if a == f64::NEG_INFINITY {
            return self.upper();
        }
        self.scale * -ln_sf * exp_m1_over(a)
    }
}

/// $\ln(1 + t) / t$, which is 1 at 0.
fn ln_1p_over(t: f64) -> f64 {
    if t.abs() < 1e-5 { 1.0 - t * (0.5 - t / 3.0) } else { t.ln_1p() / t }
}

/// $(\exp(a) - 1) / a$, which is 1 at 0.
fn exp_m1_over(a: f64) -> f64 {
    if a.abs() < 1e-5 { 1.0 + a * (0.5 + a / 6.0) } else { a.exp_m1() / a }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_inverse_is_the_inverse_also_far_out() {
        for shape in [-0.9, -0.2, -1e-7, 0.0, 1e-9, 0.3, 1.5] {
            let distribution = GeneralisedPareto::new(shape, 2.5).unwrap();
            for ln_sf in [-1e-9, -0.1, -1.0, -20.0, -200.0] {
                let y = distribution.inverse_ln_sf(ln_sf);
                // Near the end of a bounded tail the excess has no digits left to tell them apart.
                if y < distribution.upper() * (1.0 - 1e-9) {
                    let back = distribution.ln_sf(y);
                    assert!((back / ln_sf - 1.0).abs() < 1e-6, "{shape} {ln_sf}: {back}");
                }
            }
        }
        let bounded = GeneralisedPareto::new(-0.5, 1.0).unwrap();
        assert!(bounded.ln_sf(2.0).is_infinite());
        assert!((bounded.inverse_ln_sf(f64::NEG_INFINITY) - 2.0).abs() < 1e-15);
    }

    #[test]
    fn parameters_are_checked_by_name() {
        for (shape, scale, name) in
            [(f64::NAN, 1.0, "shape"), (0.1, 0.0, "scale"), (0.1, f64::INFINITY, "scale")]
        {
            let error = GeneralisedPareto::new(shape, scale).unwrap_err().to_string();
            assert!(error.starts_with(name), "{error}");
        }
    }
}
