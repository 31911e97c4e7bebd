//! Parameters of the robot.

use inputs::{Constant, Discrete, Distribution, Inputs, InputsError, Normal};
use serde::{Deserialize, Serialize};

use sim_core::elementary::MAX_ANGLE;

/// Parameters of the robot; the default is the published experiment (data generator of Kruse et
/// al., AAAI 2025). One step is one second.
///
/// This is a plain record. [`Robot::new`](crate::Robot::new) checks it, and so does deserialising a
/// [`Robot`](crate::Robot).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RobotParams {
    /// Number of steps; default 40.
    pub steps: usize,
    /// Speed, m/s; default 5.
    pub speed: f64,
    /// Turn rate at the start, rad/s; default 0.1.
    pub turn_rate: f64,
    /// Number of steps after which the turn rate may change its sign; default 16.
    pub flip_after: usize,
    /// Probability of this change; default 1/2.
    pub flip_probability: f64,
    /// Variances of the disturbance of `x`, `y` (m²) and `theta` (rad²) per step; default 0.1, 0.1, 0.01.
    pub noise_variance: [f64; 3],
}

impl Default for RobotParams {
    fn default() -> Self {
        Self {
            steps: 40,
            speed: 5.0,
            turn_rate: 0.1,
            flip_after: 16,
            flip_probability: 0.5,
            noise_variance: [0.1, 0.1, 0.01],
        }
    }
}

/// Why parameters are refused.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ParamsError {
    /// The disturbances cannot be made inputs.
    #[error("`noise_variance`: {0}")]
    Inputs(#[from] InputsError),
    /// The number of steps is zero.
    #[error("`steps` must be at least 1")]
    NoSteps,
    /// A number is infinite or NaN.
    #[error("`{name}` must be finite, got {value}")]
    NotFinite {
        /// The parameter.
        name: &'static str,
        /// Its value.
        value: f64,
    },
    /// The change of the turn rate would come after the end of the run.
    #[error("`flip_after` must be at most `steps` = {steps}, got {flip_after}")]
    FlipAfterEnd {
        /// Steps before the change.
        flip_after: usize,
        /// Steps of the run.
        steps: usize,
    },
    /// The probability of the change lies outside [0, 1].
    #[error("`flip_probability` must lie in [0, 1], got {0}")]
    FlipProbability(f64),
    /// A variance is negative, infinite or NaN.
    #[error("`noise_variance[{index}]` must be finite and at least 0, got {value}")]
    NoiseVariance {
        /// Coordinate: 0 for `x`, 1 for `y`, 2 for `theta`.
        index: usize,
        /// Its variance.
        value: f64,
    },
    /// The heading may exceed the range in which sine and cosine are accurate.
    #[error(
        "the heading may reach {reach:e} rad, more than {MAX_ANGLE:e}; \
         lower `steps`, `turn_rate` or `noise_variance[2]`"
    )]
    Heading {
        /// Steps times turn rate plus ten standard deviations, rad.
        reach: f64,
    },
}

impl RobotParams {
    /// Checks every parameter.
    ///
    /// # Errors
    /// [`ParamsError`] for the first parameter that is out of range.
    pub fn validate(&self) -> Result<(), ParamsError> {
        if self.steps == 0 {
            return Err(ParamsError::NoSteps);
        }
        for (name, value) in [("speed", self.speed), ("turn_rate", self.turn_rate)] {
            if !value.is_finite() {
                return Err(ParamsError::NotFinite { name, value });
            }
        }
        if self.flip_after > self.steps {
            let Self { flip_after, steps, .. } = *self;
            return Err(ParamsError::FlipAfterEnd { flip_after, steps });
        }
        if !(0.0..=1.0).contains(&self.flip_probability) {
            return Err(ParamsError::FlipProbability(self.flip_probability));
        }
        for (index, value) in self.noise_variance.into_iter().enumerate() {
            if !(value.is_finite() && value >= 0.0) {
                return Err(ParamsError::NoiseVariance { index, value });
            }
        }
        let reach =
            self.steps as f64 * (self.turn_rate.abs() + 10.0 * self.noise_variance[2].sqrt());
        if reach > MAX_ANGLE { Err(ParamsError::Heading { reach }) } else { Ok(()) }
    }

    /// The random inputs of a run; one without deviation, and a change that is certain or impossible, is a
    /// constant.
    pub(crate) fn inputs(&self) -> Result<Inputs, InputsError> {
        let mut builder = Inputs::builder();
        for i in 1..=self.steps {
            for ((name, unit), variance) in
                [("u", "m"), ("v", "m"), ("omega", "rad")].into_iter().zip(self.noise_variance)
            {
                let name = format!("{name}_{i}");
                builder = if variance > 0.0 {
                    builder.input(name, unit, Normal::new(0.0, variance.sqrt())?)
                } else {
                    builder.input(name, unit, Constant::new(0.0)?)
                };
            }
        }
        let p = if self.flip_after < self.steps { self.flip_probability } else { 0.0 };
        let flip: Distribution = if p > 0.0 && p < 1.0 {
            Discrete::new(vec![0.0, 1.0], vec![1.0 - p, p])?.into()
        } else {
            Constant::new(p)?.into()
        };
        builder.input("flip", "1", flip).build()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_parameters_are_valid() {
        assert_eq!(RobotParams::default().validate(), Ok(()));
    }

    #[test]
    fn each_bad_parameter_is_named() {
        let ok = RobotParams::default();
        let message = |p: RobotParams| p.validate().unwrap_err().to_string();
        assert_eq!(message(RobotParams { steps: 0, ..ok }), "`steps` must be at least 1");
        assert!(message(RobotParams { speed: f64::NAN, ..ok }).contains("`speed`"));
        assert!(message(RobotParams { turn_rate: f64::INFINITY, ..ok }).contains("`turn_rate`"));
        assert!(message(RobotParams { flip_after: 41, ..ok }).contains("got 41"));
        assert!(message(RobotParams { flip_probability: 1.5, ..ok }).contains("got 1.5"));
        let noise_variance = [0.1, -1.0, 0.01];
        assert!(message(RobotParams { noise_variance, ..ok }).contains("[1]"));
        assert!(message(RobotParams { turn_rate: 1e6, ..ok }).contains("heading"));
    }

    #[test]
    fn settings_files_may_name_some_parameters_and_no_others() {
        let p: RobotParams = serde_json::from_str(r#"{"speed": 4.0}"#).unwrap();
        assert_eq!(p, RobotParams { speed: 4.0, ..RobotParams::default() });
        assert!(serde_json::from_str::<RobotParams>(r#"{"sped": 4.0}"#).is_err());
    }
}
