//! Constants of the airframe (Stevens and Lewis, Appendix A).

/// Gravity, ft/s².
pub(crate) const GRAVITY: f64 = 32.17;
/// Wing area, ft².
pub(crate) const WING_AREA: f64 = 300.0;
/// Wing span, ft.
pub(crate) const SPAN: f64 = 30.0;
/// Mean chord, ft.
pub(crate) const CHORD: f64 = 11.32;
/// One over the mass, 1/slug.
pub(crate) const INVERSE_MASS: f64 = 1.57e-3;
/// Angular momentum of the engine, slug ft²/s.
pub(crate) const ENGINE_MOMENTUM: f64 = 160.0;
/// Distance of the accelerometer ahead of the centre of gravity, ft.
pub(crate) const ACCELEROMETER: f64 = 15.0;
/// Reference centre of gravity, the one of the coefficients, as a fraction of the chord.
pub(crate) const REFERENCE_CG: f64 = 0.35;

/// Inertia ratios of the moment equations, `I1` to `I9` of the specification.
pub(crate) const I1: f64 = -0.770;
pub(crate) const I2: f64 = 0.02755;
pub(crate) const I3: f64 = 1.055e-4;
pub(crate) const I4: f64 = 1.642e-6;
pub(crate) const I5: f64 = 0.9604;
pub(crate) const I6: f64 = 1.759e-2;
pub(crate) const I7: f64 = 1.792e-5;
pub(crate) const I8: f64 = -0.7336;
pub(crate) const I9: f64 = 1.587e-5;

/// Trim of the controller: angle of attack, rad.
pub(crate) const TRIM_ALPHA: f64 = 0.0389;
/// Trim of the controller: throttle, 0 to 1.
pub(crate) const TRIM_THROTTLE: f64 = 0.1395;
/// Trim of the controller: elevator, degrees.
pub(crate) const TRIM_ELEVATOR: f64 = -0.7496;
