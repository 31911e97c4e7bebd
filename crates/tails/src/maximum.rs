//! The maximum of a function of one variable.

/// The largest value of `f` on a grid, improved by golden sections between the neighbours of its place:
/// place and value. Values of negative infinity and NaN are never the largest.
pub(crate) fn maximum(grid: &[f64], tolerance: f64, f: impl Fn(f64) -> f64) -> (f64, f64) {
    let values: Vec<f64> = grid.iter().map(|&x| f(x)).collect();
    let best = (0..grid.len()).fold(0, |best, i| {
        if values[i] > values[best] || values[best].is_nan() { i } else { best }
    });
    let (mut low, mut high) = (grid[best.saturating_sub(1)], grid[(best + 1).min(grid.len() - 1)]);
    let mut found = (grid[best], values[best]);
    let ratio = (5.0_f64.sqrt() - 1.0) / 2.0;
    let (mut a, mut b) = (high - ratio * (high - low), low + ratio * (high - low));
    let (mut fa, mut fb) = (f(a), f(b));
    while high - low > tolerance {
        if fa >= fb {
            (high, b, fb) = (b, a, fa);
            a = high - ratio * (high - low);
            fa = f(a);
        } else {
            (low, a, fa) = (a, b, fb);
            b = low + ratio * (high - low);
            fb = f(b);
        }
        for (x, value) in [(a, fa), (b, fb)] {
            if value > found.1 {
                found = (x, value);
            }
        }
    }
    found
}
