//! Tyres: the brush model of Fiala, a cubic curve, for one axle (Brown and Gerdes, 2020).

/// The tyres of one axle.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Axle {
    /// Cornering stiffness, N/rad.
    pub stiffness: f64,
    /// Friction coefficient, 1.
    pub friction: f64,
}

/// Lower bound of the square of the largest side force, N²: 1e-4 N remain when the brake force uses all
/// friction.
pub(crate) const FLOOR: f64 = 1e-8;

/// Returns -1, 0 or 1; the sign of zero is zero.
pub(crate) fn sign(x: f64) -> f64 {
    if x > 0.0 {
        1.0
    } else if x < 0.0 {
        -1.0
    } else {
        0.0
    }
}

impl Axle {
    /// Returns the largest side force (N) under a vertical load (N) and a longitudinal force (N).
    pub fn limit(&self, load: f64, force: f64) -> f64 {
        let grip = self.friction * load;
        (grip * grip - force * force).max(FLOOR).sqrt()
    }

    /// Returns the side force (N) at a slip angle (rad), under a vertical load (N) and a longitudinal force
    /// (N). The angle, not its tangent, decides whether the tyre is saturated; the tyre of a wheel that rolls
    /// backwards therefore is.
    pub fn side_force(&self, slip: f64, load: f64, force: f64) -> f64 {
        let limit = self.limit(load, force);
        if slip.abs() < libm::atan(3.0 * limit / self.stiffness) {
            let tangent = libm::tan(slip);
            let q = self.stiffness * tangent.abs() / (3.0 * limit);
            -self.stiffness * tangent * (1.0 - q + q * q / 3.0)
        } else {
            -limit * sign(slip)
        }
    }
}
