//! Whether a flow can be trusted where failures are looked for: far out.
//!
//! Importance sampling works with latent points several standard deviations from the origin, where a
//! flow has seen little data. A flow that is not its own inverse there, or whose log-determinants
//! are wrong, gives wrong weights and with them a wrong probability.

use std::fmt;

use burn::tensor::{DType, Tensor, TensorCreationOptions, TensorData};
use nalgebra::{DMatrix, DMatrixView};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use serde::{Deserialize, Serialize};

use crate::{
    DEVICES, Flow, FlowError, Precision, default_device, flow::LN_2PI, state_dict::to_host,
};

/// Distances from the origin at which directions are tried, in standard deviations.
const RADII: [f64; 4] = [2.0, 4.0, 6.0, 8.0];
/// Directions tried at each distance, and points for the other checks.
const POINTS: usize = 512;
/// Draws for the moments.
const DRAWS: usize = 20_000;
/// Largest departure from the identity after a round trip, in latent standard deviations.
const ROUND_TRIP: f64 = 0.02;
/// Largest error of a log-density; a weight would be wrong by 5 %.
const LOG_WEIGHT: f64 = 0.05;
/// Largest departure of the moments of draws from those of the training data.
const MOMENTS: f64 = 0.1;

/// What a check is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Check {
    /// `encode` undoes `decode`, and the log-determinants cancel.
    RoundTrip,
    /// Images of far points are finite.
    Tails,
    /// Single precision agrees with double.
    Precision,
    /// Every spline rises.
    Monotone,
    /// Mean and standard deviation of draws are those of the training data.
    Moments,
    /// The likelihood of data exceeds that of a Gaussian without correlations.
    Likelihood,
}

/// Outcome of one check.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// What was checked.
    pub check: Check,
    /// Whether it is as it should be.
    pub passed: bool,
    /// What was found, in one line.
    pub text: String,
}

/// Findings of all checks, one a line when printed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Health {
    /// In the order in which they were made.
    pub findings: Vec<Finding>,
}

impl Health {
    /// Examines `flow`, on `data` too if there are any.
    ///
    /// # Shapes
    /// - `data`: `[d, n]`, outcomes the flow was not trained on
    ///
    /// # Errors
    /// [`FlowError::Features`] and [`FlowError::NotFinite`] for `data` that do not fit;
    /// [`FlowError::Execution`] when the device fails.
    pub fn examine(flow: &Flow, data: Option<DMatrixView<'_, f64>>) -> Result<Self, FlowError> {
        let mut health = Self::default();
        health.round_trips(flow)?;
        health.precision(flow)?;
        health.monotone(flow)?;
        health.moments(flow)?;
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
            let there = flow.decode(u.as_view())?;
            let finite = |x: &DMatrix<f64>| x.iter().all(|v| v.is_finite());
            if !finite(&there.points) || there.ln_det.iter().any(|v| !v.is_finite()) {
                let text = format!("images of points {radius} standard deviations out overflow");
                self.add(Check::Tails, false, text);
                continue;
            }
            let back = flow.encode(there.points.as_view())?;
            let point = (&back.points - &u).amax();
            let ln_det = (&back.ln_det + &there.ln_det).amax();
            self.add(
                Check::RoundTrip,
                point <= ROUND_TRIP && ln_det <= LOG_WEIGHT,
                format!(
                    "{radius} standard deviations out, a point comes back within {point:.1e}, \
                     its log-determinant within {ln_det:.1e}"
                ),
            );
        }
        Ok(())
    }

    fn precision(&mut self, flow: &Flow) -> Result<(), FlowError> {
        // GPUs have no double precision here.
        if flow.precision() == Precision::F64 || DEVICES.first() == Some(&"wgpu") {
            return Ok(());
        }
        let double = Flow::from_state_dict(
            flow.config(),
            flow.standardize().clone(),
            flow.state_dict()?,
            Precision::F64,
            &default_device(),
        )?;
        let x = double.decode(sphere(flow.features(), 4.0).as_view())?.points;
        let worst = (flow.log_prob(x.as_view())? - double.log_prob(x.as_view())?).amax();
        self.add(
            Check::Precision,
            worst <= LOG_WEIGHT,
            format!("4 standard deviations out, log-densities are within {worst:.1e} of double precision"),
        );
        Ok(())
    }

    /// In a spline layer output `j` rises with input `j` while the other inputs stay.
    fn monotone(&mut self, flow: &Flow) -> Result<(), FlowError> {
        let d = flow.features();
        let bound = 1.5 * flow.config().tail_bound;
        let steps = 64;
        let others = sphere(d, (d as f64).sqrt());
        let (mut falls, mut pairs) = (0, 0);
        let device = flow.device();
        for k in flow.chain().spline_layers() {
            for j in 0..d {
                let mut rows = Vec::new();
                for base in others.column_iter().take(8) {
                    for i in 0..=steps {
                        let mut row: Vec<f64> = base.iter().copied().collect();
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
                let z = to_host(layer.encode(x).0)?;
                for line in z.chunks(d * (steps as usize + 1)) {
                    let values: Vec<f64> = line.iter().skip(j).step_by(d).copied().collect();
                    pairs += values.len() - 1;
                    // NaN counts as a fall.
                    falls += values
                        .windows(2)
                        .filter(|w| {
                            !matches!(w[0].partial_cmp(&w[1]), Some(std::cmp::Ordering::Less))
                        })
                        .count();
                }
            }
        }
        let text = format!("of {pairs} steps along the splines {falls} do not rise");
        self.add(Check::Monotone, falls == 0, text);
        Ok(())
    }

    fn moments(&mut self, flow: &Flow) -> Result<(), FlowError> {
        let z = flow.standardize().apply(flow.sample(DRAWS, 0)?.as_view());
        let n = DRAWS as f64;
        let (mut mean, mut sd) = (0.0_f64, 0.0_f64);
        for row in z.row_iter() {
            let m = row.sum() / n;
            let s = (row.iter().map(|v| (v - m).powi(2)).sum::<f64>() / (n - 1.0)).sqrt();
            mean = mean.max(m.abs());
            sd = sd.max((s - 1.0).abs());
        }
        self.add(
            Check::Moments,
            mean <= MOMENTS && sd <= MOMENTS,
            format!(
                "means of draws are within {mean:.3} standard deviations of the data's, \
                 standard deviations within {:.1} %",
                100.0 * sd
            ),
        );
        Ok(())
    }

    fn likelihood(&mut self, flow: &Flow, data: DMatrixView<'_, f64>) -> Result<(), FlowError> {
        let values = flow.log_prob(data)?.add_scalar(-flow.standardize().ln_det());
        let n = values.len() as f64;
        let mean = values.sum() / n;
        let error = (values.map(|v| (v - mean).powi(2)).sum() / (n * (n - 1.0))).sqrt();
        let z = flow.standardize().apply(data);
        let gaussian = -0.5 * (z.norm_squared() / n + flow.features() as f64 * LN_2PI);
        self.add(
            Check::Likelihood,
            mean > gaussian,
            format!(
                "mean log-likelihood {mean:.4} ± {error:.4} in standardised units; \
                 independent normal features have {gaussian:.4}"
            ),
        );
        Ok(())
    }
}

impl fmt::Display for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for finding in &self.findings {
            writeln!(f, "{} {}", if finding.passed { "ok  " } else { "FAIL" }, finding.text)?;
        }
        Ok(())
    }
}

/// Points at one distance from the origin in random directions, `[d, POINTS]`.
fn sphere(d: usize, radius: f64) -> DMatrix<f64> {
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    let mut u = DMatrix::from_fn(d, POINTS, |_, _| StandardNormal.sample(&mut rng));
    for mut column in u.column_iter_mut() {
        let norm = column.norm();
        column *= radius / norm;
    }
    u
}
