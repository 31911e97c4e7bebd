//! The state of the car and its actions.

use latent_is::Feature;

/// The eight numbers that describe the car; see [`index`] for their order. The whole final state is
/// the outcome of a run.
pub type State = [f64; 8];

/// Steering command (+1 full left) and pedal (+1 full throttle, -1 full brake), both in [-1, 1].
pub type Action = [f64; 2];

/// Positions in the state vector. Body axes: x forward, y left; angles counter-clockwise.
pub mod index {
    /// Position, m.
    pub const X: usize = 0;
    /// Position, m.
    pub const Y: usize = 1;
    /// Heading from the x axis, rad; wrapped by the dynamics, not by the disturbance.
    pub const YAW: usize = 2;
    /// Longitudinal velocity, m/s.
    pub const U: usize = 3;
    /// Lateral velocity, m/s.
    pub const V: usize = 4;
    /// Yaw rate, rad/s.
    pub const R: usize = 5;
    /// Actual angle of the front wheels, rad.
    pub const STEER: usize = 6;
    /// Pedal applied in the last step.
    pub const PEDAL: usize = 7;
}

/// Names and units of the outcome, in the order of [`index`].
pub(crate) const FEATURES: [Feature; 8] = [
    Feature { name: "x", unit: "m" },
    Feature { name: "y", unit: "m" },
    Feature { name: "yaw", unit: "rad" },
    Feature { name: "vlon", unit: "m/s" },
    Feature { name: "vlat", unit: "m/s" },
    Feature { name: "yawrate", unit: "rad/s" },
    Feature { name: "steer", unit: "rad" },
    Feature { name: "acc", unit: "1" },
];
