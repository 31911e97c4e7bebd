//! The state vector, the outer command, and the features recorded of a final state.

use latent_is::Feature;

/// The sixteen numbers that describe the aircraft; see [`index`] for their order.
pub type State = [f64; 16];

/// The outer command: normal load (g above 1 g), stability-axis roll rate (rad/s), side load plus
/// yaw rate, throttle offset.
pub type Command = [f64; 4];

/// Positions in the state vector. Body axes: x forward, y right, z down.
pub mod index {
    /// True airspeed, ft/s.
    pub const V: usize = 0;
    /// Angle of attack, rad.
    pub const ALPHA: usize = 1;
    /// Sideslip angle, rad.
    pub const BETA: usize = 2;
    /// Roll angle, rad; never wrapped, like the other angles.
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
    /// Integral of load factor minus its command, g s.
    pub const ZN: usize = 13;
    /// Integral of stability-axis roll rate minus its command, rad.
    pub const ZP: usize = 14;
    /// Integral of side load plus yaw rate minus its command.
    pub const ZY: usize = 15;
}

/// State positions of the twelve features: all but angle of attack, power and the two lateral
/// integrators.
pub const FEATURE_INDEX: [usize; 12] = [0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13];

/// Names and units of the features, in the order of [`FEATURE_INDEX`].
pub(crate) const FEATURES: [Feature; 12] = [
    Feature { name: "V", unit: "ft/s" },
    Feature { name: "beta", unit: "rad" },
    Feature { name: "phi", unit: "rad" },
    Feature { name: "theta", unit: "rad" },
    Feature { name: "psi", unit: "rad" },
    Feature { name: "p", unit: "rad/s" },
    Feature { name: "q", unit: "rad/s" },
    Feature { name: "r", unit: "rad/s" },
    Feature { name: "N", unit: "ft" },
    Feature { name: "E", unit: "ft" },
    Feature { name: "h", unit: "ft" },
    Feature { name: "zn", unit: "g s" },
];

/// The twelve features of a final state.
pub fn features(state: &State) -> [f64; 12] {
    FEATURE_INDEX.map(|i| state[i])
}
