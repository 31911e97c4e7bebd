//! One step of the unicycle, equation (1) of the crate.

use serde::{Deserialize, Serialize};
use sim_core::elementary::sin_cos_any;

/// Position and heading of the robot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Pose {
    /// First coordinate, m.
    pub x: f64,
    /// Second coordinate, m.
    pub y: f64,
    /// Heading, rad; it is not wrapped to one turn.
    pub theta: f64,
}

impl Pose {
    /// Returns the coordinates in the order of the features: `x`, `y`, `theta`.
    pub fn to_array(self) -> [f64; 3] {
        [self.x, self.y, self.theta]
    }
}

/// Returns the pose one second after `pose`, at `speed` (m/s) and `turn_rate` (rad/s), with the
/// disturbance `noise` of `x`, `y` (m) and `theta` (rad). Both coordinates move in the direction of the old
/// heading.
#[inline]
pub fn step(pose: Pose, speed: f64, turn_rate: f64, noise: [f64; 3]) -> Pose {
    let (sin, cos) = sin_cos_any(pose.theta);
    Pose {
        x: pose.x + speed * cos + noise[0],
        y: pose.y + speed * sin + noise[1],
        theta: pose.theta + turn_rate + noise[2],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_moves_along_the_old_heading() {
        let pose = Pose { x: 1.0, y: 2.0, theta: std::f64::consts::FRAC_PI_6 };
        let next = step(pose, 5.0, 0.1, [0.5, -0.25, 0.01]);
        assert!((next.x - (1.5 + 5.0 * 0.75_f64.sqrt())).abs() < 1e-15 * 8.0);
        assert!((next.y - (1.75 + 2.5)).abs() < 1e-15 * 8.0);
        assert!((next.theta - (pose.theta + 0.11)).abs() < 1e-15);
    }
}
