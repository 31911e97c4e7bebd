//! Newton's method on a concave function.

/// The root of a concave function; `f` returns its value and slope.
///
/// A tangent of a concave function lies above it. One step from any point therefore ends on the side of
/// the root where the function is negative, and all further steps go from there towards the root
/// without passing it. The iteration ends when rounding turns a step back or makes it negligible.
pub(crate) fn concave_root(start: f64, f: impl Fn(f64) -> (f64, f64)) -> f64 {
    let mut y = start;
    let mut forward = 0.0;
    for i in 0..500 {
        let (value, slope) = f(y);
        let step = -value / slope;
        if !step.is_finite() || (i > 1 && step * forward <= 0.0) {
            break;
        }
        y += step;
        if step.abs() <= 2e-16 * y.abs() {
            break;
        }
        forward = step;
    }
    y
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_lead_to_the_root() {
        for start in [1e-3, 1.0, 2.9, 3.1, 8.0] {
            let root = concave_root(start, |x: f64| (x.ln() - 3_f64.ln(), x.recip()));
            assert!((root - 3.0).abs() < 1e-15 * 3.0, "{start}: {root}");
        }
    }
}
