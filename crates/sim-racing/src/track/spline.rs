//! The default track: a natural cubic spline through 73 control points, sampled at 48 parameters.
//!
//! The control points were fitted to the centre line of the public MPOPIS environment; the curve is within
//! 0.18 m of it.

/// Control points of the centre line at the parameters `j / 72`, m.
const KNOTS: [[f64; 2]; 73] = [
    [1.5, 1.2],
    [1.5, 9.5],
    [2.1, 18.5],
    [3.2, 29.5],
    [5.1, 42.3],
    [7.7, 57.2],
    [10.6, 74.2],
    [16.8, 90.5],
    [24.7, 105.7],
    [33.7, 120.9],
    [45.8, 132.9],
    [59.4, 139.1],
    [72.2, 139.4],
    [81.7, 134.7],
    [89.2, 127.5],
    [95.2, 118.8],
    [98.8, 108.5],
    [101.4, 96.8],
    [103.7, 82.9],
    [105.5, 67.2],
    [105.6, 51.3],
    [105.7, 35.5],
    [106.1, 18.7],
    [109.5, 2.3],
    [117.3, -10.9],
    [127.6, -18.5],
    [138.3, -20.4],
    [147.0, -17.0],
    [155.7, -10.9],
    [163.7, -2.6],
    [169.8, 8.3],
    [173.0, 20.9],
    [175.0, 35.3],
    [175.4, 50.2],
    [175.6, 65.9],
    [175.9, 81.2],
    [177.5, 97.4],
    [181.5, 114.5],
    [189.9, 127.9],
    [202.0, 137.1],
    [216.2, 141.0],
    [229.5, 139.2],
    [241.1, 132.1],
    [248.7, 121.2],
    [253.3, 109.2],
    [254.6, 96.5],
    [254.4, 82.1],
    [254.4, 65.4],
    [254.3, 46.5],
    [254.2, 25.5],
    [254.1, 3.2],
    [254.0, -21.1],
    [251.5, -46.2],
    [245.0, -70.5],
    [235.3, -94.0],
    [221.0, -114.6],
    [202.9, -131.2],
    [181.7, -143.3],
    [158.5, -151.9],
    [134.7, -155.6],
    [111.4, -155.6],
    [88.7, -153.1],
    [67.3, -148.4],
    [48.0, -140.5],
    [32.5, -128.9],
    [20.1, -115.4],
    [13.5, -100.5],
    [9.8, -84.9],
    [6.0, -67.8],
    [3.7, -50.0],
    [2.2, -32.7],
    [1.1, -15.7],
    [1.6, 1.2],
];

/// Number of vertices of the default track.
const VERTICES: usize = 48;

/// The vertices of the default track: the curve at `4 k / 189`.
pub(super) fn vertices() -> Vec<[f64; 2]> {
    let curve = [0, 1].map(|axis| Spline::new(KNOTS.iter().map(|p| p[axis]).collect()));
    let at = |t: f64| [curve[0].at(t), curve[1].at(t)];
    (0..VERTICES).map(|k| at(4.0 * k as f64 / 189.0)).collect()
}

/// A natural cubic spline through values at equidistant parameters on [0, 1].
struct Spline {
    values: Vec<f64>,
    /// Second derivatives at the values, per squared spacing of the parameters; zero at both ends.
    curvature: Vec<f64>,
}

impl Spline {
    fn new(values: Vec<f64>) -> Self {
        // c[i-1] + 4 c[i] + c[i+1] = 6 (y[i-1] - 2 y[i] + y[i+1]), by elimination and substitution.
        let n = values.len();
        let (mut pivot, mut right) = (vec![1.0; n], vec![0.0; n]);
        for i in 1..n - 1 {
            let lower = if i == 1 { 0.0 } else { 1.0 / pivot[i - 1] };
            pivot[i] = 4.0 - lower;
            let bend = 6.0 * (values[i - 1] - 2.0 * values[i] + values[i + 1]);
            right[i] = bend - lower * right[i - 1];
        }
        let mut curvature = vec![0.0; n];
        for i in (1..n - 1).rev() {
            curvature[i] = (right[i] - curvature[i + 1]) / pivot[i];
        }
        Self { values, curvature }
    }

    fn at(&self, t: f64) -> f64 {
        let last = self.values.len() - 1;
        let place = t * last as f64;
        let i = (place as usize).min(last - 1);
        let (b, a) = (place - i as f64, 1.0 - (place - i as f64));
        let (y, c) = (&self.values[i..], &self.curvature[i..]);
        a * y[0] + b * y[1] + ((a * a * a - a) * c[0] + (b * b * b - b) * c[1]) / 6.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passes_through_its_values_with_straight_ends() {
        let values = vec![1.0, -2.0, 4.0, 0.5, 3.0];
        let spline = Spline::new(values.clone());
        for (i, value) in values.iter().enumerate() {
            assert!((spline.at(i as f64 / 4.0) - value).abs() < 1e-14);
        }
        // Smooth at an inner knot, no curvature at the ends.
        let h = 1e-4;
        let second = |t: f64| (spline.at(t - h) - 2.0 * spline.at(t) + spline.at(t + h)) / (h * h);
        assert!((second(0.5 - 2.0 * h) - second(0.5 + 2.0 * h)).abs() < 0.5);
        assert!(second(h).abs() < 0.5 && second(0.125).abs() > 10.0);
    }
}
