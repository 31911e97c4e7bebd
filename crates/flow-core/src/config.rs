//! The architecture of a flow.

use serde::{Deserialize, Serialize};

use crate::{FlowError, bijection::coupling_features};

/// What mixes the features between two spline layers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum LinearKind {
    /// A reversing permutation followed by an LU-decomposed linear layer.
    Lu,
    /// A reversing permutation alone.
    Permutation,
}

/// How the features steer each other's splines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum BaseKind {
    /// `rq-c`: one half of the features steers the other (Durkan et al. 2019). Both directions cost
    /// one pass.
    #[default]
    #[serde(rename = "rq-c")]
    Coupling,
    /// `rq-ar`: each feature is steered by all before it (Papamakarios et al., *Masked
    /// autoregressive flow*, NeurIPS 2017). Encoding costs one pass, decoding one for each feature.
    #[serde(rename = "rq-ar")]
    Autoregressive,
}

/// Architecture of a [`Flow`](crate::Flow): `steps` times a linear part and a rational-quadratic
/// spline layer, and one linear part at the end.
///
/// The defaults are the settings of Kruse et al. (AAAI 2025) where the paper gives them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FlowConfig {
    /// Number of features `d`; at least 2, or 1 in an autoregressive flow.
    pub features: usize,
    /// How the features steer each other's splines.
    #[serde(default)]
    pub base: BaseKind,
    /// Width of the residual networks.
    pub hidden: usize,
    /// Number of spline layers.
    pub steps: usize,
    /// Number of spline bins, at least 2.
    pub bins: usize,
    /// The splines act on `[-tail_bound, tail_bound]` and are the identity outside.
    pub tail_bound: f64,
    /// What stands between the spline layers.
    pub linear: LinearKind,
    /// Whether the residual networks normalise over the batch.
    pub batch_norm: bool,
    /// Share of hidden units dropped in training, in `[0, 1)`.
    pub dropout: f64,
}

impl FlowConfig {
    /// The default architecture for `features` features.
    pub fn new(features: usize) -> Self {
        Self {
            features,
            base: BaseKind::default(),
            hidden: 64,
            steps: 5,
            bins: 8,
            tail_bound: 3.0,
            linear: LinearKind::Lu,
            batch_norm: true,
            dropout: 0.0,
        }
    }

    /// Floating-point operations of the matrix products in one pass for one sample; an autoregressive
    /// flow takes `features` passes to decode.
    pub fn flops(&self) -> usize {
        let outputs = 3 * self.bins - 1;
        let step = |step: usize| {
            let (inputs, steered) = match self.base {
                BaseKind::Coupling => {
                    let (transformed, identity) = coupling_features(self.features, step);
                    (identity.len(), transformed.len())
                }
                BaseKind::Autoregressive => (self.features, self.features),
            };
            // Two blocks of two square layers between the first and the last.
            2 * self.hidden * (inputs + 4 * self.hidden + steered * outputs)
        };
        (0..self.steps).map(step).sum()
    }

    /// Checks every setting.
    ///
    /// # Errors
    /// [`FlowError::Setting`] for the first setting out of its range.
    pub fn validate(&self) -> Result<(), FlowError> {
        match self.base {
            BaseKind::Coupling if self.features < 2 => {
                let condition = "at least 2, or 1 with base `rq-ar`";
                return Err(FlowError::setting("features", condition, self.features));
            }
            BaseKind::Autoregressive if self.features == 0 => {
                return Err(FlowError::setting("features", "positive", self.features));
            }
            _ => {}
        }
        if self.hidden == 0 {
            return Err(FlowError::setting("hidden", "positive", self.hidden));
        }
        if self.steps == 0 {
            return Err(FlowError::setting("steps", "positive", self.steps));
        }
        // The smallest bin is 1e-3 of the interval, so more than 1000 bins do not fit.
        if !(2..1000).contains(&self.bins) {
            return Err(FlowError::setting("bins", "in 2..1000", self.bins));
        }
        if !(self.tail_bound > 0.0 && self.tail_bound.is_finite()) {
            return Err(FlowError::setting("tail_bound", "positive and finite", self.tail_bound));
        }
        if !(0.0..1.0).contains(&self.dropout) {
            return Err(FlowError::setting("dropout", "in [0, 1)", self.dropout));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_race_cars_flow_takes_the_operations_of_its_specification() {
        let config = FlowConfig { hidden: 256, steps: 10, ..FlowConfig::new(8) };
        // 5.73 million multiplications and additions, with the small ones left out here.
        assert!((config.flops() as f64 / 5.73e6 - 1.0).abs() < 0.1, "{}", config.flops());
    }

    #[test]
    fn each_setting_is_checked_by_name() {
        let good = FlowConfig::new(3);
        good.validate().unwrap();
        let bad = [
            (FlowConfig { features: 1, ..good.clone() }, "features"),
            (
                FlowConfig { features: 0, base: BaseKind::Autoregressive, ..good.clone() },
                "features",
            ),
            (FlowConfig { hidden: 0, ..good.clone() }, "hidden"),
            (FlowConfig { steps: 0, ..good.clone() }, "steps"),
            (FlowConfig { bins: 1, ..good.clone() }, "bins"),
            (FlowConfig { tail_bound: 0.0, ..good.clone() }, "tail_bound"),
            (FlowConfig { tail_bound: f64::NAN, ..good.clone() }, "tail_bound"),
            (FlowConfig { dropout: 1.0, ..good.clone() }, "dropout"),
        ];
        for (config, name) in bad {
            let message = config.validate().unwrap_err().to_string();
            assert!(message.starts_with(name), "{message}");
        }
    }
}
