//! Forces of the axles. They are constant over a control step as long as the car moves forwards.

use sim_core::lanes::Real;

use super::{clip::clip, coefficients::Coefficients};
use crate::tyre::FLOOR;

/// Forces of both axles, times `dt / mass`: they are changes of velocity per substep, in m/s.
#[derive(Clone, Copy)]
pub(super) struct Forces<R> {
    /// Longitudinal force of the front axle, m/s.
    pub(super) front: R,
    /// Longitudinal force of the rear axle less the constant drag, m/s.
    pub(super) rear: R,
    /// Cornering stiffness over three times the largest side force, front and rear, 1/rad.
    pub(super) slope: [R; 2],
    /// The negative of the largest side force, front and rear, m/s.
    pub(super) limit: [R; 2],
}

impl<R: Real> Forces<R> {
    /// Returns the forces for a pedal position in [-1, 1]; `sign` is the sign of the longitudinal
    /// velocity.
    #[inline(always)]
    pub(super) fn new(c: &Coefficients, pedal: R, sign: R) -> Self {
        let zero = pedal.lit(0.0);
        let force = pedal.max(zero) * c.drive_force + pedal.min(zero) * c.brake_force * sign;
        let share = R::select(pedal.le(zero), zero.lit(c.share_brake), zero.lit(c.share_drive));
        let front = share * force;
        let rear = force - front;
        let transfer = force * c.load_transfer;
        let limit =
            [largest(c, c.weight[0], -transfer, front), largest(c, c.weight[1], transfer, rear)];
        let [stiff_front, stiff_rear] = c.third_stiffness;
        Self {
            front: front * c.dt_over_mass,
            rear: (rear - sign * c.drag_constant) * c.dt_over_mass,
            slope: [zero.lit(stiff_front) / limit[0], zero.lit(stiff_rear) / limit[1]],
            limit: [limit[0] * -c.dt_over_mass, limit[1] * -c.dt_over_mass],
        }
    }
}

/// Returns the largest side force of an axle (N): `weight` is its vertical load at rest, `transfer` the
/// load moved to it, `along` its longitudinal force (all in N).
#[inline(always)]
fn largest<R: Real>(c: &Coefficients, weight: f64, transfer: R, along: R) -> R {
    let grip = (transfer + weight) * c.friction;
    (grip * grip - along * along).max(grip.lit(FLOOR)).sqrt()
}

/// Returns the side force of an axle times `dt / mass` (m/s) at the tangent of its slip angle: the cubic
/// curve of the tyre with saturation.
#[inline(always)]
pub(super) fn side<R: Real>(tangent: R, slope: R, limit: R) -> R {
    let q = clip(tangent * slope, -1.0, 1.0);
    let size = q.abs();
    limit * (q * (size * (size - 3.0) + 3.0))
}
