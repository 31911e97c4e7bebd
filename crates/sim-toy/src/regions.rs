//! The published failure regions and the moments that standardise them.

use nalgebra::DMatrix;

/// Means of `x`, `y` (m) and `theta` (rad) over 2e7 runs; their standard errors are
/// [`REFERENCE_SD`] over $\sqrt{2 \cdot 10^7}$.
pub const REFERENCE_MEAN: [f64; 3] = [50.089, 81.727, 1.60046];

/// Standard deviations of `x`, `y` (m) and `theta` (rad) over the same runs.
pub const REFERENCE_SD: [f64; 3] = [79.405, 39.714, 2.48194];

/// Lower corners of the two unit cubes, in standardised coordinates.
const LOWER_CORNERS: [[f64; 3]; 2] = [[-2.0, -3.25, 1.25], [0.75, -4.25, -2.0]];

/// Returns the corners of the two cubes that define the failure regions (Kruse et al., AAAI 2025).
///
/// Coordinates are standardised, $(x - \mu) / \sigma$, with the moments of the training set. A pose is a
/// failure when it lies in the minimum-volume ellipsoid of the corners of one of the cubes: a ball of
/// radius $\sqrt 3 / 2$ with centre $(-1.5, -2.75, 1.75)$ or $(1.25, -3.75, -1.5)$.
///
/// # Shapes
/// - returns two matrices `[3, 8]`, one corner per column
pub fn failure_regions() -> [DMatrix<f64>; 2] {
    LOWER_CORNERS.map(|lower| {
        DMatrix::from_fn(3, 8, |row, corner| {
            lower[row] + f64::from(u8::from(corner >> row & 1 == 1))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn corners_lie_on_the_stated_balls() {
        let centres = [[-1.5, -2.75, 1.75], [1.25, -3.75, -1.5]];
        for (corners, centre) in failure_regions().iter().zip(centres) {
            for (i, corner) in corners.column_iter().enumerate() {
                let distance = corner.iter().zip(centre).map(|(c, m)| (c - m).powi(2)).sum::<f64>();
                assert!((distance - 0.75).abs() < 1e-15);
                assert!(corners.column_iter().take(i).all(|other| other != corner));
            }
        }
    }
}
