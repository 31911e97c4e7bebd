//! Constants of the car in the form that the rollouts use.

use crate::car::CarParams;

/// Constants of the car in the form that the rollouts use.
pub(super) struct Coefficients {
    /// Substeps per control step.
    pub(super) substeps: u32,
    /// Length of a substep, s.
    pub(super) dt: f64,
    /// Length of a substep over the mass, s/kg: the change of velocity per force.
    pub(super) dt_over_mass: f64,
    /// Centre of mass to front axle, m.
    pub(super) to_front: f64,
    /// Centre of mass to rear axle, m.
    pub(super) to_rear: f64,
    /// Mass times arm over yaw inertia, front (positive) and rear (negative), 1/m.
    pub(super) arm: [f64; 2],
    /// Relative loss of velocity to linear drag per substep, 1.
    pub(super) drag: f64,
    /// Constant drag, N.
    pub(super) drag_constant: f64,
    /// Force at full throttle, N.
    pub(super) drive_force: f64,
    /// Force at full brake, N.
    pub(super) brake_force: f64,
    /// Front share of the longitudinal force when the pedal is at most 0.
    pub(super) share_brake: f64,
    /// Front share of the longitudinal force when the pedal is above 0.
    pub(super) share_drive: f64,
    /// Vertical loads of the front and rear axle without longitudinal force, N.
    pub(super) weight: [f64; 2],
    /// Load moved from front to rear per longitudinal force, 1.
    pub(super) load_transfer: f64,
    /// Friction coefficient, 1.
    pub(super) friction: f64,
    /// A third of the cornering stiffness, front and rear, N/rad.
    pub(super) third_stiffness: [f64; 2],
    /// Largest steering angle, rad.
    pub(super) max_steer: f64,
    /// Largest change of the steering angle per control step, rad.
    pub(super) max_steer_change: f64,
}

impl Coefficients {
    pub(super) fn new(car: &CarParams) -> Self {
        let dt = car.substep();
        Self {
            substeps: car.substeps,
            dt,
            dt_over_mass: dt / car.mass,
            to_front: car.to_front,
            to_rear: car.to_rear,
            arm: [car.to_front, -car.to_rear].map(|arm| car.mass * arm / car.yaw_inertia),
            drag: car.drag_linear * dt / car.mass,
            drag_constant: car.drag_constant,
            drive_force: car.drive_force,
            brake_force: car.brake_force,
            share_brake: car.front_share_brake,
            share_drive: car.front_share_drive,
            weight: car.loads(0.0),
            load_transfer: car.height / (car.to_front + car.to_rear),
            friction: car.friction,
            third_stiffness: [car.front_stiffness / 3.0, car.rear_stiffness / 3.0],
            max_steer: car.max_steer,
            max_steer_change: car.max_steer_rate * car.control_step,
        }
    }
}
