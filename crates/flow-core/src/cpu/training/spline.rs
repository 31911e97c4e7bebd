//! Rational-quadratic splines with their derivatives; the arithmetic is that of
//! [`RqSpline`](crate::bijection::RqSpline).

use crate::cpu::math::{exp, ln, softplus};

/// The splines of a flow.
#[derive(Clone, Debug)]
pub(super) struct Spline {
    bins: usize,
    bound: f32,
    /// Factor of raw widths and heights.
    scale: f32,
    /// Raw derivative at the ends, where the slope is 1.
    end: f32,
}

/// Smallest share of a bin, and smallest derivative.
const SMALLEST: f32 = 1e-3;

/// Numbers that a vector instruction takes together.
const LANES: usize = 8;

/// One axis of a spline.
struct Axis {
    /// The soft-max, `[bins]`, completed to whole lanes with zeros.
    shares: Vec<f32>,
    /// Knots, `[bins + 1]`.
    knots: Vec<f32>,
}

/// Memory for one spline.
pub(super) struct Scratch {
    x: Axis,
    y: Axis,
}

/// The bin of a value.
struct Bin {
    index: usize,
    x0: f32,
    width: f32,
    y0: f32,
    height: f32,
    d0: f32,
    d1: f32,
}

impl Spline {
    pub(super) fn new(bins: usize, bound: f64, scale: f64) -> Self {
        let end = ((1.0 - f64::from(SMALLEST)).exp() - 1.0).ln();
        Self { bins, bound: bound as f32, scale: scale as f32, end: end as f32 }
    }

    /// Outputs of the conditioner per feature.
    pub(super) fn raw_len(&self) -> usize {
        3 * self.bins - 1
    }

    pub(super) fn scratch(&self) -> Scratch {
        let lanes = self.bins.next_multiple_of(LANES);
        let axis = || Axis { shares: vec![0.0; lanes], knots: vec![0.0; self.bins + 1] };
        Scratch { x: axis(), y: axis() }
    }

    /// $f(x)$ and $\ln f'(x)$.
    #[inline(always)]
    pub(super) fn forward(&self, x: f32, raw: &[f32], scratch: &mut Scratch) -> (f32, f32) {
        let Some(bin) = self.bin(x, raw, scratch) else { return (x, 0.0) };
        let s = bin.height / bin.width;
        let t = (x - bin.x0) / bin.width;
        let rest = 1.0 - t;
        let q = t * rest;
        let denominator = s + (bin.d0 + bin.d1 - 2.0 * s) * q;
        let slope = bin.d1 * t * t + 2.0 * s * q + bin.d0 * rest * rest;
        let y = bin.y0 + bin.height * ((s * t * t + bin.d0 * q) / denominator);
        let ratio = s / denominator;
        (y, ln(ratio * ratio * slope))
    }

    /// Derivatives of the loss with respect to `x`, returned, and to `raw`, in `by_raw`, from those with
    /// respect to $f(x)$ and $\ln f'(x)$, `by_y` and `by_ln`.
    #[inline(always)]
    pub(super) fn backward(
        &self,
        x: f32,
        raw: &[f32],
        (by_y, by_ln): (f32, f32),
        by_raw: &mut [f32],
        scratch: &mut Scratch,
    ) -> f32 {
        by_raw.fill(0.0);
        let Some(Bin { index, x0, width, height, d0, d1, .. }) = self.bin(x, raw, scratch) else {
            return by_y;
        };
        // The forward pass with its intermediate results.
        let s = height / width;
        let t = (x - x0) / width;
        let rest = 1.0 - t;
        let q = t * rest;
        let e = d0 + d1 - 2.0 * s;
        let denominator = s + e * q;
        let numerator = s * t * t + d0 * q;
        let slope = d1 * t * t + 2.0 * s * q + d0 * rest * rest;
        let quotient = numerator / denominator;
        // The backward pass, step by step.
        let by_numerator = by_y * height / denominator;
        let by_denominator = -(by_y * height * quotient + 2.0 * by_ln) / denominator;
        let by_slope = by_ln / slope;
        let by_e = by_denominator * q;
        let by_q = by_denominator * e + by_numerator * d0 + by_slope * 2.0 * s;
        let by_t = by_numerator * 2.0 * s * t
            + by_slope * 2.0 * (d1 * t - d0 * rest)
            + by_q * (1.0 - 2.0 * t);
        let by_s = 2.0 * by_ln / s + by_denominator + by_numerator * t * t + by_slope * 2.0 * q
            - 2.0 * by_e;
        let by_d0 = by_numerator * q + by_slope * rest * rest + by_e;
        let by_d1 = by_slope * t * t + by_e;
        let by_height = by_y * quotient + by_s / width;
        let by_x = by_t / width;
        let by_width = -(by_s * s + by_t * t) / width;

        let k = self.bins;
        // The knots at the ends of the interval are fixed.
        self.axis_backward(&scratch.x, index, (-by_x, by_width), &mut by_raw[..k]);
        self.axis_backward(&scratch.y, index, (by_y, by_height), &mut by_raw[k..2 * k]);
        for (knot, by) in [(index, by_d0), (index + 1, by_d1)] {
            if (1..k).contains(&knot) {
                let place = 2 * k + knot - 1;
                by_raw[place] = by / (1.0 + exp(-raw[place]));
            }
        }
        by_x
    }

    /// Derivatives with respect to the raw numbers of an axis, from those with respect to the start and
    /// the length of the bin.
    #[inline(always)]
    fn axis_backward(
        &self,
        axis: &Axis,
        index: usize,
        (begin, length): (f32, f32),
        by_raw: &mut [f32],
    ) {
        let free = 1.0 - SMALLEST * self.bins as f32;
        let span = 2.0 * self.bound;
        let inner =
            |knot: usize, by: f32| if (1..self.bins).contains(&knot) { span * by } else { 0.0 };
        let (left, right) = (inner(index, begin - length), inner(index + 1, length));
        // A share moves all knots to its right.
        let by_share = |i: usize| match i.cmp(&index) {
            std::cmp::Ordering::Less => left + right,
            std::cmp::Ordering::Equal => right,
            std::cmp::Ordering::Greater => 0.0,
        };
        let mean: f32 = axis.shares.iter().enumerate().map(|(i, p)| p * by_share(i)).sum();
        for (i, (by, p)) in by_raw.iter_mut().zip(&axis.shares).enumerate() {
            *by = self.scale * free * p * (by_share(i) - mean);
        }
    }

    /// The bin of `x`; `None` outside the interval, where the map is the identity.
    #[inline(always)]
    fn bin(&self, x: f32, raw: &[f32], scratch: &mut Scratch) -> Option<Bin> {
        if !(x >= -self.bound && x <= self.bound) {
            return None;
        }
        let k = self.bins;
        self.axis(&raw[..k], &mut scratch.x);
        self.axis(&raw[k..2 * k], &mut scratch.y);
        let (knots, heights) = (&scratch.x.knots, &scratch.y.knots);
        let index = knots[1..k].iter().filter(|knot| **knot <= x).count();
        let slope = |knot: usize| {
            let raw = if (1..k).contains(&knot) { raw[2 * k + knot - 1] } else { self.end };
            SMALLEST + softplus(raw)
        };
        Some(Bin {
            index,
            x0: knots[index],
            width: knots[index + 1] - knots[index],
            y0: heights[index],
            height: heights[index + 1] - heights[index],
            d0: slope(index),
            d1: slope(index + 1),
        })
    }

    #[inline(always)]
    fn axis(&self, raw: &[f32], axis: &mut Axis) {
        let max = raw.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let (shares, knots) = (&mut axis.shares, &mut axis.knots);
        shares.fill(f32::NEG_INFINITY);
        shares[..self.bins].copy_from_slice(raw);
        let (lanes, _) = shares.as_chunks_mut::<LANES>();
        for lanes in lanes {
            for share in lanes {
                *share = exp(self.scale * (*share - max));
            }
        }
        let sum: f32 = shares[..self.bins].iter().sum();
        let free = 1.0 - SMALLEST * self.bins as f32;
        let mut place = 0.0;
        knots[0] = -self.bound;
        for (share, knot) in shares.iter_mut().zip(&mut knots[1..]) {
            *share /= sum;
            place += SMALLEST + free * *share;
            *knot = 2.0 * self.bound * place - self.bound;
        }
        knots[self.bins] = self.bound;
    }
}
