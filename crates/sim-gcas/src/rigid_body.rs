//! The equations of motion (Stevens and Lewis): derivatives of the state from forces and moments, with the
//! controller in the loop.

use sim_core::{elementary::sin_cos, lanes::Real};

use crate::{
    aerodynamics::{self, Coefficients},
    airframe::{
        ACCELEROMETER, CHORD, ENGINE_MOMENTUM, GRAVITY, I1, I2, I3, I4, I5, I6, I7, I8, I9,
        INVERSE_MASS, REFERENCE_CG, SPAN, TRIM_ALPHA, WING_AREA,
    },
    atmosphere::{Air, air},
    controller::{Surfaces, surfaces},
    damping::damping,
    engine,
};

/// All results of one evaluation of the model.
pub(crate) struct Evaluation<R> {
    /// Derivatives of the state, per second.
    pub(crate) rate: [R; 16],
    pub(crate) surfaces: Surfaces<R>,
    pub(crate) air: Air<R>,
    /// Thrust, lb.
    pub(crate) thrust: R,
    /// Power command, percent.
    pub(crate) power_command: R,
    /// Normal load above 1 g at the accelerometer, g.
    pub(crate) nz: R,
    /// Side load at the accelerometer, g.
    pub(crate) ny: R,
    /// Stability-axis roll rate, rad/s.
    pub(crate) ps: R,
}

/// Evaluates the model in `state` under a command of the autopilot; `cg` is the centre of gravity as a
/// fraction of the chord.
#[inline(always)]
pub(crate) fn evaluate<R: Real>(state: &[R; 16], command: &[R; 4], cg: f64) -> Evaluation<R> {
    let [v, alpha, beta, phi, theta, psi, p, q, r, _, _, h, power, _, _, _] = *state;
    let surfaces = surfaces(state, command[3]);
    let air = air(v, h);
    let thrust = engine::thrust(power, h, air.mach);
    let power_command = engine::gear(surfaces.throttle);

    let per_v = v.lit(1.0) / v;
    let c = coefficients(alpha, beta, &surfaces, [p, q, r], per_v, cg);
    let force = air.qbar * (INVERSE_MASS * WING_AREA);
    let lateral_moment = air.qbar * (WING_AREA * SPAN);

    let (sa, ca) = sin_cos(alpha);
    let (sb, cb) = sin_cos(beta);
    let (sf, cf) = sin_cos(phi);
    let (st, ct) = sin_cos(theta);
    let (sy, cy) = sin_cos(psi);

    // Body velocities and accelerations.
    let (ux, uy, uz) = (v * ca * cb, v * sb, v * sa * cb);
    let (ay, az) = (force * c.cy, force * c.cz);
    let ax = r * uy - q * uz - st * GRAVITY + (force * c.cx + thrust * INVERSE_MASS);
    let accel_y = p * uz - r * ux + ct * sf * GRAVITY + ay;
    let accel_z = q * ux - p * uy + ct * cf * GRAVITY + az;

    let v_rate = (ux * ax + uy * accel_y + uz * accel_z) * per_v;
    let per_plane = v.lit(1.0) / (ux * ux + uz * uz);
    let alpha_rate = (ux * accel_z - uz * ax) * per_plane;
    let beta_rate = (v * accel_y - uy * v_rate) * cb * per_plane;

    let turn = q * sf + r * cf;
    let psi_rate = turn / ct;
    let phi_rate = p + st * psi_rate;
    let theta_rate = q * cf - r * sf;

    let p_rate =
        (p * I2 + r * I1 + I4 * ENGINE_MOMENTUM) * q + lateral_moment * (c.cl * I3 + c.cn * I4);
    let q_rate = (p * I5 - I7 * ENGINE_MOMENTUM) * r
        + (r * r - p * p) * I6
        + air.qbar * c.cm * (WING_AREA * CHORD * I7);
    let r_rate =
        (p * I8 - r * I2 + I9 * ENGINE_MOMENTUM) * q + lateral_moment * (c.cl * I4 + c.cn * I9);

    // Velocities over ground: horizontal components along and across the heading, then rotated by it.
    let down = uy * sf + uz * cf;
    let along = ux * ct + st * down;
    let across = uy * cf - uz * sf;
    let north = along * cy - across * sy;
    let east = along * sy + across * cy;
    let climb = ux * st - ct * down;

    let nz = (q_rate * ACCELEROMETER - az) * (1.0 / GRAVITY) - 1.0;
    let ny = (r_rate * ACCELEROMETER + ay) * (1.0 / GRAVITY);
    // cos and sin of alpha less its trim value.
    let (trim_sin, trim_cos) = TRIM_ALPHA.sin_cos();
    let ps = p * (ca * trim_cos + sa * trim_sin) + r * (sa * trim_cos - ca * trim_sin);

    let rate = [
        v_rate,
        alpha_rate,
        beta_rate,
        phi_rate,
        theta_rate,
        psi_rate,
        p_rate,
        q_rate,
        r_rate,
        north,
        east,
        climb,
        engine::power_rate(power, power_command),
        nz - command[0],
        ps - command[1],
        ny + r - command[2],
    ];
    Evaluation { rate, surfaces, air, thrust, power_command, nz, ny, ps }
}

/// Returns the coefficients of polynomials and damping table together.
#[inline(always)]
fn coefficients<R: Real>(
    alpha: R,
    beta: R,
    surfaces: &Surfaces<R>,
    [p, q, r]: [R; 3],
    per_v: R,
    cg: f64,
) -> Coefficients<R> {
    let radian = std::f64::consts::PI / 180.0;
    let deflection = [surfaces.elevator, surfaces.aileron, surfaces.rudder].map(|s| s * radian);
    let half_span = per_v * (0.5 * SPAN);
    let hats = [p * half_span, q * per_v * (0.5 * CHORD), r * half_span];
    let damping = damping(alpha);
    let rates = aerodynamics::rates(alpha).plus(damping);
    let fixed = aerodynamics::statics(alpha, beta, deflection);
    let mut c = aerodynamics::with_rates(fixed, rates, hats);
    let shift = REFERENCE_CG - cg;
    if shift != 0.0 {
        // The reference program moves the moments twice: with the forces of the polynomials, and again
        // with the forces that include the damping table.
        let cz = c.cz + (c.cz - damping.cz_q * hats[1]);
        let cy = c.cy + (c.cy - damping.cy_r * hats[2] - damping.cy_p * hats[0]);
        c.cm = c.cm + cz * shift;
        c.cn = c.cn - cy * (shift * CHORD / SPAN);
    }
    c
}

#[cfg(test)]
mod tests {
    use pulp::Scalar;
    use sim_core::lanes::F64Lanes;

    use super::*;
    use crate::{
        gcas::Gcas,
        history::number,
        params::{GcasParams, Initial},
        state::index,
    };

    /// No recorded evaluation has another centre of gravity, so the rule itself is checked: the moments
    /// move with the forces of the polynomials and with the total forces.
    #[test]
    fn the_centre_of_gravity_moves_the_moments_twice() {
        let mut state = Initial::default().state([0.5, 1.0, -0.5, 0.3, 0.2]);
        let rates = [(index::BETA, 0.05), (index::P, 0.3), (index::Q, 0.2), (index::R, -0.1)];
        for (i, value) in rates {
            state[i] = value;
        }
        let derivative = |center_of_gravity| {
            let params = GcasParams { center_of_gravity, ..GcasParams::default() };
            Gcas::new(params).unwrap().derivative(&state, &[0.0; 4])
        };
        let (reference, moved) = (derivative(0.35), derivative(0.30));

        let lane = |v: f64| F64Lanes::zero(Scalar).lit(v);
        let [v, alpha, beta] = [state[0], state[1], state[2]].map(lane);
        let hats = [state[6] * 15.0, state[7] * 5.66, state[8] * 15.0].map(|w| lane(w) / v);
        let deflection = [1, 2, 3].map(|i| lane(reference.surfaces[i].to_radians()));
        let fixed = aerodynamics::statics(alpha, beta, deflection);
        let alone = aerodynamics::rates(alpha);
        let once = aerodynamics::with_rates(fixed, alone, hats);
        let total = aerodynamics::with_rates(fixed, alone.plus(damping(alpha)), hats);
        let cm = number(once.cz + total.cz) * 0.05;
        let cn = -number(once.cy + total.cy) * (0.05 * CHORD / SPAN);

        let pitch = reference.qbar * WING_AREA * CHORD * I7 * cm;
        let yaw = reference.qbar * WING_AREA * SPAN * I9 * cn;
        let change = |i: usize| moved.rate[i] - reference.rate[i];
        assert!((change(index::Q) / pitch - 1.0).abs() < 1e-11, "{} {pitch}", change(index::Q));
        assert!((change(index::R) / yaw - 1.0).abs() < 1e-11, "{} {yaw}", change(index::R));
        assert!(pitch.abs() > 1e-3 && yaw.abs() > 1e-5);
    }
}
