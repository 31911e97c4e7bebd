//! The reference for the estimates: the failures and their share among simulated outcomes that the
//! flow was not trained on, with the failure regions and the moments of the features.
//!
//! A reference is computed once, from many simulations, and kept in a file: one core simulates only
//! about eighty race cars per second.

use std::{collections::HashMap, path::Path};

use flow_core::Flow;
use latent_is::{LimitState, latent::enclose};
use mvee::Mvee;
use nalgebra::DMatrix;
use serde::{Deserialize, Serialize};

use crate::{
    output::tensors::{self, FileKind, Tensors},
    systems::probability::CountedProbability,
};

/// The file of a reference.
const FILE: FileKind = FileKind { format: "latent-is reference", version: "1", kind: "reference" };
/// Failures in the file, at most.
const FAILURES: usize = 10_000;
/// Outcomes in the file, at most, for likelihoods and figures.
const OUTCOMES: usize = 5_000;
/// Largest difference between equal moments, relative to the standard deviations.
const TOLERANCE: f64 = 1e-9;

/// Simulated failures and their share.
#[derive(Clone, Debug, PartialEq)]
pub struct Reference {
    /// The points that the failure ellipsoids enclose, one set per region, standardised, `[d, n]`.
    pub regions: Vec<DMatrix<f64>>,
    /// Failing outcomes, standardised, `[d, n]`.
    pub failures: DMatrix<f64>,
    /// Some of the outcomes, in physical units, `[d, n]`.
    pub outcomes: DMatrix<f64>,
    /// Counts, moments and provenance.
    pub facts: ReferenceFacts,
}

/// How a reference was computed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReferenceFacts {
    /// Name of the system.
    pub system: String,
    /// Number of simulated outcomes.
    pub runs: usize,
    /// Number of failures among them.
    pub failing: usize,
    /// Seed of the simulations.
    pub seed: u64,
    /// Means of the features: the moments of the flow, which standardise the outcomes.
    pub mean: Vec<f64>,
    /// Standard deviations of the features.
    pub sd: Vec<f64>,
    /// Command, simulator, version and commit.
    pub provenance: HashMap<String, String>,
}

impl Reference {
    /// Counts the failures among outcomes that `flow` was not trained on.
    ///
    /// # Shapes
    /// - `x`: `[d, n]`, in physical units
    /// - `regions`: `[d, n]` each, standardised
    ///
    /// # Errors
    /// When a region cannot be enclosed by an ellipsoid.
    pub fn count(
        flow: &Flow,
        regions: Vec<DMatrix<f64>>,
        x: &DMatrix<f64>,
        system: &str,
        seed: u64,
        provenance: HashMap<String, String>,
    ) -> anyhow::Result<Self> {
        let failure = enclose(&regions, &Mvee::builder().build()?)?;
        let x_std = flow.standardise().apply(x.as_view());
        let g = failure.evaluate(x_std.as_view())?;
        let failing: Vec<usize> = (0..x_std.ncols()).filter(|&j| g[j] <= 0.0).collect();
        let facts = ReferenceFacts {
            system: system.to_owned(),
            runs: x.ncols(),
            failing: failing.len(),
            seed,
            mean: flow.standardise().mean().to_vec(),
            sd: flow.standardise().sd().to_vec(),
            provenance,
        };
        let failures = x_std.select_columns(failing.iter().take(FAILURES));
        let outcomes = x.columns(0, OUTCOMES.min(x.ncols())).into();
        Ok(Self { regions, failures, outcomes, facts })
    }

    /// The failure probability by simulation.
    pub fn probability(&self) -> CountedProbability {
        CountedProbability::new(self.facts.failing, self.facts.runs)
    }

    /// Checks that `flow` has the moments of this reference, so that both have the same standardised
    /// units.
    ///
    /// # Errors
    /// When a mean or standard deviation differs.
    pub fn check(&self, flow: &Flow) -> anyhow::Result<()> {
        let (mean, sd) = (flow.standardise().mean(), flow.standardise().sd());
        let same = |a: &[f64], b: &[f64]| {
            a.len() == b.len()
                && a.iter().zip(b).zip(sd).all(|((a, b), s)| (a - b).abs() <= TOLERANCE * s)
        };
        anyhow::ensure!(
            same(mean, &self.facts.mean) && same(sd, &self.facts.sd),
            "the reference of `{}` belongs to a flow with other moments; `--from-scratch` computes \
             both anew",
            self.facts.system
        );
        Ok(())
    }

    /// Writes the file; an existing file is replaced as a whole.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save(&self, path: &Path) -> anyhow::Result<()> {
        let mut matrices =
            vec![("failures".to_owned(), &self.failures), ("outcomes".to_owned(), &self.outcomes)];
        for (k, region) in self.regions.iter().enumerate() {
            matrices.push((region_name(k), region));
        }
        tensors::write(path, FILE, &self.facts, &matrices)
    }

    /// Reads a reference from the bytes of a file; `origin` names it in messages.
    ///
    /// # Errors
    /// When the bytes are truncated, not a reference, or of another format version.
    pub fn from_bytes(bytes: &[u8], origin: &str) -> anyhow::Result<Self> {
        let tensors = Tensors::read(bytes, FILE, origin)?;
        let regions = (0..)
            .map(region_name)
            .take_while(|name| tensors.has(name))
            .map(|name| tensors.matrix(&name))
            .collect::<anyhow::Result<_>>()?;
        Ok(Self {
            regions,
            failures: tensors.matrix("failures")?,
            outcomes: tensors.matrix("outcomes")?,
            facts: tensors.facts()?,
        })
    }
}

/// Name of the points of region `k`.
fn region_name(k: usize) -> String {
    format!("region.{k}")
}

#[cfg(test)]
mod tests {
    use flow_core::{FlowConfig, Precision, bijection::Standardise, default_device};

    use super::*;

    fn reference() -> (Flow, Reference) {
        let moments = Standardise::new(vec![1.0, 2.0], vec![2.0, 0.5]).unwrap();
        let config = FlowConfig::builder(2).hidden(4).steps(1).build().unwrap();
        let flow = Flow::init(&config, moments, 1, Precision::F32, &default_device()).unwrap();
        // The unit circle by eight of its points, and a grid of outcomes.
        let angle = |j: usize| j as f64 * std::f64::consts::FRAC_PI_4;
        let circle =
            DMatrix::from_fn(2, 8, |i, j| if i == 0 { angle(j).cos() } else { angle(j).sin() });
        let x_std =
            DMatrix::from_fn(2, 100, |i, j| 0.5 * (if i == 0 { j % 10 } else { j / 10 }) as f64);
        let x = flow.standardise().undo(x_std.as_view());
        let provenance = HashMap::from([("command".to_owned(), "test".to_owned())]);
        let reference = Reference::count(&flow, vec![circle], &x, "grid", 3, provenance).unwrap();
        (flow, reference)
    }

    #[test]
    fn failures_are_counted_and_kept() {
        let (flow, reference) = reference();
        // (0,0), (0.5,0), (0,0.5), (0.5,0.5); (1,0) and (0,1) lie on the edge, to rounding.
        assert!((4..=6).contains(&reference.facts.failing), "{}", reference.facts.failing);
        assert_eq!(reference.failures.ncols(), reference.facts.failing);
        assert_eq!(reference.facts.runs, 100);
        reference.check(&flow).unwrap();
        let moments = Standardise::new(vec![1.0, 2.1], vec![2.0, 0.5]).unwrap();
        let other =
            Flow::init(flow.config(), moments, 1, Precision::F32, &default_device()).unwrap();
        let error = reference.check(&other).unwrap_err().to_string();
        assert!(error.contains("other moments"), "{error}");
    }

    #[test]
    fn a_file_comes_back_and_damaged_ones_are_refused() {
        let (_, reference) = reference();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("reference.safetensors");
        reference.save(&path).unwrap();
        let bytes = std::fs::read(&path).unwrap();
        assert_eq!(Reference::from_bytes(&bytes, "it").unwrap(), reference);
        for cut in [0, 20, bytes.len() - 1] {
            let error = Reference::from_bytes(&bytes[..cut], "it").unwrap_err().to_string();
            assert!(error.contains("it is truncated"), "{error}");
        }
        let text =
            String::from_utf8_lossy(&bytes).replace("latent-is reference", "latent-is referense");
        assert!(Reference::from_bytes(text.as_bytes(), "it").is_err());
        let error = reference.save(&path.join("below-a-file.safetensors")).unwrap_err().to_string();
        assert!(error.contains("cannot write"), "{error}");
    }
}
