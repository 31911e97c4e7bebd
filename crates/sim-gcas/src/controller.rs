//! The inner controller: linear-quadratic feedback with three integrators and limited surfaces
//! (Heidlauf et al., *Verification Challenges in F-16 Ground Collision Avoidance*, ARCH 2018).

use sim_core::lanes::Real;

use crate::{
    airframe::{TRIM_ALPHA, TRIM_ELEVATOR, TRIM_THROTTLE},
    state::index::{ALPHA, BETA, P, Q, R as YAW_RATE, ZN, ZP, ZY},
};

/// Positions of the throttle (0 to 1) and of the surfaces (degrees). They follow the controller without
/// delay.
#[derive(Clone, Copy)]
pub(crate) struct Surfaces<R> {
    pub(crate) throttle: R,
    pub(crate) elevator: R,
    pub(crate) aileron: R,
    pub(crate) rudder: R,
}

/// Returns the surfaces in `state` with the throttle offset `c3` of the command.
#[inline(always)]
pub(crate) fn surfaces<R: Real>(state: &[R; 16], c3: R) -> Surfaces<R> {
    let [beta, p, r, zp, zy] = [BETA, P, YAW_RATE, ZP, ZY].map(|i| state[i]);
    let elevator = (state[ALPHA] - TRIM_ALPHA) * 156.8801506723475
        + state[Q] * 31.037008068526642
        + state[ZN] * 38.72983346216317
        + TRIM_ELEVATOR;
    let aileron = beta * -37.84483 + p * 25.40956 + r * 6.82876 + zp * 332.88343 + zy * 17.15997;
    let rudder = beta * 23.91233 - p * 5.69968 + r * 21.63431 - zp * 64.4949 + zy * 88.36203;
    Surfaces {
        throttle: clip(c3 + TRIM_THROTTLE, 0.0, 1.0),
        elevator: clip(elevator, -25.0, 25.0),
        aileron: clip(aileron, -21.5, 21.5),
        rudder: clip(rudder, -30.0, 30.0),
    }
}

/// Limits `x` to `low..=high`; NaN stays NaN.
#[inline(always)]
fn clip<R: Real>(x: R, low: f64, high: f64) -> R {
    let (low, high) = (x.lit(low), x.lit(high));
    let raised = R::select(x.lt(low), low, x);
    R::select(high.lt(raised), high, raised)
}
