//! The state vector, the outer command, and the features recorded of a final state.

use sim_core::Feature;

/// The state of the aircraft: sixteen numbers in the order and units of [`index`].
pub type State = [f64; 16];

/// The command of the autopilot to the controller: normal load above 1 g (g), stability-axis roll rate
/// (rad/s), side load (g) plus yaw rate (rad/s), throttle offset (1).
pub type Command = [f64; 4];

/// Positions in the state vector, with units. Body axes: x forward, y right, z down.
pub mod index {
    /// True airspeed, ft/s.
    pub const V: usize = 0;
    /// Angle of attack, rad.
    pub const ALPHA: usize = 1;
    /// Sideslip angle, rad.
    pub const BETA: usize = 2;
    /// Roll angle, rad; like the other angles, it is not wrapped to one turn.
    pub const PHI: usize = 3;
    /// Pitch angle, rad.
    pub const THETA: usize = 4;
    /// Heading, rad.
    pub const PSI: usize = 5;
    /// Body roll rate, rad/s.
    pub const P: usize = 6;
    /// Body pitch rate, rad/s.
    pub const Q: usize = 7;
    /// Body yaw rate, rad/s.
    pub const R: usize = 8;
    /// Position north, ft.
    pub const NORTH: usize = 9;
    /// Position east, ft.
    pub const EAST: usize = 10;
    /// Altitude, ft.
    pub const ALTITUDE: usize = 11;
    /// Engine power level, percent.
    pub const POWER: usize = 12;
    /// Integral of normal load less its command, g s.
    pub const ZN: usize = 13;
    /// Integral of stability-axis roll rate less its command, rad.
    pub const ZP: usize = 14;
    /// Integral of side load (g) plus yaw rate (rad/s) less its command.
    pub const ZY: usize = 15;
}

/// State positions of the twelve features: all but angle of attack, power and the two lateral
/// integrators.
pub const FEATURE_INDEX: [usize; 12] = [0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13];

/// Names and units of the features, in the order of [`FEATURE_INDEX`].
pub(crate) static FEATURES: [Feature; 12] = [
    Feature::new("V", "ft/s"),
    Feature::new("beta", "rad"),
    Feature::new("phi", "rad"),
    Feature::new("theta", "rad"),
    Feature::new("psi", "rad"),
    Feature::new("p", "rad/s"),
    Feature::new("q", "rad/s"),
    Feature::new("r", "rad/s"),
    Feature::new("N", "ft"),
    Feature::new("E", "ft"),
    Feature::new("h", "ft"),
    Feature::new("zn", "g s"),
];

/// Returns the twelve features of a state, in the order of [`FEATURE_INDEX`].
pub fn features(state: &State) -> [f64; 12] {
    FEATURE_INDEX.map(|i| state[i])
}
