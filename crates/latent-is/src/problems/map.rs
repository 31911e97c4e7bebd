//! Invertible maps in closed form, or up to one-dimensional root finding.

use nalgebra::{DMatrix, DMatrixView, DVector};

use crate::error::EvalError;
use crate::math::special::{LN_2PI, inverse_ln_normal_cdf, ln_normal_cdf, ln_sum_exp};
use crate::model::transport::{Mapped, Transport};

/// The maps of the problems that have a target space.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AnalyticMap {
    /// Each plane is bent into a parabola: $x_1 = u_1$, $x_2 = u_2/2 + 0.6 (u_1^2 - 1)$.
    Banana {
        /// Number of planes; the dimension is twice as large.
        pairs: usize,
    },
    /// Two coupling layers in the plane.
    Warp,
    /// The Rosenblatt map of a mixture of three Gaussians in the plane.
    Mixture,
}

impl AnalyticMap {
    /// Writes the image of one sample and returns the log-determinant.
    fn decode_one(self, u: &[f64], x: &mut [f64]) -> f64 {
        match self {
            Self::Banana { pairs } => {
                for (x, u) in x.chunks_exact_mut(2).zip(u.chunks_exact(2)) {
                    x[0] = u[0];
                    x[1] = 0.5 * u[1] + 0.6 * (u[0] * u[0] - 1.0);
                }
                pairs as f64 * 0.5_f64.ln()
            }
            Self::Warp => {
                let stretch = 0.4 * (1.5 * u[0]).sin();
                let y = u[1] * stretch.exp() + 1.2 * (1.5 * u[0]).cos();
                x[0] = u[0] * (0.3 * y.tanh()).exp() + 1.5 * y.sin();
                x[1] = y;
                stretch + 0.3 * y.tanh()
            }
            Self::Mixture => {
                let first = Mixture1::marginal();
                x[0] = first.quantile(u[0]);
                let second = Mixture1::conditional(x[0]);
                x[1] = second.quantile(u[1]);
                let ln_phi = -0.5 * (u[0] * u[0] + u[1] * u[1]) - LN_2PI;
                ln_phi - first.ln_pdf(x[0]) - second.ln_pdf(x[1])
            }
        }
    }

    /// Writes the preimage of one sample and returns the log-determinant of the inverse.
    fn encode_one(self, x: &[f64], u: &mut [f64]) -> f64 {
        match self {
            Self::Banana { pairs } => {
                for (x, u) in x.chunks_exact(2).zip(u.chunks_exact_mut(2)) {
                    u[0] = x[0];
                    u[1] = 2.0 * (x[1] - 0.6 * (x[0] * x[0] - 1.0));
                }
                pairs as f64 * std::f64::consts::LN_2
            }
            Self::Warp => {
                let y = x[1];
                u[0] = (x[0] - 1.5 * y.sin()) * (-0.3 * y.tanh()).exp();
                let stretch = 0.4 * (1.5 * u[0]).sin();
                u[1] = (y - 1.2 * (1.5 * u[0]).cos()) * (-stretch).exp();
                -stretch - 0.3 * y.tanh()
            }
            Self::Mixture => {
                let (first, second) = (Mixture1::marginal(), Mixture1::conditional(x[0]));
                u[0] = first.normal_score(x[0]);
                u[1] = second.normal_score(x[1]);
                let ln_phi = -0.5 * (u[0] * u[0] + u[1] * u[1]) - LN_2PI;
                first.ln_pdf(x[0]) + second.ln_pdf(x[1]) - ln_phi
            }
        }
    }

    fn map(
        self,
        from: DMatrixView<'_, f64>,
        one: fn(Self, &[f64], &mut [f64]) -> f64,
    ) -> Result<Mapped, EvalError> {
        let d = self.dim();
        EvalError::check_dim(d, from.nrows())?;
        let from = from.clone_owned();
        let mut points = DMatrix::zeros(d, from.ncols());
        let images = points.as_mut_slice().chunks_exact_mut(d);
        let ln_det: Vec<f64> =
            from.as_slice().chunks_exact(d).zip(images).map(|(a, b)| one(self, a, b)).collect();
        Ok(Mapped { points, ln_det: DVector::from_vec(ln_det) })
    }
}

impl Transport for AnalyticMap {
    fn dim(&self) -> usize {
        match self {
            Self::Banana { pairs } => 2 * pairs,
            Self::Warp | Self::Mixture => 2,
        }
    }

    fn decode(&self, u: DMatrixView<'_, f64>) -> Result<Mapped, EvalError> {
        self.map(u, Self::decode_one)
    }

    fn encode(&self, x: DMatrixView<'_, f64>) -> Result<Mapped, EvalError> {
        self.map(x, Self::encode_one)
    }
}

/// Means, then the entries 11, 12, 22 of the covariances, of the planar mixture.
const WEIGHTS: [f64; 3] = [0.5, 0.3, 0.2];
const MEANS: [[f64; 2]; 3] = [[-2.0, 0.0], [2.0, 1.0], [0.5, -2.0]];
const COVARIANCES: [[f64; 3]; 3] = [[0.6, 0.3, 0.5], [0.4, -0.2, 0.7], [0.8, 0.0, 0.25]];

/// A mixture of three Gaussians on the line: log-weights, means, standard deviations.
struct Mixture1 {
    ln_weights: [f64; 3],
    means: [f64; 3],
    sds: [f64; 3],
}

impl Mixture1 {
    /// The distribution of the first coordinate.
    fn marginal() -> Self {
        Self {
            ln_weights: WEIGHTS.map(f64::ln),
            means: MEANS.map(|m| m[0]),
            sds: COVARIANCES.map(|c| c[0].sqrt()),
        }
    }

    /// The distribution of the second coordinate given the first.
    fn conditional(x: f64) -> Self {
        let marginal = Self::marginal();
        let terms = marginal.ln_terms(x);
        let total = ln_sum_exp(&terms);
        Self {
            ln_weights: terms.map(|t| t - total),
            means: std::array::from_fn(|k| {
                MEANS[k][1] + COVARIANCES[k][1] / COVARIANCES[k][0] * (x - MEANS[k][0])
            }),
            sds: COVARIANCES.map(|c| (c[2] - c[1] * c[1] / c[0]).sqrt()),
        }
    }

    fn score(&self, k: usize, x: f64) -> f64 {
        (x - self.means[k]) / self.sds[k]
    }

    fn ln_terms(&self, x: f64) -> [f64; 3] {
        std::array::from_fn(|k| {
            let z = self.score(k, x);
            self.ln_weights[k] - 0.5 * (z * z + LN_2PI) - self.sds[k].ln()
        })
    }

    fn ln_pdf(&self, x: f64) -> f64 {
        ln_sum_exp(&self.ln_terms(x))
    }

    /// Log-probability below `x`, or above it with `sign = -1`.
    fn ln_tail(&self, x: f64, sign: f64) -> f64 {
        let terms: [f64; 3] =
            std::array::from_fn(|k| self.ln_weights[k] + ln_normal_cdf(sign * self.score(k, x)));
        ln_sum_exp(&terms)
    }

    /// The point below which the probability is $\Phi(u)$, by Newton steps on the logarithm of the
    /// smaller tail within a bracket: a quantile of a mixture lies between those of its components.
    fn quantile(&self, u: f64) -> f64 {
        let sign = if u > 0.0 { -1.0 } else { 1.0 };
        let goal = ln_normal_cdf(sign * u);
        let each: [f64; 3] = std::array::from_fn(|k| self.means[k] + self.sds[k] * u);
        let mut low = each.iter().copied().fold(f64::INFINITY, f64::min);
        let mut high = each.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let mut x = 0.5 * (low + high);
        for _ in 0..200 {
            let tail = self.ln_tail(x, sign);
            let excess = sign * (tail - goal);
            if excess > 0.0 {
                high = x;
            } else {
                low = x;
            }
            let newton = x - excess * (tail - self.ln_pdf(x)).exp();
            let next = if newton > low && newton < high { newton } else { 0.5 * (low + high) };
            if (next - x).abs() <= 1e-16 * (1.0 + x.abs()) {
                return next;
            }
            x = next;
        }
        x
    }

    /// The `u` with $\Phi(u)$ equal to the probability below `x`.
    fn normal_score(&self, x: f64) -> f64 {
        let (below, above) = (self.ln_tail(x, 1.0), self.ln_tail(x, -1.0));
        if below < above { inverse_ln_normal_cdf(below) } else { -inverse_ln_normal_cdf(above) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::rng;

    #[test]
    fn encode_undoes_decode_far_into_the_tails() {
        for map in [AnalyticMap::Banana { pairs: 5 }, AnalyticMap::Warp, AnalyticMap::Mixture] {
            let u = 2.0 * rng::standard_normal(map.dim(), 500, 8);
            let x = map.decode(u.as_view()).unwrap();
            let back = map.encode(x.points.as_view()).unwrap();
            assert!((back.points - &u).amax() < 1e-8, "{map:?}");
            assert!((back.ln_det + x.ln_det).amax() < 1e-8, "{map:?}");
        }
    }

    #[test]
    fn log_determinants_agree_with_difference_quotients() {
        let h = 1e-5;
        for map in [AnalyticMap::Banana { pairs: 1 }, AnalyticMap::Warp, AnalyticMap::Mixture] {
            let u = rng::standard_normal(2, 20, 3);
            let at = |shift: [f64; 2]| {
                let moved = DMatrix::from_fn(2, 20, |i, j| u[(i, j)] + shift[i]);
                map.decode(moved.as_view()).unwrap()
            };
            let column = |shift: [f64; 2]| {
                (at(shift).points - at([-shift[0], -shift[1]]).points) / (2.0 * h)
            };
            let (a, b) = (column([h, 0.0]), column([0.0, h]));
            for (j, ln_det) in at([0.0, 0.0]).ln_det.iter().enumerate() {
                let determinant = a[(0, j)] * b[(1, j)] - a[(1, j)] * b[(0, j)];
                assert!((determinant.abs().ln() - ln_det).abs() < 1e-6, "{map:?}");
            }
        }
    }
}
