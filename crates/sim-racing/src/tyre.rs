//! Tyres: the cubic brush curve of Fiala, one axle at a time (Brown and Gerdes, 2020).

/// The tyres of one axle.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Axle {
    /// Cornering stiffness, N/rad.
    pub stiffness: f64,
    /// Friction coefficient.
    pub friction: f64,
}

/// Smallest square of the largest side force, N²: a wheel that brakes at its limit keeps 1e-4 N.
pub(crate) const FLOOR: f64 = 1e-8;

/// -1, 0 or 1; the sign of zero is zero.
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
    /// Largest side force under a vertical load and a longitudinal force, N.
    pub fn limit(&self, load: f64, force: f64) -> f64 {
        let grip = self.friction * load;
        (grip * grip - force * force).max(FLOOR).sqrt()
    }

    /// Side force at a slip angle (rad), N. The branch is decided by the angle, not by its tangent: a
    /// wheel that rolls backwards is saturated.
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
