//! Monotone rational-quadratic splines with linear tails.
//!
//! Durkan et al., *Neural Spline Flows*, NeurIPS 2019: within a bin of width $w$, height $h$ and
//! slope $s = h/w$, with end derivatives $d_0, d_1$ and $t = (x - x_0)/w$,
//!
//! $$ y = y_0 + \frac{h (s t^2 + d_0 t(1-t))}{s + (d_0 + d_1 - 2s) t(1-t)}. \tag{1} $$
//!
//! Outside $[-B, B]$ the map is the identity.

use burn::tensor::{
    Bool, Int, Tensor,
    activation::{softmax, softplus},
};

use crate::device::like;

/// An elementwise monotone spline whose knots come from a conditioner.
#[derive(Clone, Debug, PartialEq)]
pub struct RqSpline {
    /// Number of bins `k`.
    pub bins: usize,
    /// Half-width $B$ of the interval on which the spline acts.
    pub tail_bound: f64,
    /// Smallest width of a bin as a share of the interval.
    pub min_bin_width: f64,
    /// Smallest height of a bin as a share of the interval.
    pub min_bin_height: f64,
    /// Smallest derivative at a knot.
    pub min_derivative: f64,
}

/// Knots as a conditioner returns them, before soft-max and soft-plus.
#[derive(Clone, Debug)]
pub struct RawKnots {
    /// `[n, t, k]`
    pub widths: Tensor<3>,
    /// `[n, t, k]`
    pub heights: Tensor<3>,
    /// Derivatives at the interior knots, `[n, t, k - 1]`.
    pub derivatives: Tensor<3>,
}

/// The bin of each input; each field is `[n, t]`.
struct Bin {
    x0: Tensor<2>,
    y0: Tensor<2>,
    width: Tensor<2>,
    height: Tensor<2>,
    d0: Tensor<2>,
    d1: Tensor<2>,
}

impl RqSpline {
    /// A spline with the usual smallest widths, heights and derivatives of 1e-3.
    pub fn new(bins: usize, tail_bound: f64) -> Self {
        let smallest = 1e-3;
        Self {
            bins,
            tail_bound,
            min_bin_width: smallest,
            min_bin_height: smallest,
            min_derivative: smallest,
        }
    }

    /// Outputs of the conditioner per transformed feature: `3 k - 1`.
    pub fn raw_len(&self) -> usize {
        3 * self.bins - 1
    }

    /// The outputs of a conditioner for which the splines of `t` features are the identity, `t (3 k - 1)`: equal
    /// bins, and slopes of 1.
    pub(crate) fn identity(&self, t: usize) -> Vec<f64> {
        // softplus of it and the smallest derivative are 1.
        let slope = (1.0 - self.min_derivative).exp_m1().ln();
        let each: Vec<f64> =
            (0..self.raw_len()).map(|i| if i < 2 * self.bins { 0.0 } else { slope }).collect();
        each.repeat(t)
    }

    /// Splits the outputs of a conditioner, `3 k - 1` per feature, into widths, heights and derivatives.
    ///
    /// # Shapes
    /// - `raw`: `[n, t (3 k - 1)]`
    pub fn split(&self, raw: Tensor<2>) -> RawKnots {
        let [n, outputs] = raw.dims();
        let (k, each) = (self.bins, self.raw_len());
        let raw = raw.reshape([n, outputs / each, each]);
        RawKnots {
            widths: raw.clone().narrow(2, 0, k),
            heights: raw.clone().narrow(2, k, k),
            derivatives: raw.narrow(2, 2 * k, k - 1),
        }
    }

    /// $y = f(x)$ by (1) and $\ln \mathrm d y/\mathrm d x$.
    ///
    /// # Shapes
    /// - `x`: `[n, t]`; returns two `[n, t]`
    pub fn encode(&self, x: Tensor<2>, raw: RawKnots) -> (Tensor<2>, Tensor<2>) {
        let outside = self.outside(&x);
        let inside = x.clone().mask_fill(outside.clone(), 0.0);
        let (knots_x, knots_y) = self.knots(raw.widths, raw.heights);
        let index = bin_index(&knots_x, &inside);
        let bin = self.bin(&index, &knots_x, &knots_y, raw.derivatives);

        let t = (inside - bin.x0.clone()) / bin.width.clone();
        let (ln_slope, quotient) = bin.ln_slope(t);
        let y = bin.y0 + bin.height * quotient;
        (y.mask_where(outside.clone(), x), ln_slope.mask_fill(outside, 0.0))
    }

    /// $x = f^{-1}(y)$, the root of a quadratic equation that is equivalent to (1), and
    /// $\ln \mathrm d x/\mathrm d y$.
    ///
    /// # Shapes
    /// - `y`: `[n, t]`; returns two `[n, t]`
    pub fn decode(&self, y: Tensor<2>, raw: RawKnots) -> (Tensor<2>, Tensor<2>) {
        let outside = self.outside(&y);
        let inside = y.clone().mask_fill(outside.clone(), 0.0);
        let (knots_x, knots_y) = self.knots(raw.widths, raw.heights);
        let index = bin_index(&knots_y, &inside);
        let bin = self.bin(&index, &knots_x, &knots_y, raw.derivatives);

        let slope = bin.height.clone() / bin.width.clone();
        let v = inside - bin.y0.clone();
        let ve = v.clone() * (bin.d0.clone() + bin.d1.clone() - slope.clone().mul_scalar(2.0));
        let a = ve.clone() + bin.height.clone() * (slope.clone() - bin.d0.clone());
        let b = bin.height.clone() * bin.d0.clone() - ve;
        let c = -(slope * v);
        let discriminant = b.clone().square() - (a * c.clone()).mul_scalar(4.0);
        // Rounding may push a discriminant of zero below it.
        let root = discriminant.clamp_min(0.0).sqrt();
        let t = c.mul_scalar(2.0) / (-b - root);
        let x = bin.x0.clone() + t.clone() * bin.width.clone();
        let (ln_slope, _) = bin.ln_slope(t);
        (x.mask_where(outside.clone(), y), (-ln_slope).mask_fill(outside, 0.0))
    }

    /// True where the map is the identity; NaN counts as outside.
    fn outside(&self, x: &Tensor<2>) -> Tensor<2, Bool> {
        let above = x.clone().greater_equal_scalar(-self.tail_bound);
        let below = x.clone().lower_equal_scalar(self.tail_bound);
        above.bool_and(below).bool_not()
    }

    /// Positions of the knots along both axes, each `[n, t, k + 1]`.
    fn knots(&self, widths: Tensor<3>, heights: Tensor<3>) -> (Tensor<3>, Tensor<3>) {
        (self.axis(widths, self.min_bin_width), self.axis(heights, self.min_bin_height))
    }

    fn axis(&self, raw: Tensor<3>, smallest: f64) -> Tensor<3> {
        let (k, bound) = (self.bins, self.tail_bound);
        let [n, t, _] = raw.dims();
        let options = like(&raw);
        let shares = softmax(raw, 2).mul_scalar(1.0 - smallest * k as f64).add_scalar(smallest);
        let inner = shares.narrow(2, 0, k - 1).cumsum(2).mul_scalar(2.0 * bound).sub_scalar(bound);
        let edge = |value: f64| Tensor::full([n, t, 1], value, options.clone());
        Tensor::cat(vec![edge(-bound), inner, edge(bound)], 2)
    }

    /// The bin `index`. Soft-plus is expensive, so only the two derivatives of that bin are transformed.
    fn bin(
        &self,
        index: &Tensor<3, Int>,
        knots_x: &Tensor<3>,
        knots_y: &Tensor<3>,
        derivatives: Tensor<3>,
    ) -> Bin {
        let [n, t, _] = index.dims();
        let options = like(&derivatives);
        // Slope 1 at both ends, as outside.
        let end = ((1.0 - self.min_derivative).exp() - 1.0).ln();
        let end = Tensor::full([n, t, 1], end, options);
        let derivatives = Tensor::cat(vec![end.clone(), derivatives, end], 2);

        let next = index.clone().add_scalar(1);
        let at = |values: &Tensor<3>, index: &Tensor<3, Int>| {
            values.clone().gather(2, index.clone()).squeeze_dim::<2>(2)
        };
        let slope = |index| softplus(at(&derivatives, index), 1.0).add_scalar(self.min_derivative);
        let (x0, y0) = (at(knots_x, index), at(knots_y, index));
        Bin {
            width: at(knots_x, &next) - x0.clone(),
            height: at(knots_y, &next) - y0.clone(),
            d0: slope(index),
            d1: slope(&next),
            x0,
            y0,
        }
    }
}

impl Bin {
    /// $\ln \mathrm d y/\mathrm d x$ at `t` and the quotient of (1) without its factor $h$.
    fn ln_slope(&self, t: Tensor<2>) -> (Tensor<2>, Tensor<2>) {
        let slope = self.height.clone() / self.width.clone();
        let rest = t.clone().mul_scalar(-1.0).add_scalar(1.0);
        let product = t.clone() * rest.clone();
        let sum = self.d0.clone() + self.d1.clone() - slope.clone().mul_scalar(2.0);
        let denominator = slope.clone() + sum * product.clone();
        let numerator = self.d1.clone() * t.clone().square()
            + (slope.clone() * product.clone()).mul_scalar(2.0)
            + self.d0.clone() * rest.square();
        let quotient =
            (slope.clone() * t.square() + self.d0.clone() * product) / denominator.clone();
        let ln_slope = (slope.square() * numerator).log() - denominator.log().mul_scalar(2.0);
        (ln_slope, quotient)
    }
}

/// Bin of each input: the number of interior knots at or left of it, `[n, t, 1]`.
fn bin_index(knots: &Tensor<3>, x: &Tensor<2>) -> Tensor<3, Int> {
    let k = knots.dims()[2] - 1;
    let interior = knots.clone().detach().narrow(2, 1, k - 1);
    let reached = interior.lower_equal(x.clone().detach().unsqueeze_dim(2));
    reached.int().sum_dim(2)
}
