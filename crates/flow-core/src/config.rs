//! The architecture of a flow.

use serde::{Deserialize, Serialize};

use crate::error::FlowError;

/// Most spline layers of a flow.
const MAX_STEPS: usize = 1000;

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

/// Which features a spline is conditioned on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum TransformKind {
    /// `rq-c`, coupling: the splines of one half of the features are conditioned on the other half
    /// (Durkan et al. 2019). Encoding and decoding cost one network pass each.
    #[default]
    #[serde(rename = "rq-c")]
    Coupling,
    /// `rq-ar`, autoregressive: the spline of each feature is conditioned on all features before it
    /// (Papamakarios et al., *Masked autoregressive flow*, NeurIPS 2017). Encoding costs one network
    /// pass, decoding one pass per feature.
    #[serde(rename = "rq-ar")]
    Autoregressive,
}

/// Architecture of a [`Flow`](crate::Flow): a linear part and a rational-quadratic spline layer,
/// repeated `steps` times, and one more linear part.
///
/// A configuration is always valid: it comes from [`builder`](Self::builder), and one that is read
/// from a file passes the same checks.
///
/// ```
/// use flow_core::{FlowConfig, TransformKind};
///
/// let config = FlowConfig::builder(8).hidden(256).steps(10).build()?;
/// let autoregressive = config.to_builder().transform(TransformKind::Autoregressive).build()?;
/// assert_eq!(autoregressive.hidden(), 256);
/// assert!(FlowConfig::builder(8).bins(1).build().is_err());
/// # Ok::<(), flow_core::FlowError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "FlowConfigBuilder", into = "FlowConfigBuilder")]
pub struct FlowConfig(FlowConfigBuilder);

/// Collects the settings of a [`FlowConfig`]. The defaults are those of Kruse et al. (AAAI 2025)
/// where the paper gives them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[must_use]
pub struct FlowConfigBuilder {
    pub(crate) features: usize,
    // Files of earlier versions call it `base`.
    #[serde(default, alias = "base")]
    pub(crate) transform: TransformKind,
    pub(crate) hidden: usize,
    pub(crate) steps: usize,
    pub(crate) bins: usize,
    tail_bound: f64,
    pub(crate) linear: LinearKind,
    pub(crate) batch_norm: bool,
    dropout: f64,
}

impl FlowConfig {
    /// The default architecture for `features` features.
    ///
    /// A single feature cannot be coupled with another one, so its flow is always autoregressive: splines
    /// without a condition.
    pub fn builder(features: usize) -> FlowConfigBuilder {
        FlowConfigBuilder {
            features,
            transform: TransformKind::default(),
            hidden: 64,
            steps: 5,
            bins: 8,
            tail_bound: 3.0,
            linear: LinearKind::Lu,
            batch_norm: true,
            dropout: 0.0,
        }
    }

    /// A builder that starts with these settings.
    pub fn to_builder(&self) -> FlowConfigBuilder {
        self.0.clone()
    }

    /// Number of features `d`.
    pub fn features(&self) -> usize {
        self.0.features
    }

    /// Which features a spline is conditioned on.
    pub fn transform(&self) -> TransformKind {
        self.0.transform
    }

    /// Width of the conditioners' hidden layers.
    pub fn hidden(&self) -> usize {
        self.0.hidden
    }

    /// Number of spline layers.
    pub fn steps(&self) -> usize {
        self.0.steps
    }

    /// Number of spline bins.
    pub fn bins(&self) -> usize {
        self.0.bins
    }

    /// Half-width of the interval on which the splines act, in standardised units.
    pub fn tail_bound(&self) -> f64 {
        self.0.tail_bound
    }

    /// What mixes the features between two spline layers.
    pub fn linear(&self) -> LinearKind {
        self.0.linear
    }

    /// Whether the conditioners normalise over the batch.
    pub fn batch_norm(&self) -> bool {
        self.0.batch_norm
    }

    /// Share of hidden units that training drops.
    pub fn dropout(&self) -> f64 {
        self.0.dropout
    }

    pub(crate) fn as_builder(&self) -> &FlowConfigBuilder {
        &self.0
    }

    /// Features that the coupling layer of step `step` transforms, and features that it leaves
    /// unchanged.
    pub(crate) fn coupling_features(&self, step: usize) -> (Vec<usize>, Vec<usize>) {
        (0..self.features()).partition(|i| i % 2 == step % 2)
    }
}

impl FlowConfigBuilder {
    /// Which features a spline is conditioned on; by default coupling, and for a single feature always
    /// autoregressive.
    pub fn transform(mut self, transform: TransformKind) -> Self {
        self.transform = transform;
        self
    }

    /// Width of the conditioners' hidden layers, positive; by default 64.
    pub fn hidden(mut self, hidden: usize) -> Self {
        self.hidden = hidden;
        self
    }

    /// Number of spline layers, from 1 to 1000; by default 5.
    pub fn steps(mut self, steps: usize) -> Self {
        self.steps = steps;
        self
    }

    /// Number of spline bins, from 2 to 999; by default 8.
    pub fn bins(mut self, bins: usize) -> Self {
        self.bins = bins;
        self
    }

    /// The splines act on `[-bound, bound]` and are the identity outside, in standardised units; by
    /// default 3.
    pub fn tail_bound(mut self, bound: f64) -> Self {
        self.tail_bound = bound;
        self
    }

    /// What mixes the features between two spline layers; by default an LU-decomposed layer.
    pub fn linear(mut self, linear: LinearKind) -> Self {
        self.linear = linear;
        self
    }

    /// Whether the conditioners normalise over the batch; by default they do.
    pub fn batch_norm(mut self, batch_norm: bool) -> Self {
        self.batch_norm = batch_norm;
        self
    }

    /// Share of hidden units that training drops, in `[0, 1)`; by default 0.
    pub fn dropout(mut self, share: f64) -> Self {
        self.dropout = share;
        self
    }

    /// Checks every setting.
    ///
    /// # Errors
    /// [`FlowError::Setting`] for the first setting out of its range, [`FlowError::TooLarge`] for more
    /// than $2^{28}$ parameters.
    pub fn build(mut self) -> Result<FlowConfig, FlowError> {
        if self.features == 0 {
            return Err(FlowError::setting("features", "positive", self.features));
        }
        if self.features == 1 {
            self.transform = TransformKind::Autoregressive;
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
        // Splines compute in single precision too.
        if !(f64::from(f32::MIN_POSITIVE)..=f64::from(f32::MAX)).contains(&self.tail_bound) {
            let condition = "positive and finite in single precision";
            return Err(FlowError::setting("tail_bound", condition, self.tail_bound));
        }
        if !(0.0..1.0).contains(&self.dropout) {
            return Err(FlowError::setting("dropout", "in [0, 1)", self.dropout));
        }
        self.check_size()?;
        // Layers take memory beside their parameters.
        if self.steps > MAX_STEPS {
            return Err(FlowError::setting("steps", "in 1..=1000", self.steps));
        }
        Ok(FlowConfig(self))
    }
}

impl TryFrom<FlowConfigBuilder> for FlowConfig {
    type Error = FlowError;

    fn try_from(builder: FlowConfigBuilder) -> Result<Self, FlowError> {
        builder.build()
    }
}

impl From<FlowConfig> for FlowConfigBuilder {
    fn from(config: FlowConfig) -> Self {
        config.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_setting_is_checked_by_name() {
        let good = || FlowConfig::builder(3);
        good().build().unwrap();
        let bad = [
            (FlowConfig::builder(0), "features"),
            (FlowConfig::builder(0).transform(TransformKind::Autoregressive), "features"),
            (good().hidden(0), "hidden"),
            (good().steps(0), "steps"),
            (good().bins(1), "bins"),
            (good().tail_bound(0.0), "tail_bound"),
            (good().tail_bound(f64::NAN), "tail_bound"),
            (good().dropout(1.0), "dropout"),
        ];
        for (builder, name) in bad {
            let message = builder.build().unwrap_err().to_string();
            assert!(message.starts_with(name), "{message}");
        }
    }

    #[test]
    fn the_flow_of_a_single_feature_is_autoregressive() {
        let config = FlowConfig::builder(1).build().unwrap();
        assert_eq!(config.transform(), TransformKind::Autoregressive);
        let text = serde_json::to_string(&config).unwrap().replace("rq-ar", "rq-c");
        assert_eq!(serde_json::from_str::<FlowConfig>(&text).unwrap(), config);
    }

    #[test]
    fn a_file_with_the_earlier_name_is_read_and_a_bad_value_is_refused() {
        let config =
            FlowConfig::builder(3).transform(TransformKind::Autoregressive).build().unwrap();
        let text = serde_json::to_string(&config).unwrap();
        assert!(text.contains(r#""transform":"rq-ar""#), "{text}");
        assert_eq!(serde_json::from_str::<FlowConfig>(&text).unwrap(), config);
        let earlier = text.replace("\"transform\"", "\"base\"");
        assert_eq!(serde_json::from_str::<FlowConfig>(&earlier).unwrap(), config);
        let absent = text.replace(r#""transform":"rq-ar","#, "");
        let coupling = serde_json::from_str::<FlowConfig>(&absent).unwrap();
        assert_eq!(coupling.transform(), TransformKind::Coupling);
        let bad = serde_json::from_str::<FlowConfig>(&text.replace("\"bins\":8", "\"bins\":1"));
        assert!(bad.unwrap_err().to_string().contains("bins must be in 2..1000, got 1"));
    }
}
