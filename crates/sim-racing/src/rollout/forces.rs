//! What does not change within a control step while the car moves forwards.

use super::car::Coefficients;
use crate::{lanes::Real, tyre::FLOOR};

/// Forces of both axles; those that act carry the factor `dt / mass`.
#[derive(Clone, Copy)]
pub(super) struct Forces<R> {
    /// Longitudinal force of the front axle.
    pub(super) front: R,
    /// Longitudinal force of the rear axle, less the constant drag.
    pub(super) rear: R,
    /// Stiffness over three times the largest side force, front and rear.
    pub(super) slope: [R; 2],
    /// Largest side force, negative, front and rear.
    pub(super) limit: [R; 2],
}

impl<R: Real> Forces<R> {
    /// Forces under a pedal; `sign` is the sign of the longitudinal velocity.
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

/// Largest side force of an axle under its longitudinal force `along`.
#[inline(always)]
fn largest<R: Real>(c: &Coefficients, weight: f64, transfer: R, along: R) -> R {
    let grip = (transfer + weight) * c.friction;
    (grip * grip - along * along).max(grip.lit(FLOOR)).sqrt()
}

/// Side force of an axle at the tangent of its slip angle: the cubic curve, saturated.
#[inline(always)]
pub(super) fn side<R: Real>(tangent: R, slope: R, limit: R) -> R {
    let q = (tangent * slope).clip(-1.0, 1.0);
    let size = q.abs();
    limit * (q * (size * (size - 3.0) + 3.0))
}
