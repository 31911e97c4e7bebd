//! The rows behind a certified estimate: a weighted sample of the outcomes of the model.

use std::path::Path;

use anyhow::Context;
use latent_is::{
    Estimate, LimitState, Reason, Verdict, certified::CertifiedSample, verdict::Status,
};
use nalgebra::{DMatrix, DVector};
use serde::{Deserialize, Serialize};

use crate::{
    criterion::FailureCriterion,
    output::tensors::{self, FileKind, Tensors},
};

const FILE: FileKind =
    FileKind { format: "latent-is rows of a study", version: "1", kind: "file of rows" };
/// The lower half of a seed: a matrix holds numbers of 53 bits.
const LOWER: u64 = 0xffff_ffff;

/// The rows.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct StudyRows {
    /// Names of inputs and outputs.
    pub(crate) names: RowNames,
    /// Inputs, `[m, n]`, in their units.
    pub(crate) inputs: DMatrix<f64>,
    /// Seeds, `[n]`.
    pub(crate) seeds: Vec<u64>,
    /// Outcomes, `[d, n]`, in their units; NaN where there is none.
    pub(crate) outputs: DMatrix<f64>,
    /// Weights and groups.
    pub(crate) sample: CertifiedSample,
    /// Effective number of independent draws behind the chains that found the failures.
    pub(crate) families: f64,
}

/// Names of the columns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct RowNames {
    /// The inputs, `[m]`.
    pub(crate) inputs: Vec<String>,
    /// The outputs, `[d]`.
    pub(crate) outputs: Vec<String>,
}

/// What the file says beside its matrices.
#[derive(Serialize, Deserialize)]
struct Facts {
    names: RowNames,
    families: f64,
}

impl StudyRows {
    /// Number of rows.
    pub(crate) fn len(&self) -> usize {
        self.outputs.ncols()
    }

    /// Values of all modes of `criterion` at the rows, `[k, n]`.
    ///
    /// # Errors
    /// When the criterion cannot be evaluated.
    pub(crate) fn modes(&self, criterion: &FailureCriterion) -> anyhow::Result<DMatrix<f64>> {
        Ok(criterion.evaluate_modes(self.outputs.as_view())?)
    }

    /// The probability of `criterion` from the rows, without a run of the model, and the verdict on it. The points of its
    /// sample are outcomes. It is certified only if each region of the criterion is: the rows of one say nothing about
    /// another, for which nobody searched.
    ///
    /// # Errors
    /// When the criterion cannot be evaluated.
    pub(crate) fn estimate(
        &self,
        criterion: &FailureCriterion,
    ) -> anyhow::Result<(Estimate, Verdict)> {
        let g = criterion.evaluate(self.outputs.as_view())?;
        let estimate = self.sample.estimate(self.outputs.as_view(), g.as_slice(), self.families)?;
        let mut verdict = estimate.verdict();
        let points = DMatrix::zeros(1, self.len());
        for mode in self.modes(criterion)?.row_iter() {
            let g: Vec<f64> = mode.iter().copied().collect();
            let own = self.sample.estimate(points.as_view(), &g, self.families)?;
            if own.verdict().status != Status::Converged && verdict.status == Status::Converged {
                let (ess, share) = (own.weights.ess, own.weights.max_share);
                verdict = verdict.with(Reason::NotCertified { ess, share });
            }
        }
        Ok((estimate, verdict))
    }

    /// Upper end of a 95 % interval for the probability of everything that no nominal row came near.
    pub(crate) fn unseen(&self) -> f64 {
        let nominal = self.sample.groups().iter().filter(|group| **group == 0).count();
        (20_f64.ln() / nominal.max(1) as f64).min(1.0)
    }

    /// Writes the file.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(crate) fn save(&self, path: &Path) -> anyhow::Result<()> {
        let n = self.len();
        let row = |value: &dyn Fn(usize) -> f64| DMatrix::from_fn(1, n, |_, j| value(j));
        let (sample, seeds) = (&self.sample, &self.seeds);
        let more = [
            ("seed_upper", row(&|j| (seeds[j] >> 32) as f64)),
            ("seed_lower", row(&|j| (seeds[j] & LOWER) as f64)),
            ("ln_weight", row(&|j| sample.ln_w()[j])),
            ("group", row(&|j| sample.groups()[j] as f64)),
        ];
        let mut matrices =
            vec![("inputs".to_owned(), &self.inputs), ("outputs".to_owned(), &self.outputs)];
        matrices.extend(more.iter().map(|(name, x)| ((*name).to_owned(), x)));
        let facts = Facts { names: self.names.clone(), families: self.families };
        tensors::write(path, FILE, &facts, &matrices)
    }

    /// Reads the file.
    ///
    /// # Errors
    /// When the file cannot be read, is damaged or is another one.
    pub(crate) fn load(path: &Path) -> anyhow::Result<Self> {
        let origin = path.display().to_string();
        let bytes = std::fs::read(path).with_context(|| format!("cannot read {origin}"))?;
        let tensors = Tensors::read(&bytes, FILE, &origin)?;
        let Facts { names, families } = tensors.facts()?;
        let (inputs, outputs) = (tensors.matrix("inputs")?, tensors.matrix("outputs")?);
        let n = outputs.ncols();
        let row = |name: &str| -> anyhow::Result<Vec<f64>> {
            let x = tensors.matrix(name)?;
            anyhow::ensure!(x.len() == n, "{origin}: `{name}` has {} numbers, not {n}", x.len());
            Ok(x.as_slice().to_vec())
        };
        let widths = [(inputs.nrows(), names.inputs.len()), (outputs.nrows(), names.outputs.len())];
        anyhow::ensure!(
            inputs.ncols() == n && widths.iter().all(|(rows, names)| rows == names),
            "{origin}: inputs, outputs and their names do not fit each other"
        );
        let (upper, lower) = (row("seed_upper")?, row("seed_lower")?);
        let seeds = upper.iter().zip(&lower).map(|(u, l)| (*u as u64) << 32 | *l as u64).collect();
        let groups = row("group")?.into_iter().map(|group| group as usize).collect();
        let sample = CertifiedSample::new(DVector::from_vec(row("ln_weight")?), groups)
            .with_context(|| origin.clone())?;
        Ok(Self { names, inputs, seeds, outputs, sample, families })
    }
}
