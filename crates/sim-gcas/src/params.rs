//! The settings of an experiment with the aircraft.

use std::f64::consts::PI;

use inputs::{Constant, Inputs, InputsError, Normal};
use serde::{Deserialize, Serialize};
use sim_core::{Precision, Registers};

use crate::{
    autopilot::Autopilot,
    flight::{Integrator, Plan},
    state::{
        State,
        index::{ALPHA, ALTITUDE, PHI, POWER, THETA, V},
    },
};

/// Engine power at the start, percent.
const INITIAL_POWER: f64 = 9.0;

/// Settings of the simulator; the default is the published experiment (Kruse et al., AAAI 2025)
/// in double precision.
///
/// This is a plain record. [`Gcas::new`](crate::Gcas::new) checks it, and so does deserialising a
/// [`Gcas`](crate::Gcas).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GcasParams {
    /// Length of an inner step, s; default 1/500.
    pub time_step: f64,
    /// Number of inner steps; default 1500, that is 3 s.
    pub steps: u32,
    /// Inner steps between two records of a history; default 10.
    pub record_every: u32,
    /// The integrator; default explicit Euler.
    pub integrator: Integrator,
    /// The autopilot; default memoryless.
    pub autopilot: Autopilot,
    /// The precision of all arithmetic; default double (the published data are in single precision).
    pub precision: Precision,
    /// The registers; default the widest of the machine.
    pub registers: Registers,
    /// Centre of gravity as a fraction of the chord; default 0.35 (Stevens and Lewis), to which the
    /// coefficients refer. For other values the moments are moved twice, as in the reference program.
    pub center_of_gravity: f64,
    /// The distribution of the initial state.
    pub initial: Initial,
}

/// Means and standard deviations of the five random entries of the initial state: airspeed (ft/s), angle of
/// attack (rad), roll angle (rad), pitch angle (rad), altitude (ft). They are independent and normal. The
/// power level of the engine is 9 percent at the start, all other entries are zero.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Initial {
    /// Means; default 540, 2.1215 degrees (in rad), $-\pi/8$, $-0.15 \pi$, 900.
    pub mean: [f64; 5],
    /// Standard deviations; default 10, 0.05, 0.1, 0.1, 10.
    pub sd: [f64; 5],
}

impl Default for GcasParams {
    fn default() -> Self {
        Self {
            time_step: 0.002,
            steps: 1500,
            record_every: 10,
            integrator: Integrator::Euler,
            autopilot: Autopilot::Memoryless,
            precision: Precision::F64,
            registers: Registers::Widest,
            center_of_gravity: 0.35,
            initial: Initial::default(),
        }
    }
}

impl Default for Initial {
    fn default() -> Self {
        Self {
            mean: [540.0, 2.1215 * PI / 180.0, -PI / 8.0, -0.15 * PI, 900.0],
            sd: [10.0, 0.05, 0.1, 0.1, 10.0],
        }
    }
}

impl Initial {
    /// Returns the initial state of the standard normal numbers `u`: entry $i$ is
    /// $\mu_i + \sigma_i u_i$.
    pub fn state(&self, u: [f64; 5]) -> State {
        state(std::array::from_fn(|i| self.mean[i] + self.sd[i] * u[i]))
    }

    /// The five random entries as inputs with names and units; one without deviation is a constant.
    ///
    /// # Errors
    /// [`InputsError`] when a mean or standard deviation is out of range.
    pub(crate) fn inputs(&self) -> Result<Inputs, InputsError> {
        let mut builder = Inputs::builder();
        for (i, (name, unit)) in INPUTS.into_iter().enumerate() {
            let (mean, sd) = (self.mean[i], self.sd[i]);
            builder = if sd > 0.0 {
                builder.input(name, unit, Normal::new(mean, sd)?)
            } else {
                builder.input(name, unit, Constant::new(mean)?)
            };
        }
        builder.build()
    }
}

/// Names and units of the five random entries of the initial state.
const INPUTS: [(&str, &str); 5] = [
    ("airspeed", "ft/s"),
    ("angle_of_attack", "rad"),
    ("roll", "rad"),
    ("pitch", "rad"),
    ("altitude", "ft"),
];

/// The initial state with these five entries.
pub(crate) fn state(inputs: [f64; 5]) -> State {
    let mut state = [0.0; 16];
    for (position, value) in [V, ALPHA, PHI, THETA, ALTITUDE].into_iter().zip(inputs) {
        state[position] = value;
    }
    state[POWER] = INITIAL_POWER;
    state
}

/// Why settings are refused.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ParamsError {
    /// The length of a step is not positive.
    #[error("`time_step` must be finite and above 0, got {0}")]
    TimeStep(f64),
    /// The initial state cannot be made an input.
    #[error("`initial`: {0}")]
    Inputs(#[from] InputsError),
    /// A number of steps is zero.
    #[error("`{0}` must be at least 1")]
    Zero(&'static str),
    /// The centre of gravity is infinite or NaN.
    #[error("`center_of_gravity` must be finite, got {0}")]
    CenterOfGravity(f64),
    /// An initial mean is infinite or NaN.
    #[error("`initial.mean[{index}]` must be finite, got {value}")]
    Mean {
        /// Position in the order of [`Initial`].
        index: usize,
        /// Its value.
        value: f64,
    },
    /// An initial standard deviation is negative, infinite or NaN.
    #[error("`initial.sd[{index}]` must be finite and at least 0, got {value}")]
    Sd {
        /// Position in the order of [`Initial`].
        index: usize,
        /// Its value.
        value: f64,
    },
}

impl GcasParams {
    /// Checks every setting.
    ///
    /// # Errors
    /// [`ParamsError`] for the first setting that is out of range.
    pub fn validate(&self) -> Result<(), ParamsError> {
        if !(self.time_step.is_finite() && self.time_step > 0.0) {
            return Err(ParamsError::TimeStep(self.time_step));
        }
        let period = match self.autopilot {
            Autopilot::Memoryless => 1,
            Autopilot::Stateful { period, .. } => period,
        };
        let counts =
            [("steps", self.steps), ("record_every", self.record_every), ("period", period)];
        if let Some((name, _)) = counts.into_iter().find(|(_, count)| *count == 0) {
            return Err(ParamsError::Zero(name));
        }
        if !self.center_of_gravity.is_finite() {
            return Err(ParamsError::CenterOfGravity(self.center_of_gravity));
        }
        for (index, value) in self.initial.mean.into_iter().enumerate() {
            if !value.is_finite() {
                return Err(ParamsError::Mean { index, value });
            }
        }
        for (index, value) in self.initial.sd.into_iter().enumerate() {
            if !(value.is_finite() && value >= 0.0) {
                return Err(ParamsError::Sd { index, value });
            }
        }
        Ok(())
    }

    pub(crate) fn plan(&self) -> Plan {
        Plan {
            steps: self.steps,
            dt: self.time_step,
            integrator: self.integrator,
            autopilot: self.autopilot,
            precision: self.precision,
            cg: self.center_of_gravity,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::autopilot::Mode;

    #[test]
    fn each_bad_setting_is_named() {
        let ok = GcasParams::default();
        assert_eq!(ok.validate(), Ok(()));
        let message = |p: GcasParams| p.validate().unwrap_err().to_string();
        assert!(message(GcasParams { time_step: 0.0, ..ok }).contains("time_step"));
        assert!(message(GcasParams { steps: 0, ..ok }).contains("steps"));
        assert!(message(GcasParams { record_every: 0, ..ok }).contains("record_every"));
        let autopilot = Autopilot::Stateful { start: Mode::Roll, period: 0 };
        assert!(message(GcasParams { autopilot, ..ok }).contains("period"));
        assert!(message(GcasParams { center_of_gravity: f64::NAN, ..ok }).contains("center"));
        let mut initial = ok.initial;
        initial.mean[3] = f64::INFINITY;
        assert!(message(GcasParams { initial, ..ok }).contains("mean[3]"));
        let mut initial = ok.initial;
        initial.sd[1] = -1.0;
        assert!(message(GcasParams { initial, ..ok }).contains("sd[1]"));
    }

    #[test]
    fn settings_survive_a_round_trip_and_refuse_unknown_names() {
        let autopilot = Autopilot::Stateful { start: Mode::Waiting, period: 5 };
        let params = GcasParams { autopilot, precision: Precision::F32, ..GcasParams::default() };
        let text = serde_json::to_string(&params).unwrap();
        assert_eq!(serde_json::from_str::<GcasParams>(&text).unwrap(), params);
        assert!(serde_json::from_str::<GcasParams>(r#"{"step": 3}"#).is_err());
    }
}
