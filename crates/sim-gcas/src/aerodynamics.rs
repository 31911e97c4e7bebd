//! Aerodynamic coefficients as polynomials (E. A. Morelli, *Global Nonlinear Parametric Modeling
//! with Application to F-16 Aerodynamics*, ACC 1998).
//!
//! In the program that made the published data, three coefficients differ from the 1998 table by dropped
//! digits. They are marked below and kept.

use sim_core::{elementary::poly, lanes::Real};

/// Force and moment coefficients in body axes.
#[derive(Clone, Copy)]
pub(crate) struct Coefficients<R> {
    pub(crate) cx: R,
    pub(crate) cy: R,
    pub(crate) cz: R,
    pub(crate) cl: R,
    pub(crate) cm: R,
    pub(crate) cn: R,
}

/// Derivatives of the coefficients with respect to the dimensionless rates.
#[derive(Clone, Copy)]
pub(crate) struct Rates<R> {
    pub(crate) cx_q: R,
    pub(crate) cy_r: R,
    pub(crate) cy_p: R,
    pub(crate) cz_q: R,
    pub(crate) cl_r: R,
    pub(crate) cl_p: R,
    pub(crate) cm_q: R,
    pub(crate) cn_r: R,
    pub(crate) cn_p: R,
}

impl<R: Real> Rates<R> {
    #[inline(always)]
    pub(crate) fn plus(self, other: Self) -> Self {
        Self {
            cx_q: self.cx_q + other.cx_q,
            cy_r: self.cy_r + other.cy_r,
            cy_p: self.cy_p + other.cy_p,
            cz_q: self.cz_q + other.cz_q,
            cl_r: self.cl_r + other.cl_r,
            cl_p: self.cl_p + other.cl_p,
            cm_q: self.cm_q + other.cm_q,
            cn_r: self.cn_r + other.cn_r,
            cn_p: self.cn_p + other.cn_p,
        }
    }
}

/// Returns the coefficients without rates at angle of attack `a`, sideslip angle `b` and the deflections of
/// elevator, aileron and rudder, all in rad and none limited.
#[inline(always)]
pub(crate) fn statics<R: Real>(a: R, b: R, [de, da, dr]: [R; 3]) -> Coefficients<R> {
    let cx = poly(a, [-0.01943367, 0.2136104, 0.6988016, -0.9035381])
        + de * (a * -0.2060504 + de * -0.2903457 - 0.003348641);
    let cy = b * -1.145916 + da * 0.06016057 + dr * 0.1642479;
    let cz = poly(a, [-0.1378278, -4.211369, 4.775187, -10.26225, 8.399763]) * (-(b * b) + 1.0)
        + de * -0.4354;

    // -0.105853 is -0.1058583 in the 1998 table, -0.0407391 is -0.04073901.
    let cl_b = poly(a, [-0.105853, -0.5776677, -0.01672435, 3.464156, -2.835451])
        + b * poly(a, [0.1357256, 0.2172952, -1.098104]);
    let cl_da = poly(a, [-0.1463144, -0.0407391, 0.4851209, -0.3213068])
        + b * poly(a, [0.03253159, 0.297885, -0.3746393]);
    let cl_dr = poly(a, [0.02635729, -0.0219291])
        + b * (poly(a, [-0.003152901, -0.05817803, 0.4516159, -0.4928702]) + b * -0.01579864);
    let cl = b * cl_b + da * cl_da + dr * cl_dr;

    let cm_de = poly(a, [-0.6012308, -0.08062977, 0.5018538])
        + de * (a * 0.4226356 + de * 0.6378864 + 0.08320429);
    let cm = a * 0.04660702 - 0.0202937 + de * cm_de;

    let cn_b = poly(a, [0.2993363, 0.06594004, -2.107885, 0.8476901])
        + b * poly(a, [-0.2003125, -0.06233977, 2.14142]);
    let cn_da = poly(a, [-0.03348717, 0.04276655, 0.2302543, -0.2512876])
        + b * (poly(a, [0.006573646, 0.3535831, -1.373308, 1.237582])
            + b * b * poly(a, [0.1588105, -0.5199526]));
    let cn_dr = poly(a, [-0.08115894, -0.0115658, 0.1004297])
        + b * poly(a, [0.02514167, 0.2038748, -0.3337476]);
    let cn = b * cn_b + da * cn_da + dr * cn_dr;

    Coefficients { cx, cy, cz, cl, cm, cn }
}

/// Returns the rate derivatives of the polynomial model at angle of attack `a` (rad).
#[inline(always)]
pub(crate) fn rates<R: Real>(a: R) -> Rates<R> {
    Rates {
        cx_q: poly(a, [0.4833383, 8.644627, 11.31098, -74.22961, 60.75776]),
        cy_r: poly(a, [0.8071648, 0.1189633, 4.177702, -9.162236]),
        cy_p: poly(a, [-0.1006733, 0.8679799, 4.260586, -6.923267]),
        cz_q: poly(a, [-30.54956, -41.32305, 329.2788, -684.8038, 408.0244]),
        cl_r: poly(a, [0.06250437, 0.6067723, -1.101964, 9.100087, -11.92672]),
        cl_p: poly(a, [-0.4126806, -0.1189974, 1.247721, -0.7391132]),
        // -5.19153 is -5.159153 in the 1998 table.
        cm_q: poly(a, [-5.19153, -3.554716, -35.98636, 224.7355, -412.0991, 241.175]),
        cn_r: poly(a, [-0.3698756, -0.1167551, -0.7641297]),
        cn_p: poly(a, [0.02677652, -0.3298246, 0.1926178, 4.013325, -4.404302]),
    }
}

/// Returns the coefficients at the dimensionless rates `ph`, `qh`, `rh` of roll, pitch and yaw.
#[inline(always)]
pub(crate) fn with_rates<R: Real>(
    c: Coefficients<R>,
    d: Rates<R>,
    [ph, qh, rh]: [R; 3],
) -> Coefficients<R> {
    Coefficients {
        cx: c.cx + d.cx_q * qh,
        cy: c.cy + d.cy_p * ph + d.cy_r * rh,
        cz: c.cz + d.cz_q * qh,
        cl: c.cl + d.cl_p * ph + d.cl_r * rh,
        cm: c.cm + d.cm_q * qh,
        cn: c.cn + d.cn_p * ph + d.cn_r * rh,
    }
}
