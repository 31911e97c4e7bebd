//! Rate damping from tables (Stevens and Lewis, Appendix A).
//!
//! The polynomials of [`aerodynamics`](crate::aerodynamics) already contain rate terms. The reference
//! program adds the terms of this table to them, so damping counts twice; the published data depend on it.

use sim_core::lanes::Real;

use crate::aerodynamics::Rates;

/// The entries of [`Rates`] (columns) at angles of attack from -10 to 45 degrees in steps of 5 (rows).
const TABLE: [[f64; 9]; 12] = [
    [-0.267, 0.882, -0.108, -8.8, -0.126, -0.36, -7.21, -0.38, 0.061],
    [-0.11, 0.852, -0.108, -25.8, -0.026, -0.359, -0.54, -0.363, 0.052],
    [0.308, 0.876, -0.188, -28.9, 0.063, -0.443, -5.23, -0.378, 0.052],
    [1.34, 0.958, 0.11, -31.4, 0.113, -0.42, -5.26, -0.386, -0.012],
    [2.08, 0.962, 0.258, -31.2, 0.208, -0.383, -6.11, -0.37, -0.013],
    [2.91, 0.974, 0.226, -30.7, 0.23, -0.375, -6.64, -0.453, -0.024],
    [2.76, 0.819, 0.344, -27.7, 0.319, -0.329, -5.69, -0.55, 0.05],
    [2.05, 0.483, 0.362, -28.2, 0.437, -0.294, -6.0, -0.582, 0.15],
    [1.5, 0.59, 0.611, -29.0, 0.68, -0.23, -6.2, -0.595, 0.13],
    [1.49, 1.21, 0.529, -29.8, 0.1, -0.21, -6.4, -0.637, 0.158],
    [1.83, -0.493, 0.298, -38.3, 0.447, -0.12, -6.6, -1.02, 0.24],
    [1.21, -1.04, -2.27, -35.3, -0.33, -0.1, -6.0, -0.84, 0.15],
];

/// Differences of consecutive rows.
static SLOPES: [[f64; 9]; 11] = slopes();
static ROWS: [[f64; 9]; 12] = TABLE;

const fn slopes() -> [[f64; 9]; 11] {
    let mut slopes = [[0.0; 9]; 11];
    let mut row = 0;
    while row < 11 {
        let mut column = 0;
        while column < 9 {
            slopes[row][column] = TABLE[row + 1][column] - TABLE[row][column];
            column += 1;
        }
        row += 1;
    }
    slopes
}

/// Returns the damping terms at angle of attack `alpha` (rad): linear between the rows, and extrapolated
/// from the first and the last cell.
#[inline(always)]
pub(crate) fn damping<R: Real>(alpha: R) -> Rates<R> {
    let s = alpha * (180.0 / std::f64::consts::PI * 0.2) + 2.0;
    let row = s.cell(0, 10);
    let e = s - row;
    let mut d = [alpha; 9]; // replaced below: every lane lies in a cell
    let (first, last) = row.range();
    for k in first as usize..=last as usize {
        let inside = row.eq(alpha.lit(k as f64));
        for (d, (value, slope)) in d.iter_mut().zip(ROWS[k].iter().zip(&SLOPES[k])) {
            *d = R::select(inside, e * *slope + *value, *d);
        }
    }
    let [cx_q, cy_r, cy_p, cz_q, cl_r, cl_p, cm_q, cn_r, cn_p] = d;
    Rates { cx_q, cy_r, cy_p, cz_q, cl_r, cl_p, cm_q, cn_r, cn_p }
}
