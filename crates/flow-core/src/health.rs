//! Checks of a flow far from the origin, where failures are sampled.
//!
//! Importance sampling uses latent points several standard deviations from the origin, where a flow has
//! little training data. If decoding does not invert encoding there, or if log-determinants are wrong,
//! importance weights are wrong, and with them the estimated probability.

use std::fmt;

use burn::tensor::{DType, Tensor, TensorCreationOptions, TensorData};
use nalgebra::{DMatrix, DMatrixView};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use serde::{Deserialize, Serialize};

use crate::{
    base::LN_2PI,
    device::{DEVICES, Precision, default_device},
    error::FlowError,
    flow::Flow,
    marginals::Marginals,
    state_dict::to_host,
};

/// Distances from the origin of the tested points, in standard deviations.
const RADII: [f64; 4] = [2.0, 4.0, 6.0, 8.0];
/// Points per distance, and points of the other checks.
const POINTS: usize = 512;
/// Draws from which the moments are estimated.
const DRAWS: usize = 20_000;
/// Largest error of a point after decoding and encoding, in latent standard deviations.
const ROUND_TRIP: f64 = 0.02;
/// Largest error of a log-density; the error of an importance weight is then 5 %.
const LN_WEIGHT: f64 = 0.05;
/// Largest difference between moments of draws and moments of the training data.
const MOMENTS: f64 = 0.1;

/// What is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Check {
    /// `encode` inverts `decode`, and the log-determinants cancel.
    RoundTrip,
    /// Far points are decoded to finite values.
    Tails,
    /// Single precision agrees with double.
    Precision,
    /// Every spline increases.
    Monotone,
    /// Mean and standard deviation of draws are those of the training data, before the marginal maps.
    Moments,
    /// The likelihood of data exceeds that of an uncorrelated normal distribution.
    Likelihood,
}

/// Outcome of one check.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// What is checked.
    pub check: Check,
    /// Whether the check passed.
    pub passed: bool,
    /// The finding, in one line.
    pub text: String,
}

/// Findings of all checks; `Display` prints one per line.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Health {
    /// The findings, in the order of the checks.
    pub findings: Vec<Finding>,
}

impl Health {
    /// Checks `flow`, and its likelihood on `data` if given.
    ///
    /// # Shapes
    /// - `data`: `[d, n]`, outcomes that the flow was not trained on
    ///
    /// # Errors
    /// [`FlowError::Features`] and [`FlowError::NotFinite`] for unsuitable `data`;
    /// [`FlowError::Execution`] when the device fails.
    pub fn examine(flow: &Flow, data: Option<DMatrixView<'_, f64>>) -> Result<Self, FlowError> {
        let mut health = Self::default();
        // The marginal maps are exact in double precision, and moments need not exist behind them: the chain
        // is what can be wrong.
        let chain = flow.clone().with_marginals(Marginals::default())?;
        health.round_trips(&chain)?;
        health.precision(&chain)?;
        health.monotone(&chain)?;
        health.moments(&chain)?;
        if let Some(data) = data {
            health.likelihood(flow, data)?;
        }
        Ok(health)
    }

    /// Whether every check passed.
    pub fn passed(&self) -> bool {
        self.findings.iter().all(|finding| finding.passed)
    }

    fn add(&mut self, check: Check, passed: bool, text: String) {
        self.findings.push(Finding { check, passed, text });
    }

    fn round_trips(&mut self, flow: &Flow) -> Result<(), FlowError> {
        for radius in RADII {
            let u = sphere(flow.features(), radius);
            let decoded = flow.decode(u.as_view())?;
            let finite = |x: &DMatrix<f64>| x.iter().all(|v| v.is_finite());
            if !finite(&decoded.points) || decoded.ln_det.iter().any(|v| !v.is_finite()) {
                let text = format!("decoding overflows for points at {radius} standard deviations");
                self.add(Check::Tails, false, text);
                continue;
            }
            let back = flow.encode(decoded.points.as_view())?;
            let point = largest(&(&back.points - &u));
            let ln_det = largest(&(&back.ln_det + &decoded.ln_det));
            self.add(
                Check::RoundTrip,
                point <= ROUND_TRIP && ln_det <= LN_WEIGHT,
                format!(
                    "at {radius} standard deviations, decoding and encoding returns points within \
                     {point:.1e} and log-determinants within {ln_det:.1e}"
                ),
            );
        }
        Ok(())
    }

    fn precision(&mut self, flow: &Flow) -> Result<(), FlowError> {
        // No double precision on GPUs.
        if flow.precision() == Precision::F64 || DEVICES.first() == Some(&"wgpu") {
            return Ok(());
        }
        let double = Flow::from_state_dict(
            flow.config(),
            flow.standardise().clone(),
            flow.state_dict()?,
            Precision::F64,
            &default_device(),
        )?;
        let x = double.decode(sphere(flow.features(), 4.0).as_view())?.points;
        if x.iter().any(|v| !v.is_finite()) {
            let text =
                "in double precision, decoding overflows for points at 4 standard deviations";
            self.add(Check::Precision, false, text.to_owned());
            return Ok(());
        }
        let worst = largest(&(flow.ln_pdf(x.as_view())? - double.ln_pdf(x.as_view())?));
        self.add(
            Check::Precision,
            worst <= LN_WEIGHT,
            format!(
                "at 4 standard deviations, log-densities are within {worst:.1e} of double precision"
            ),
        );
        Ok(())
    }

    /// In a spline layer, output `j` increases with input `j` while the other inputs are fixed.
    fn monotone(&mut self, flow: &Flow) -> Result<(), FlowError> {
        let d = flow.features();
        let bound = 1.5 * flow.config().tail_bound();
        let steps = 64;
        let others = sphere(d, (d as f64).sqrt());
        let (mut failed, mut pairs) = (0, 0);
        let device = flow.evaluator.device();
        for k in flow.chain().spline_layers() {
            for j in 0..d {
                let mut rows = Vec::new();
                for start in others.column_iter().take(8) {
                    for i in 0..=steps {
                        let mut row: Vec<f64> = start.iter().copied().collect();
                        row[j] = bound * (2.0 * f64::from(i) / f64::from(steps) - 1.0);
                        rows.extend(row);
                    }
                }
                let shape = [rows.len() / d, d];
                let options = TensorCreationOptions::new(device.clone()).with_dtype(
                    if flow.precision() == Precision::F64 { DType::F64 } else { DType::F32 },
                );
                let x = Tensor::from_data(TensorData::new(rows, shape), options);
                let chain = flow.chain();
                let layer = chain.layer(k).expect("a layer of this chain");
                let y = to_host(layer.encode(x).0)?;
                for line in y.chunks(d * (steps as usize + 1)) {
                    let values: Vec<f64> = line.iter().skip(j).step_by(d).copied().collect();
                    pairs += values.len() - 1;
                    // NaN counts as no increase.
                    failed += values
                        .windows(2)
                        .filter(|w| {
                            !matches!(w[0].partial_cmp(&w[1]), Some(std::cmp::Ordering::Less))
                        })
                        .count();
                }
            }
        }
        let text = format!("{failed} of {pairs} steps along the splines do not increase");
        self.add(Check::Monotone, failed == 0, text);
        Ok(())
    }

    fn moments(&mut self, flow: &Flow) -> Result<(), FlowError> {
        // Before the marginal maps, where all features of the data have mean 0 and standard deviation 1: a few draws
        // from a heavy tail decide about the moments behind them.
        let before = flow.clone().with_marginals(Marginals::default())?;
        let x_std = before.standardised().sample(DRAWS, 0)?;
        let n = DRAWS as f64;
        let (mut means, mut sds) = (Vec::new(), Vec::new());
        for row in x_std.row_iter() {
            let m = row.sum() / n;
            let s = (row.iter().map(|v| (v - m).powi(2)).sum::<f64>() / (n - 1.0)).sqrt();
            means.push(m);
            sds.push(s - 1.0);
        }
        let (mean, sd) = (largest(&means), largest(&sds));
        self.add(
            Check::Moments,
            mean <= MOMENTS && sd <= MOMENTS,
            format!(
                "means of draws are within {mean:.3} standard deviations of those of the data, \
                 standard deviations within {:.1} %",
                100.0 * sd
            ),
        );
        Ok(())
    }

    fn likelihood(&mut self, flow: &Flow, data: DMatrixView<'_, f64>) -> Result<(), FlowError> {
        if data.nrows() != flow.features() {
            return Err(FlowError::Features { expected: flow.features(), actual: data.nrows() });
        }
        let x_std = flow.standardise().apply(data);
        let values = flow.standardised().ln_pdf(x_std.as_view())?;
        let gaussian: Vec<f64> = x_std
            .column_iter()
            .map(|x| -0.5 * (x.norm_squared() + flow.features() as f64 * LN_2PI))
            .collect();
        let [(mean, error), (gaussian_mean, _), (gain, gain_error)] = [
            mean_with_error(values.iter().copied()),
            mean_with_error(gaussian.iter().copied()),
            mean_with_error(values.iter().zip(&gaussian).map(|(value, gaussian)| value - gaussian)),
        ];
        self.add(
            Check::Likelihood,
            // On normal data both are equal but for sampling. NaN fails.
            gain > -2.0 * gain_error,
            format!(
                "mean log-likelihood {mean:.4} ± {error:.4} in standardised units; \
                 {gaussian_mean:.4} for independent normal features"
            ),
        );
        Ok(())
    }
}

/// The mean of values and its standard error.
fn mean_with_error(values: impl ExactSizeIterator<Item = f64> + Clone) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.clone().sum::<f64>() / n;
    let squares: f64 = values.map(|v| (v - mean).powi(2)).sum();
    (mean, (squares / (n * (n - 1.0).max(1.0))).sqrt())
}

impl fmt::Display for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for finding in &self.findings {
            writeln!(f, "{} {}", if finding.passed { "ok  " } else { "FAIL" }, finding.text)?;
        }
        Ok(())
    }
}

/// The largest absolute value; NaN if one is NaN, so that it passes no check.
fn largest<'a>(values: impl IntoIterator<Item = &'a f64>) -> f64 {
    let larger = |most: f64, v: &f64| {
        if most.is_nan() || v.is_nan() { f64::NAN } else { most.max(v.abs()) }
    };
    values.into_iter().fold(0.0, larger)
}

/// Points in random directions at distance `radius` from the origin, `[d, POINTS]`.
fn sphere(d: usize, radius: f64) -> DMatrix<f64> {
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    let mut u = DMatrix::from_fn(d, POINTS, |_, _| StandardNormal.sample(&mut rng));
    for mut column in u.column_iter_mut() {
        let norm = column.norm();
        column *= radius / norm;
    }
    u
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nan_is_larger_than_everything() {
        assert!((largest(&[1.0, -3.0, 2.0]) - 3.0).abs() < 1e-15);
        for at in 0..3 {
            let mut values = [1.0, -3.0, 2.0];
            values[at] = f64::NAN;
            assert!(largest(&values).is_nan());
        }
        assert!(largest(&DMatrix::from_element(1, 2, f64::NEG_INFINITY)).is_infinite());
    }
}
