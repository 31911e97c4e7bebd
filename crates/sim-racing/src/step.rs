//! One control step of the single-track model, written as in the literature. It moves the car, and it is the
//! reference for the vector code.

use crate::{
    car::CarParams,
    state::{
        Action, State,
        index::{PEDAL, R, STEER, U, V, X, Y, YAW},
    },
    tyre::sign,
};

/// Returns the state one control step later. The action is constant over the step and must lie in [-1, 1].
///
/// The integration is semi-implicit: accelerations use the old velocities and the new steering angle, the
/// heading uses the new yaw rate, the position uses the new velocities and heading.
pub fn step(car: &CarParams, state: &State, action: Action) -> State {
    let [mut x, mut y, mut yaw, mut u, mut v, mut r, mut steer, _] = *state;
    let [command, pedal] = action;
    let dt = car.substep();
    let missing = command * car.max_steer - steer;
    let rate = (missing.abs() / car.control_step).min(car.max_steer_rate) * sign(missing);
    let share = if pedal <= 0.0 { car.front_share_brake } else { car.front_share_drive };
    for _ in 0..car.substeps {
        steer += rate * dt;
        let slip_front = libm::atan2(v + car.to_front * r, u) - steer;
        let slip_rear = libm::atan2(v - car.to_rear * r, u);
        let drag = (car.drag_constant + car.drag_linear * u.abs()) * sign(u);
        let force = car.drive_force * pedal.max(0.0) + car.brake_force * pedal.min(0.0) * sign(u);
        let (front, rear) = (share * force, (1.0 - share) * force);
        let [load_front, load_rear] = car.loads(force);
        let side_front = car.front().side_force(slip_front, load_front, front);
        let side_rear = car.rear().side_force(slip_rear, load_rear, rear);

        let (sin, cos) = libm::sincos(steer);
        let across = front * sin + side_front * cos;
        let along = front * cos - side_front * sin;
        let r_rate = (car.to_front * across - car.to_rear * side_rear) / car.yaw_inertia;
        let v_rate = (across + side_rear) / car.mass - r * u;
        let u_rate = (along + rear - drag) / car.mass + r * v;
        r += dt * r_rate;
        u += dt * u_rate;
        v += dt * v_rate;

        yaw += dt * r;
        let (sin, cos) = libm::sincos(yaw);
        yaw = libm::atan2(sin, cos);
        x += dt * (u * cos - v * sin);
        y += dt * (u * sin + v * cos);
    }
    let mut next = [0.0; 8];
    for (i, value) in
        [(X, x), (Y, y), (YAW, yaw), (U, u), (V, v), (R, r), (STEER, steer), (PEDAL, pedal)]
    {
        next[i] = value;
    }
    next
}
