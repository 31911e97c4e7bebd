//! The low-level controller: linear-quadratic feedback with three integrators, clipped surfaces
//! (Heidlauf et al., *Verification Challenges in F-16 Ground Collision Avoidance*, ARCH 2018).

use crate::{
    airframe::{TRIM_ALPHA, TRIM_ELEVATOR, TRIM_THROTTLE},
    real::Real,
    state::index::{ALPHA, BETA, P, Q, R as YAW_RATE, ZN, ZP, ZY},
};

/// Where the controller puts the throttle (0 to 1) and the surfaces (degrees). There are no
/// actuator dynamics.
#[derive(Clone, Copy)]
pub(crate) struct Surfaces<R> {
    pub(crate) throttle: R,
    pub(crate) elevator: R,
    pub(crate) aileron: R,
    pub(crate) rudder: R,
}

/// The surfaces in `state` with the throttle offset `c3` of the outer command.
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
        throttle: (c3 + TRIM_THROTTLE).clip(0.0, 1.0),
        elevator: elevator.clip(-25.0, 25.0),
        aileron: aileron.clip(-21.5, 21.5),
        rudder: rudder.clip(-30.0, 30.0),
    }
}
