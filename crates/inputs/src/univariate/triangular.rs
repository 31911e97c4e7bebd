//! The triangular distribution.

use serde::{Deserialize, Serialize};

use super::Univariate;
use crate::{check::Check, error::InputsError};

/// The triangular distribution between two bounds with a mode.
///
/// Below the mode $c$, $F(w) = (w - a)^2 / ((b - a)(c - a))$; above it,
/// $1 - F(w) = (b - w)^2 / ((b - a)(b - c))$.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Parameters", into = "Parameters")]
pub struct Triangular {
    from: f64,
    mode: f64,
    to: f64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Parameters {
    from: f64,
    mode: f64,
    to: f64,
}

impl TryFrom<Parameters> for Triangular {
    type Error = InputsError;

    fn try_from(p: Parameters) -> Result<Self, InputsError> {
        Self::new(p.from, p.mode, p.to)
    }
}

impl From<Triangular> for Parameters {
    fn from(Triangular { from, mode, to }: Triangular) -> Self {
        Self { from, mode, to }
    }
}

impl Triangular {
    /// The triangular distribution between `from` and `to` with its greatest density at `mode`.
    ///
    /// # Errors
    /// [`InputsError::Parameter`] unless all are finite, `from < to` and `from <= mode <= to`.
    pub fn new(from: f64, mode: f64, to: f64) -> Result<Self, InputsError> {
        let inside = (from..=to).contains(&mode);
        Check("triangular").range(from, to)?.that(
            inside,
            "mode",
            "between `from` and `to`",
            mode,
        )?;
        Ok(Self { from, mode, to })
    }

    /// Width, width below the mode, width above the mode.
    fn widths(&self) -> [f64; 3] {
        [self.to - self.from, self.mode - self.from, self.to - self.mode]
    }

    /// The triangle seen from its other end.
    fn mirrored(&self) -> Self {
        Self { from: -self.to, mode: -self.mode, to: -self.from }
    }

    /// The distance from `from` below which lies the probability `p`. Beyond the mode, $t = w - c$ solves
    /// $t (2 (b - c) - t) = (b - c)((b - a) p - (c - a))$, which does not cancel where $c$ is close to $a$.
    fn distance(&self, p: f64) -> f64 {
        let [all, below, above] = self.widths();
        if all * p <= below {
            return (all * below * p).sqrt();
        }
        let r = above * (all * p - below);
        below + r / (above + (above * above - r).max(0.0).sqrt())
    }

    /// $\log P(W \le w)$.
    fn ln_lower(&self, w: f64) -> f64 {
        let [all, below, above] = self.widths();
        if w >= self.to {
            0.0
        } else if w < self.mode {
            2.0 * (w - self.from).max(0.0).ln() - all.ln() - below.ln()
        } else {
            (below / all + (w - self.mode) / all * (1.0 + (self.to - w) / above)).ln()
        }
    }
}

impl Univariate for Triangular {
    fn lower_quantile(&self, ln_p: f64) -> f64 {
        self.from + self.distance(ln_p.exp())
    }

    fn upper_quantile(&self, ln_q: f64) -> f64 {
        self.to - self.mirrored().distance(ln_q.exp())
    }

    fn ln_cdf(&self, w: f64) -> f64 {
        self.ln_lower(w)
    }

    fn ln_sf(&self, w: f64) -> f64 {
        self.mirrored().ln_lower(-w)
    }

    fn ln_pdf(&self, w: f64) -> Option<f64> {
        let [all, below, above] = self.widths();
        let height = if w < self.mode {
            (w - self.from) / below
        } else if w > self.mode {
            (self.to - w) / above
        } else {
            1.0
        };
        Some((height.max(0.0) * 2.0 / all).ln())
    }

    fn mean(&self) -> f64 {
        (self.from + self.mode + self.to) / 3.0
    }

    fn sd(&self) -> f64 {
        let [all, below, above] = self.widths();
        ((all * all + below * below + above * above) / 36.0).sqrt()
    }
}
