//! The state of the car and its actions.

use sim_core::Feature;

/// The state of the car: eight numbers in the order and units of [`index`]. The outcome of a run is the
/// final state.
pub type State = [f64; 8];

/// Steering command (+1 full left) and pedal (+1 full throttle, -1 full brake), both in [-1, 1].
pub type Action = [f64; 2];

/// Positions in the state vector, with units. Body axes: x forward, y left; angles counter-clockwise.
pub mod index {
    /// Position, m.
    pub const X: usize = 0;
    /// Position, m.
    pub const Y: usize = 1;
    /// Heading from the x axis, rad. A control step wraps it to $[-\pi, \pi]$, the disturbance after the step
    /// does not.
    pub const YAW: usize = 2;
    /// Longitudinal velocity, m/s.
    pub const U: usize = 3;
    /// Lateral velocity, m/s.
    pub const V: usize = 4;
    /// Yaw rate, rad/s.
    pub const R: usize = 5;
    /// Actual angle of the front wheels, rad.
    pub const STEER: usize = 6;
    /// Pedal applied in the last step, in [-1, 1].
    pub const PEDAL: usize = 7;
}

/// Names and units of the outcome, in the order of [`index`].
pub(crate) static FEATURES: [Feature; 8] = [
    Feature::new("x", "m"),
    Feature::new("y", "m"),
    Feature::new("yaw", "rad"),
    Feature::new("vlon", "m/s"),
    Feature::new("vlat", "m/s"),
    Feature::new("yawrate", "rad/s"),
    Feature::new("steer", "rad"),
    Feature::new("acc", "1"),
];
