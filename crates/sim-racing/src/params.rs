//! The settings of an experiment with the car.

use std::f64::consts::FRAC_PI_2;

use inputs::{Constant, Inputs, InputsError, Normal};
use nalgebra::Matrix2;
use serde::{Deserialize, Serialize};
use sim_core::Registers;

use crate::{
    car::{CarError, CarParams},
    model::Arithmetic,
    mppi::settings::{Mppi, MppiError, MppiSettings},
    reward::Reward,
    state::State,
    track::Track,
};

/// Settings of the simulator; the default is the published experiment (Kruse et al., AAAI 2025).
///
/// This is a plain record. [`Racing::new`](crate::Racing::new) checks it, and so does deserialising a
/// [`Racing`](crate::Racing).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RacingParams {
    /// The initial state of every run; default at the origin, heading along y, at 10 m/s.
    pub start: State,
    /// Number of control steps; default 201 (the published loop counts from 0 to 200).
    pub steps: usize,
    /// Standard deviations of the disturbance after each step: of both coordinates (m) and of the
    /// heading (rad); default 0.05 and 0.01.
    pub disturbance: [f64; 2],
    /// The car.
    pub car: CarParams,
    /// The reward of the controller.
    pub reward: Reward,
    /// The controller; default 25 samples, horizon 50, temperature 10, variances 0.0625 (steering) and 0.1
    /// (pedal).
    pub controller: MppiSettings<2>,
    /// The track.
    pub track: Track,
    /// The arithmetic of the rollouts; default vector code in double precision.
    pub arithmetic: Arithmetic,
    /// The registers of the rollouts; default the widest of the machine.
    pub registers: Registers,
}

impl Default for RacingParams {
    fn default() -> Self {
        Self {
            start: [0.0, 0.0, FRAC_PI_2, 10.0, 0.0, 0.0, 0.0, 0.0],
            steps: 201,
            disturbance: [0.05, 0.01],
            car: CarParams::default(),
            reward: Reward::default(),
            controller: MppiSettings {
                samples: 25,
                horizon: 50,
                temperature: 10.0,
                covariance: Matrix2::new(0.0625, 0.0, 0.0, 0.1),
            },
            track: Track::default(),
            arithmetic: Arithmetic::F64,
            registers: Registers::Widest,
        }
    }
}

/// Why settings are refused.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ParamsError {
    /// A constant of the car is out of range.
    #[error(transparent)]
    Car(#[from] CarError),
    /// A setting of the controller is out of range.
    #[error(transparent)]
    Controller(#[from] MppiError),
    /// The disturbances cannot be made inputs.
    #[error("`disturbance`: {0}")]
    Inputs(#[from] InputsError),
    /// The number of steps is zero.
    #[error("`steps` must be at least 1")]
    Steps,
    /// An entry of the initial state is infinite or NaN.
    #[error("`start[{index}]` must be finite, got {value}")]
    Start {
        /// Position in the state.
        index: usize,
        /// Its value.
        value: f64,
    },
    /// A standard deviation is negative, infinite or NaN.
    #[error("`disturbance[{index}]` must be finite and at least 0, got {value}")]
    Disturbance {
        /// 0 for the position, 1 for the heading.
        index: usize,
        /// Its value.
        value: f64,
    },
    /// A weight of the reward is infinite or NaN.
    #[error("`reward.{name}` must be finite, got {value}")]
    Reward {
        /// The field.
        name: &'static str,
        /// Its value.
        value: f64,
    },
}

impl RacingParams {
    /// Checks every setting. A [`Track`] has been checked by its constructor.
    ///
    /// # Errors
    /// [`ParamsError`] for the first setting that is out of range.
    pub fn validate(&self) -> Result<(), ParamsError> {
        self.car.validate()?;
        Mppi::new(self.controller)?;
        if self.steps == 0 {
            return Err(ParamsError::Steps);
        }
        let bad = self.start.iter().position(|v| !v.is_finite());
        if let Some(index) = bad {
            return Err(ParamsError::Start { index, value: self.start[index] });
        }
        let bad = self.disturbance.iter().position(|v| !(v.is_finite() && *v >= 0.0));
        if let Some(index) = bad {
            return Err(ParamsError::Disturbance { index, value: self.disturbance[index] });
        }
        let Reward { speed, off_track, slip } = self.reward;
        for (name, value) in [("speed", speed), ("off_track", off_track), ("slip", slip)] {
            if !value.is_finite() {
                return Err(ParamsError::Reward { name, value });
            }
        }
        Ok(())
    }

    /// The disturbances of all steps as inputs `dx_1`, `dy_1` (m), `turn_1` (rad), `dx_2` and so on; one
    /// without deviation is a constant.
    pub(crate) fn inputs(&self) -> Result<Inputs, InputsError> {
        let [position, heading] = self.disturbance;
        let mut builder = Inputs::builder();
        for k in 1..=self.steps {
            for (name, unit, sd) in
                [("dx", "m", position), ("dy", "m", position), ("turn", "rad", heading)]
            {
                let name = format!("{name}_{k}");
                builder = if sd > 0.0 {
                    builder.input(name, unit, Normal::new(0.0, sd)?)
                } else {
                    builder.input(name, unit, Constant::new(0.0)?)
                };
            }
        }
        builder.build()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_bad_setting_is_named() {
        let ok = RacingParams::default;
        assert_eq!(ok().validate(), Ok(()));
        let message = |p: RacingParams| p.validate().unwrap_err().to_string();
        assert!(message(RacingParams { steps: 0, ..ok() }).contains("steps"));
        let start = [f64::NAN; 8];
        assert!(message(RacingParams { start, ..ok() }).contains("start[0]"));
        let disturbance = [0.0, -1.0];
        assert!(message(RacingParams { disturbance, ..ok() }).contains("disturbance[1]"));
        let car = CarParams { mass: -1.0, ..CarParams::default() };
        assert!(message(RacingParams { car, ..ok() }).contains("car.mass"));
        let controller = MppiSettings { samples: 0, ..ok().controller };
        assert!(message(RacingParams { controller, ..ok() }).contains("controller.samples"));
        let reward = Reward { slip: f64::INFINITY, ..Reward::default() };
        assert!(message(RacingParams { reward, ..ok() }).contains("reward.slip"));
    }

    #[test]
    fn settings_survive_a_round_trip_and_refuse_unknown_names() {
        let track = Track::new(vec![[0.0, 0.0], [9.0, 0.0], [0.0, 9.0]], 2.0).unwrap();
        let params = RacingParams { track, arithmetic: Arithmetic::F32, ..RacingParams::default() };
        let text = serde_json::to_string(&params).unwrap();
        assert_eq!(serde_json::from_str::<RacingParams>(&text).unwrap(), params);
        assert!(serde_json::from_str::<RacingParams>(r#"{"laps": 3}"#).is_err());
        let flat = r#"{"track": {"vertices": [[0, 0], [1, 0], [0, 0]], "half_width": 1}}"#;
        let error = serde_json::from_str::<RacingParams>(flat).unwrap_err().to_string();
        assert!(error.contains("row 3 repeats"), "{error}");
    }
}
