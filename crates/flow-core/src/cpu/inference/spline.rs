//! Rational-quadratic splines on a panel, one sample per lane; the arithmetic is that of
//! [`RqSpline`](crate::bijection::RqSpline).

use crate::cpu::{
    kernel::WIDTH,
    math::{exp, ln, softplus},
};

type Lanes = [f32; WIDTH];

/// The constants of the splines of a flow.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Spline {
    pub(super) bins: usize,
    pub(super) bound: f32,
}

/// Smallest share of a bin, and smallest derivative.
const SMALLEST: f32 = 1e-3;

/// The bin of each sample.
struct Bin {
    x0: Lanes,
    y0: Lanes,
    width: Lanes,
    height: Lanes,
    d0: Lanes,
    d1: Lanes,
}

impl Spline {
    /// Outputs of the conditioner per feature.
    pub(super) fn raw_len(&self) -> usize {
        3 * self.bins - 1
    }

    /// Replaces `x` by $f(x)$ and, if `LN_DET`, adds $\ln f'$ to `ln_det`.
    ///
    /// `raw` holds widths, heights and derivatives, `raw_len` rows of a panel.
    #[inline(always)]
    pub(super) fn encode<const LN_DET: bool>(
        &self,
        raw: &[f32],
        x: &mut Lanes,
        ln_det: &mut Lanes,
    ) {
        let bin = self.bin::<true>(raw, x);
        for r in 0..WIDTH {
            let t = (x[r] - bin.x0[r]) / bin.width[r];
            let inside = x[r] >= -self.bound && x[r] <= self.bound;
            let y = bin.y0[r] + bin.height[r] * bin.quotient(r, t);
            x[r] = if inside { y } else { x[r] };
            if LN_DET {
                ln_det[r] += if inside { bin.ln_slope(r, t) } else { 0.0 };
            }
        }
    }

    /// Replaces `y` by $f^{-1}(y)$ and, if `LN_DET`, subtracts $\ln f'$ from `ln_det`.
    #[inline(always)]
    pub(super) fn decode<const LN_DET: bool>(
        &self,
        raw: &[f32],
        y: &mut Lanes,
        ln_det: &mut Lanes,
    ) {
        let bin = self.bin::<false>(raw, y);
        for r in 0..WIDTH {
            let (h, w, d0, d1) = (bin.height[r], bin.width[r], bin.d0[r], bin.d1[r]);
            let s = h / w;
            let v = y[r] - bin.y0[r];
            let ve = v * (d0 + d1 - 2.0 * s);
            let a = ve + h * (s - d0);
            let b = h * d0 - ve;
            let c = -(s * v);
            // Rounding may push a discriminant of zero below it.
            let root = (b * b - 4.0 * a * c).max(0.0).sqrt();
            let t = 2.0 * c / (-b - root);
            let inside = y[r] >= -self.bound && y[r] <= self.bound;
            let x = bin.x0[r] + t * w;
            y[r] = if inside { x } else { y[r] };
            if LN_DET {
                ln_det[r] -= if inside { bin.ln_slope(r, t) } else { 0.0 };
            }
        }
    }

    /// The bin of each value: by its x in encoding, by its y in decoding.
    #[inline(always)]
    fn bin<const ENCODE: bool>(&self, raw: &[f32], value: &Lanes) -> Bin {
        let k = self.bins;
        let row = |i: usize| -> &Lanes {
            raw[i * WIDTH..][..WIDTH].try_into().expect("a row of the panel")
        };
        let (width_scale, width_max) = softmax(k, |i| row(i));
        let (height_scale, height_max) = softmax(k, |i| row(k + i));
        let span = 2.0 * self.bound;
        let free = 1.0 - SMALLEST * k as f32;
        // The slope at both ends is 1, as outside: soft-plus of this value plus 1e-3.
        let end = (1.0_f32 - SMALLEST).exp_m1().ln();
        let mut bin = Bin {
            x0: [0.0; WIDTH],
            y0: [0.0; WIDTH],
            width: [0.0; WIDTH],
            height: [0.0; WIDTH],
            d0: [end; WIDTH],
            d1: [end; WIDTH],
        };
        let (mut x_sum, mut y_sum) = ([0.0_f32; WIDTH], [0.0_f32; WIDTH]);
        let (mut left, mut low) = ([-self.bound; WIDTH], [-self.bound; WIDTH]);
        for i in 0..k {
            let (w_raw, h_raw) = (row(i), row(k + i));
            let last = i + 1 == k;
            // The derivatives at the interior knots are free, those at the ends fixed.
            let ends = [end; WIDTH];
            let d_left = if i == 0 { &ends } else { row(2 * k + i - 1) };
            let d_right = if last { &ends } else { row(2 * k + i) };
            for r in 0..WIDTH {
                let share =
                    |raw: f32, max: f32, scale: f32| SMALLEST + free * (exp(raw - max) * scale);
                x_sum[r] += share(w_raw[r], width_max[r], width_scale[r]);
                y_sum[r] += share(h_raw[r], height_max[r], height_scale[r]);
                let right = if last { self.bound } else { span * x_sum[r] - self.bound };
                let high = if last { self.bound } else { span * y_sum[r] - self.bound };
                let begin = if ENCODE { left[r] } else { low[r] };
                // The last bin whose start the value has reached.
                let here = i == 0 || value[r] >= begin;
                bin.x0[r] = if here { left[r] } else { bin.x0[r] };
                bin.y0[r] = if here { low[r] } else { bin.y0[r] };
                bin.width[r] = if here { right - left[r] } else { bin.width[r] };
                bin.height[r] = if here { high - low[r] } else { bin.height[r] };
                bin.d0[r] = if here { d_left[r] } else { bin.d0[r] };
                bin.d1[r] = if here { d_right[r] } else { bin.d1[r] };
                left[r] = right;
                low[r] = high;
            }
        }
        for r in 0..WIDTH {
            bin.d0[r] = SMALLEST + softplus(bin.d0[r]);
            bin.d1[r] = SMALLEST + softplus(bin.d1[r]);
        }
        bin
    }
}

/// Reciprocal of $\sum_i e^{v_i - m}$ and the largest value $m$.
#[inline(always)]
fn softmax<'a>(n: usize, row: impl Fn(usize) -> &'a Lanes) -> (Lanes, Lanes) {
    let mut max = *row(0);
    for i in 1..n {
        let values = row(i);
        for r in 0..WIDTH {
            max[r] = max[r].max(values[r]);
        }
    }
    let mut sum = [0.0; WIDTH];
    for i in 0..n {
        let values = row(i);
        for r in 0..WIDTH {
            sum[r] += exp(values[r] - max[r]);
        }
    }
    (sum.map(|v| 1.0 / v), max)
}

impl Bin {
    /// Slope of the chord, and the denominator of the spline at `t`.
    #[inline(always)]
    fn denominator(&self, r: usize, t: f32) -> (f32, f32) {
        let s = self.height[r] / self.width[r];
        (s, s + (self.d0[r] + self.d1[r] - 2.0 * s) * (t * (1.0 - t)))
    }

    /// The spline at `t`, without its factor $h$.
    #[inline(always)]
    fn quotient(&self, r: usize, t: f32) -> f32 {
        let (s, denominator) = self.denominator(r, t);
        (s * t * t + self.d0[r] * (t * (1.0 - t))) / denominator
    }

    /// $\ln f'$ at `t`.
    #[inline(always)]
    fn ln_slope(&self, r: usize, t: f32) -> f32 {
        let (s, denominator) = self.denominator(r, t);
        let rest = 1.0 - t;
        let slope = self.d1[r] * t * t + 2.0 * s * (t * rest) + self.d0[r] * rest * rest;
        let ratio = s / denominator;
        ln(ratio * ratio * slope)
    }
}
