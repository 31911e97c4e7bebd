//! Failure criteria from files: half-spaces, boxes, ellipsoids and expressions on named features, and
//! combinations of them. A criterion is the union of its regions.
//!
//! ```toml
//! units = "physical"            # or "standardised", with the moments of the flow
//!
//! [[half_space]]                # 1.0 h - 0.2 v <= 50
//! features = { h = 1.0, v = -0.2 }
//! at_most = 50.0
//!
//! [[box]]                       # all of these bounds together
//! features = { theta = [0.3, inf], q = [-0.1, 0.1] }
//!
//! [[ellipsoid]]                 # the smallest ellipsoid around these points
//! features = ["x", "y"]
//! points = [[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]
//!
//! [[expression]]                # with + - * / ^, functions and pi
//! fails_if = "h - 0.3 * v^2 >= 75"
//!
//! [[intersection]]              # the outcomes in all of the regions that follow
//! [[intersection.half_space]]
//! features = { h = 1.0 }
//! at_most = 10.0
//! [[intersection.half_space]]
//! features = { v = 1.0, h = 2.0 }
//! at_least = 90.0
//!
//! [program]                     # alone in its file: a program that gives `g`, at most 0 for a failure
//! command = ["python3", "judge.py"]
//! ```
//!
//! In the same way, `[[outside]]` is the outcomes in none of its regions, and `[[k_out_of_n]]` those in at
//! least `k` of them. Combinations may be combined.

mod expression;
mod file;
mod program;
mod reader;
mod region;

use std::path::Path;

use anyhow::Context;
use flow_core::bijection::Standardise;
use latent_is::{EvalError, Judge, Judgement, LimitState};
use nalgebra::{DMatrix, DMatrixView, DVector, DVectorView};

use crate::{
    criterion::{
        expression::Expression,
        file::{CriterionUnits, Group},
        program::ProgramJudge,
        reader::RegionReader,
        region::{Region, Scaled},
    },
    output::toml_error::toml_error,
};

/// A union of failure regions, or a program, as a limit state on standardised features: an outcome fails if it
/// lies in at least one region.
#[derive(Clone, Debug)]
pub struct FailureCriterion {
    dim: usize,
    rule: Rule,
    text: String,
}

/// What decides.
#[derive(Clone, Debug)]
enum Rule {
    Regions(Region),
    /// A program on features in their units.
    Program(ProgramJudge, Standardise),
}

impl FailureCriterion {
    /// Reads a criterion on the features `names`, `[d]`, with the moments of the training data.
    ///
    /// # Errors
    /// When the file cannot be read, and as [`parse`](Self::parse).
    pub fn read(path: &Path, names: &[String], moments: &Standardise) -> anyhow::Result<Self> {
        let origin = path.display().to_string();
        let text =
            std::fs::read_to_string(path).with_context(|| format!("cannot read {origin}"))?;
        Self::parse(text, &origin, names, moments)
    }

    /// Reads a criterion from text; `origin` names the file in messages.
    ///
    /// # Errors
    /// Names the line of invalid TOML, of an unknown key, of a feature that does not exist, of a
    /// region that is empty or has no bounds, and of points that no ellipsoid encloses.
    pub fn parse(
        text: impl Into<String>,
        origin: &str,
        names: &[String],
        moments: &Standardise,
    ) -> anyhow::Result<Self> {
        let text = text.into();
        let file: Group = toml::from_str(&text).map_err(|error| invalid(&error, &text, origin))?;
        Self::of_group(&file, text, origin, names, moments)
    }

    /// Reads a criterion on the outputs `names`, `[d]`, of a model, in their units. There are no training
    /// data, so nothing is standardised: the limit state is on the outputs themselves.
    ///
    /// # Errors
    /// As [`read`](Self::read), and when the file is in standardised units.
    pub fn read_for_model(path: &Path, names: &[String]) -> anyhow::Result<Self> {
        let origin = path.display().to_string();
        let text =
            std::fs::read_to_string(path).with_context(|| format!("cannot read {origin}"))?;
        Self::parse_for_model(text, &origin, names)
    }

    /// The same from text; `origin` names the file in messages.
    ///
    /// # Errors
    /// As [`parse`](Self::parse), and when the text is in standardised units.
    pub fn parse_for_model(
        text: impl Into<String>,
        origin: &str,
        names: &[String],
    ) -> anyhow::Result<Self> {
        let text = text.into();
        let file: Group = toml::from_str(&text).map_err(|error| invalid(&error, &text, origin))?;
        if let Some(units) = &file.units
            && *units.get_ref() == CriterionUnits::Standardised
        {
            let line = text.get(..units.span().start).unwrap_or_default().matches('\n').count() + 1;
            anyhow::bail!(
                "{origin}, line {line}: standardised units need the moments of a flow, and a model has none; \
                 write all numbers in the units of its outputs"
            );
        }
        Self::of_group(&file, text, origin, names, &unscaled(names)?)
    }

    fn of_group(
        file: &Group,
        text: String,
        origin: &str,
        names: &[String],
        moments: &Standardise,
    ) -> anyhow::Result<Self> {
        let units = file.units.as_ref().map(|units| *units.get_ref()).unwrap_or_default();
        let reader = RegionReader { text: &text, origin, names, moments, units };
        let dim = names.len();
        reader.refuse_k(file)?;
        let regions = reader.regions(file)?;
        if let Some(program) = &file.program {
            let judge = reader.program(program, !regions.is_empty() || file.units.is_some())?;
            return Ok(Self { dim, rule: Rule::Program(judge, moments.clone()), text });
        }
        anyhow::ensure!(
            !regions.is_empty(),
            "{origin} defines no region; write an [[expression]], a [[half_space]], a [[box]] or an [[ellipsoid]]"
        );
        Ok(Self { dim, rule: Rule::Regions(Region::KOutOfN(1, regions)), text })
    }

    /// The criterion that `comparison` holds, such as `distance - 0.3 * speed^2 >= 75`, on the features `names`,
    /// `[d]`, in their units.
    ///
    /// # Errors
    /// Says what is wrong with the comparison and at which character.
    pub fn compare(
        comparison: &str,
        names: &[String],
        moments: &Standardise,
    ) -> anyhow::Result<Self> {
        let expression = Expression::parse(comparison, names)
            .map_err(|message| anyhow::anyhow!("`{comparison}`: {message}"))?;
        let scaled = Scaled::new(expression, moments.mean().to_vec(), moments.sd().to_vec());
        let text =
            format!("[[expression]]\nfails_if = {}\n", toml::Value::String(comparison.to_owned()));
        let rule = Rule::Regions(Region::Expression(Box::new(scaled)));
        Ok(Self { dim: names.len(), rule, text })
    }

    /// The same on the outputs of a model, see [`read_for_model`](Self::read_for_model).
    ///
    /// # Errors
    /// As [`compare`](Self::compare).
    pub fn compare_for_model(comparison: &str, names: &[String]) -> anyhow::Result<Self> {
        Self::compare(comparison, names, &unscaled(names)?)
    }

    /// Outcomes so far that the program of the criterion did not judge, and what the first of them said.
    pub fn missing(&self) -> (u64, Option<String>) {
        match &self.rule {
            Rule::Regions(_) => (0, None),
            Rule::Program(judge, _) => judge.missing(),
        }
    }

    /// The regions of which the criterion is the union; none where it is not one.
    fn union(&self) -> &[Region] {
        match &self.rule {
            Rule::Regions(Region::KOutOfN(1, regions)) => regions,
            _ => &[],
        }
    }

    /// The text of the file.
    pub fn text(&self) -> &str {
        &self.text
    }
}

/// Moments that leave the outputs of a model in their units.
fn unscaled(names: &[String]) -> anyhow::Result<Standardise> {
    Ok(Standardise::new(vec![0.0; names.len()], vec![1.0; names.len()])?)
}

/// The error of a text that is not a criterion; see [`toml_error`].
fn invalid(error: &toml::de::Error, text: &str, origin: &str) -> anyhow::Error {
    // `a.b` without quotes is the entry `b` of a table `a`.
    let mend = if error.message().contains("invalid type: map") {
        "; write a feature whose name has a dot in quotes, for example \"a.b\""
    } else {
        ""
    };
    toml_error(error, text, &format!("criterion {origin}"), mend)
}

impl LimitState for FailureCriterion {
    fn dim(&self) -> usize {
        self.dim
    }

    fn evaluate(&self, x_std: DMatrixView<'_, f64>) -> Result<DVector<f64>, EvalError> {
        let values = self.judge(x_std)?.into_iter().map(|value| value.unwrap_or(f64::NAN));
        Ok(DVector::from_iterator(x_std.ncols(), values))
    }

    fn modes(&self) -> usize {
        Judge::modes(self)
    }

    fn evaluate_modes(&self, x_std: DMatrixView<'_, f64>) -> Result<DMatrix<f64>, EvalError> {
        let k = Judge::modes(self);
        let values = self.judge_modes(x_std)?.into_iter();
        let values: Vec<f64> =
            values.flat_map(|value| value.unwrap_or_else(|_| vec![f64::NAN; k])).collect();
        Ok(DMatrix::from_vec(k, x_std.ncols(), values))
    }
}

impl Judge for FailureCriterion {
    fn judge(&self, x_std: DMatrixView<'_, f64>) -> Result<Vec<Judgement>, EvalError> {
        match &self.rule {
            // A comparison with NaN is false, so that it would be safe for some regions and fail for others.
            Rule::Regions(region) => Ok(x_std
                .column_iter()
                .map(|x| {
                    let nan = x.iter().any(|v| v.is_nan());
                    Ok(if nan { f64::NAN } else { region.distance(x.as_slice()) })
                })
                .collect()),
            Rule::Program(judge, moments) => judge.judge(moments.undo(x_std).as_view()),
        }
    }

    fn modes(&self) -> usize {
        self.union().len().max(1)
    }

    fn judge_modes(
        &self,
        x_std: DMatrixView<'_, f64>,
    ) -> Result<Vec<Judgement<Vec<f64>>>, EvalError> {
        let regions = self.union();
        if regions.is_empty() {
            let values = self.judge(x_std)?;
            return Ok(values.into_iter().map(|value| value.map(|value| vec![value])).collect());
        }
        let distances = |x: DVectorView<'_, f64>| {
            let nan = x.iter().any(|v| v.is_nan());
            regions
                .iter()
                .map(|region| if nan { f64::NAN } else { region.distance(x.as_slice()) })
                .collect()
        };
        Ok(x_std.column_iter().map(|x| Ok(distances(x))).collect())
    }
}

#[cfg(test)]
mod tests;
