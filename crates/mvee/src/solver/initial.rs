//! A first set of points that spans the space.
//!
//! # References
//! - P. Kumar, E. A. Yıldırım: Minimum-volume enclosing ellipsoids and core sets. *Journal of
//!   Optimization Theory and Applications* 126 (2005), 1–21.

use crate::linalg::{axpy, dot, normalize};
use crate::points::Points;

/// The two extremes of `among` along each of `d` directions, each orthogonal to the differences of
/// the pairs before: at most $2 d$ points with at least $d + 1$ affinely independent ones, whose
/// ellipsoid is within a factor of the optimum that depends on `d` alone. `None` when in some direction
/// the distance of the extremes is less than `width`.
pub(crate) fn kumar_yildirim(
    points: &Points<'_>,
    among: &[usize],
    width: f64,
) -> Option<Vec<usize>> {
    let d = points.d;
    let mut chosen = Vec::with_capacity(2 * d);
    let mut basis: Vec<Vec<f64>> = Vec::with_capacity(d);
    while basis.len() < d {
        let direction = orthogonal_to(&basis, d);
        let (mut low, mut high) = ((among[0], f64::INFINITY), (among[0], f64::NEG_INFINITY));
        for &id in among {
            let v = dot(&direction, points.column(id));
            low = if v < low.1 { (id, v) } else { low };
            high = if v > high.1 { (id, v) } else { high };
        }
        if high.1 - low.1 < width {
            return None;
        }
        let mut q = points.column(high.0).to_vec();
        axpy(-1.0, points.column(low.0), &mut q);
        for _ in 0..2 {
            for b in &basis {
                axpy(-dot(b, &q), b, &mut q);
            }
        }
        normalize(&mut q);
        basis.push(q);
        chosen.extend([low.0, high.0]);
    }
    chosen.sort_unstable();
    chosen.dedup();
    Some(chosen)
}

/// The coordinate direction least spanned by `basis`, less its part in the span.
fn orthogonal_to(basis: &[Vec<f64>], d: usize) -> Vec<f64> {
    let spanned = |j: usize| basis.iter().map(|b| b[j] * b[j]).sum::<f64>();
    let j = (0..d).min_by(|&a, &b| spanned(a).total_cmp(&spanned(b))).unwrap_or(0);
    let mut direction = vec![0.0; d];
    direction[j] = 1.0;
    for _ in 0..2 {
        for b in basis {
            axpy(-dot(b, &direction), b, &mut direction);
        }
    }
    normalize(&mut direction);
    direction
}
