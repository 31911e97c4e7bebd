//! The standard atmosphere of the airframe model (Stevens and Lewis, 2nd ed., pages 63-65).

use sim_core::{
    elementary::poly,
    lanes::{Mask, Real},
};

/// Mach number and dynamic pressure.
#[derive(Clone, Copy)]
pub(crate) struct Air<R> {
    /// Mach number.
    pub(crate) mach: R,
    /// Dynamic pressure, lb/ft².
    pub(crate) qbar: R,
}

/// Decrease of the relative temperature per foot, 1/ft.
const LAPSE: f64 = 0.703e-5;
/// Altitude above which the temperature is constant, ft.
const TROPOPAUSE: f64 = 35_000.0;
/// Largest absolute altitude at which [`DENSITY`] is used, ft.
const NEAR_GROUND: f64 = 12_000.0;
/// Coefficients of the binomial series of $(1 - x)^{4.14}$ in $x$; its remainder is below 1e-17 for
/// $|x| \le 0.0844$.
const DENSITY: [f64; 14] = binomial_series();

const fn binomial_series() -> [f64; 14] {
    let mut c = [1.0; 14];
    let mut k = 1;
    while k < c.len() {
        c[k] = c[k - 1] * ((k - 1) as f64 - 4.14) / k as f64;
        k += 1;
    }
    c
}

/// Returns Mach number and dynamic pressure at airspeed `v` (ft/s) and altitude `h` (ft, of either
/// sign).
#[inline(always)]
pub(crate) fn air<R: Real>(v: R, h: R) -> Air<R> {
    let x = h * LAPSE;
    let f = -x + 1.0;
    let temperature = R::select(h.lt(h.lit(TROPOPAUSE)), f * 519.0, f.lit(390.0));
    let mut density = poly(x, DENSITY);
    let far = h.lit(NEAR_GROUND).lt(h.abs());
    if far.any() {
        density = R::select(far, f.map(|f| f.powf(4.14)), density);
    }
    Air {
        mach: v / (temperature * (1.4 * 1716.3)).sqrt(),
        qbar: density * (v * v) * (0.5 * 2.377e-3),
    }
}
