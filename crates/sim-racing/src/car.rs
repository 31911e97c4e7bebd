//! Constants of the car.

use std::f64::consts::PI;

use serde::{Deserialize, Serialize};

use crate::tyre::Axle;

/// Constants of the car and of its time stepping; the default is the car of the published
/// experiment (rear-wheel drive, as in Brown and Gerdes, 2020). [`Racing::new`](crate::Racing::new) checks
/// them.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CarParams {
    /// Mass, kg; default 2000.
    pub mass: f64,
    /// Yaw inertia, kg m²; default 3764.
    pub yaw_inertia: f64,
    /// Height of the centre of mass, m; default 0.3.
    pub height: f64,
    /// Centre of mass to front axle, m; default 1.53.
    pub to_front: f64,
    /// Centre of mass to rear axle, m; default 1.23.
    pub to_rear: f64,
    /// Gravity, m/s²; default 9.81.
    pub gravity: f64,
    /// Constant drag, N; default 241.
    pub drag_constant: f64,
    /// Drag per velocity, N s/m; default 25.1.
    pub drag_linear: f64,
    /// Cornering stiffness of the front axle, N/rad; default 150,000.
    pub front_stiffness: f64,
    /// Cornering stiffness of the rear axle, N/rad; default 280,000.
    pub rear_stiffness: f64,
    /// Friction coefficient of both axles; default 0.9.
    pub friction: f64,
    /// Largest steering angle, rad; default 18 degrees.
    pub max_steer: f64,
    /// Largest steering rate, rad/s; default 90 degrees per second.
    pub max_steer_rate: f64,
    /// Force at full throttle, N; default 7200.
    pub drive_force: f64,
    /// Force at full brake, N; default 22,500.
    pub brake_force: f64,
    /// Front share of the longitudinal force when the pedal is at most 0; default 0.6.
    pub front_share_brake: f64,
    /// Front share when the pedal is above 0; default 0.
    pub front_share_drive: f64,
    /// Length of a control step, s; default 0.1.
    pub control_step: f64,
    /// Integration steps per control step; default 10.
    pub substeps: u32,
}

impl Default for CarParams {
    fn default() -> Self {
        Self {
            mass: 2000.0,
            yaw_inertia: 3764.0,
            height: 0.3,
            to_front: 1.53,
            to_rear: 1.23,
            gravity: 9.81,
            drag_constant: 241.0,
            drag_linear: 25.1,
            front_stiffness: 150_000.0,
            rear_stiffness: 280_000.0,
            friction: 0.9,
            max_steer: PI / 10.0,
            max_steer_rate: PI / 2.0,
            drive_force: 7200.0,
            brake_force: 22_500.0,
            front_share_brake: 0.6,
            front_share_drive: 0.0,
            control_step: 0.1,
            substeps: 10,
        }
    }
}

/// Why constants of the car are refused.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum CarError {
    /// A constant that must be positive is not.
    #[error("`car.{name}` must be finite and above 0, got {value}")]
    NotPositive {
        /// The field.
        name: &'static str,
        /// Its value.
        value: f64,
    },
    /// A constant that must not be negative is.
    #[error("`car.{name}` must be finite and at least 0, got {value}")]
    Negative {
        /// The field.
        name: &'static str,
        /// Its value.
        value: f64,
    },
    /// The largest steering angle is a right angle or more.
    #[error("`car.max_steer` must be below a right angle (1.5708 rad), got {0}")]
    Steer(f64),
    /// The number of integration steps per control step is zero.
    #[error("`car.substeps` must be at least 1")]
    Substeps,
}

impl CarParams {
    /// Checks every constant.
    ///
    /// # Errors
    /// [`CarError`] for the first constant that is out of range.
    pub fn validate(&self) -> Result<(), CarError> {
        let positive = [
            ("mass", self.mass),
            ("yaw_inertia", self.yaw_inertia),
            ("to_front", self.to_front),
            ("to_rear", self.to_rear),
            ("gravity", self.gravity),
            ("front_stiffness", self.front_stiffness),
            ("rear_stiffness", self.rear_stiffness),
            ("friction", self.friction),
            ("control_step", self.control_step),
        ];
        let bad = |value: &f64| !(value.is_finite() && *value > 0.0);
        if let Some((name, value)) = positive.into_iter().find(|(_, v)| bad(v)) {
            return Err(CarError::NotPositive { name, value });
        }
        let not_negative = [
            ("height", self.height),
            ("drag_constant", self.drag_constant),
            ("drag_linear", self.drag_linear),
            ("max_steer", self.max_steer),
            ("max_steer_rate", self.max_steer_rate),
            ("drive_force", self.drive_force),
            ("brake_force", self.brake_force),
            ("front_share_brake", self.front_share_brake),
            ("front_share_drive", self.front_share_drive),
        ];
        let bad = |value: &f64| !(value.is_finite() && *value >= 0.0);
        if let Some((name, value)) = not_negative.into_iter().find(|(_, v)| bad(v)) {
            return Err(CarError::Negative { name, value });
        }
        if self.max_steer >= PI / 2.0 {
            return Err(CarError::Steer(self.max_steer));
        }
        if self.substeps == 0 {
            return Err(CarError::Substeps);
        }
        Ok(())
    }

    /// The front tyres.
    pub fn front(&self) -> Axle {
        Axle { stiffness: self.front_stiffness, friction: self.friction }
    }

    /// The rear tyres.
    pub fn rear(&self) -> Axle {
        Axle { stiffness: self.rear_stiffness, friction: self.friction }
    }

    /// Length of an integration step, s.
    pub(crate) fn substep(&self) -> f64 {
        self.control_step / f64::from(self.substeps)
    }

    /// Returns the vertical loads of the front and of the rear axle (N) under a longitudinal tyre force (N).
    /// Drag moves no load.
    pub(crate) fn loads(&self, force: f64) -> [f64; 2] {
        let wheelbase = self.to_front + self.to_rear;
        let weight = self.mass * self.gravity;
        [
            (weight * self.to_rear - self.height * force) / wheelbase,
            (weight * self.to_front + self.height * force) / wheelbase,
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_bad_constant_is_named() {
        let ok = CarParams::default();
        assert_eq!(ok.validate(), Ok(()));
        let message = |car: CarParams| car.validate().unwrap_err().to_string();
        assert!(message(CarParams { mass: 0.0, ..ok }).contains("car.mass"));
        assert!(message(CarParams { height: f64::NAN, ..ok }).contains("car.height"));
        assert!(message(CarParams { max_steer: 1.6, ..ok }).contains("right angle"));
        assert!(message(CarParams { substeps: 0, ..ok }).contains("substeps"));
    }
}
