//! What the estimates are held to: failures and their share among simulated outcomes that the flow has
//! not seen, with the failure regions and the moments they belong to.
//!
//! A reference is made once, from many simulations, and kept in a file: race cars take a core second
//! for every eighty runs.

use std::{collections::HashMap, path::Path};

use anyhow::Context;
use flow_core::Flow;
use latent_is::{LimitState, latent::enclose};
use mvee::Mvee;
use nalgebra::DMatrix;
use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use serde::{Deserialize, Serialize};

use crate::{files::replace, reproduce::Probability};

const FORMAT: &str = "latent-is reference";
const VERSION: &str = "1";
/// Failures kept, at most.
const FAILURES: usize = 10_000;
/// Outcomes kept for likelihoods and pictures.
const OUTCOMES: usize = 5_000;
/// Two sets of moments are the same when they agree to this, relative to the standard deviations.
const SAME: f64 = 1e-9;

/// Simulated failures and their share.
#[derive(Clone, Debug, PartialEq)]
pub struct Reference {
    /// Points around which the failure ellipsoids are laid, one set a region, standardised, `[d, n]`.
    pub regions: Vec<DMatrix<f64>>,
    /// Failing outcomes, standardised, `[d, n]`.
    pub failures: DMatrix<f64>,
    /// Some outcomes, raw, `[d, n]`.
    pub outcomes: DMatrix<f64>,
    /// How many there were.
    pub facts: Facts,
}

/// How a reference came to be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Facts {
    /// Name of the system.
    pub system: String,
    /// Simulated outcomes.
    pub runs: usize,
    /// Failing ones among them.
    pub failing: usize,
    /// Seed of the simulations.
    pub seed: u64,
    /// Moments the outcomes are standardised with, those of the flow.
    pub mean: Vec<f64>,
    /// See `mean`.
    pub sd: Vec<f64>,
    /// Command and commit.
    pub provenance: HashMap<String, String>,
}

impl Reference {
    /// Counts the failures among outcomes `x`, `[d, n]` raw, that `flow` was not trained on.
    ///
    /// # Errors
    /// When the regions cannot be enclosed.
    pub fn count(
        flow: &Flow,
        regions: Vec<DMatrix<f64>>,
        x: &DMatrix<f64>,
        system: &str,
        seed: u64,
        provenance: HashMap<String, String>,
    ) -> anyhow::Result<Self> {
        let failure = enclose(&regions, &Mvee::builder().build()?)?;
        let z = flow.standardise().apply(x.as_view());
        let g = failure.evaluate(z.as_view())?;
        let failing: Vec<usize> = (0..z.ncols()).filter(|&j| g[j] <= 0.0).collect();
        let facts = Facts {
            system: system.to_owned(),
            runs: x.ncols(),
            failing: failing.len(),
            seed,
            mean: flow.standardise().mean().to_vec(),
            sd: flow.standardise().sd().to_vec(),
            provenance,
        };
        let failures = z.select_columns(failing.iter().take(FAILURES));
        let outcomes = x.columns(0, OUTCOMES.min(x.ncols())).into();
        Ok(Self { regions, failures, outcomes, facts })
    }

    /// The failure probability by simulation.
    pub fn probability(&self) -> Probability {
        Probability::counted(self.facts.failing, self.facts.runs)
    }

    /// Refuses a flow with other moments: its standardised units are others.
    ///
    /// # Errors
    /// When a mean or standard deviation differs.
    pub fn check(&self, flow: &Flow) -> anyhow::Result<()> {
        let (mean, sd) = (flow.standardise().mean(), flow.standardise().sd());
        let same = |a: &[f64], b: &[f64]| {
            a.len() == b.len()
                && a.iter().zip(b).zip(sd).all(|((a, b), s)| (a - b).abs() <= SAME * s)
        };
        anyhow::ensure!(
            same(mean, &self.facts.mean) && same(sd, &self.facts.sd),
            "the reference of `{}` belongs to a flow with other moments; with `--from-scratch` both \
             are made anew",
            self.facts.system
        );
        Ok(())
    }

    /// Writes the file under a temporary name and renames it.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn save(&self, path: &Path) -> anyhow::Result<()> {
        let bytes =
            |x: &DMatrix<f64>| -> Vec<u8> { x.iter().flat_map(|v| v.to_le_bytes()).collect() };
        let mut stored = vec![
            ("failures".to_owned(), self.failures.shape(), bytes(&self.failures)),
            ("outcomes".to_owned(), self.outcomes.shape(), bytes(&self.outcomes)),
        ];
        for (k, region) in self.regions.iter().enumerate() {
            stored.push((format!("region.{k}"), region.shape(), bytes(region)));
        }
        let tensors = stored
            .iter()
            // A column-major [d, n] matrix is a row-major [n, d] tensor.
            .map(|(name, (d, n), data)| {
                Ok((name, TensorView::new(Dtype::F64, vec![*n, *d], data)?))
            })
            .collect::<anyhow::Result<Vec<_>>>()?;
        let meta = HashMap::from([
            ("format".to_owned(), FORMAT.to_owned()),
            ("version".to_owned(), VERSION.to_owned()),
            ("facts".to_owned(), serde_json::to_string(&self.facts)?),
        ]);
        let bytes = safetensors::serialize(tensors, Some(meta))?;
        replace(path, |file| Ok(std::io::Write::write_all(file, &bytes)?))
            .with_context(|| format!("cannot write {}", path.display()))
    }

    /// Reads a reference from the bytes of a file; `origin` names it in messages.
    ///
    /// # Errors
    /// When the bytes are truncated, foreign or of another version.
    pub fn from_bytes(bytes: &[u8], origin: &str) -> anyhow::Result<Self> {
        let broken = || format!("{origin} is truncated or no reference");
        let (_, header) = SafeTensors::read_metadata(bytes).with_context(broken)?;
        let meta = header.metadata().clone().unwrap_or_default();
        anyhow::ensure!(
            meta.get("format").map(String::as_str) == Some(FORMAT),
            "{origin} is no reference written by this program"
        );
        let version = meta.get("version").map_or("none", String::as_str);
        anyhow::ensure!(
            version == VERSION,
            "{origin} has format version {version}, this program reads version {VERSION}"
        );
        let facts = meta.get("facts").map_or("", String::as_str);
        let facts = serde_json::from_str(facts).with_context(broken)?;
        let file = SafeTensors::deserialize(bytes).with_context(broken)?;
        let matrix = |name: &str| -> anyhow::Result<DMatrix<f64>> {
            let view = file.tensor(name).with_context(broken)?;
            let [n, d] = view.shape() else { anyhow::bail!("{origin}: `{name}` is no matrix") };
            let numbers = view.data().as_chunks::<8>().0.iter().map(|b| f64::from_le_bytes(*b));
            anyhow::ensure!(view.dtype() == Dtype::F64, "{origin}: `{name}` is not in f64");
            Ok(DMatrix::from_iterator(*d, *n, numbers))
        };
        let regions = (0..)
            .map(|k| format!("region.{k}"))
            .take_while(|name| file.tensor(name).is_ok())
            .map(|name| matrix(&name))
            .collect::<anyhow::Result<_>>()?;
        Ok(Self { regions, failures: matrix("failures")?, outcomes: matrix("outcomes")?, facts })
    }
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
        let z =
            DMatrix::from_fn(2, 100, |i, j| 0.5 * (if i == 0 { j % 10 } else { j / 10 }) as f64);
        let x = flow.standardise().undo(z.as_view());
        let facts = HashMap::from([("command".to_owned(), "test".to_owned())]);
        let reference = Reference::count(&flow, vec![circle], &x, "grid", 3, facts).unwrap();
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
