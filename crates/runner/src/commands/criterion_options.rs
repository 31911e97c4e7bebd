//! The failure criterion of a command.

use std::path::{Path, PathBuf};

use flow_core::bijection::Standardise;

use crate::criterion::FailureCriterion;

/// The failure criterion: a file, or one comparison.
#[derive(clap::Args, Clone, Debug)]
#[group(multiple = false)]
pub(super) struct CriterionOptions {
    /// The failure criterion in TOML: half-spaces, boxes, ellipsoids and expressions on named features, or a
    /// program.
    #[arg(long, value_name = "FILE")]
    criterion: Option<PathBuf>,
    /// The failure criterion as a comparison of named features, such as "distance - 0.3 * speed^2 >= 75".
    #[arg(long, value_name = "EXPRESSION", allow_hyphen_values = true)]
    fails_if: Option<String>,
}

impl CriterionOptions {
    /// The file, if there is one.
    pub(super) fn file(&self) -> Option<&Path> {
        self.criterion.as_deref()
    }

    /// Refuses to do without a criterion.
    ///
    /// # Errors
    /// When there is none.
    pub(super) fn required(&self) -> anyhow::Result<()> {
        anyhow::ensure!(
            self.criterion.is_some() || self.fails_if.is_some(),
            "say which outcomes are failures: with --criterion FILE, or with --fails-if, as in --fails-if \
             \"distance >= 75\""
        );
        Ok(())
    }

    /// The criterion on the features `names`, with the moments of the training data; `None` without one.
    ///
    /// # Errors
    /// As [`FailureCriterion::read`].
    pub(super) fn read(
        &self,
        names: &[String],
        moments: &Standardise,
    ) -> anyhow::Result<Option<FailureCriterion>> {
        match (&self.criterion, &self.fails_if) {
            (Some(path), _) => FailureCriterion::read(path, names, moments).map(Some),
            (None, Some(text)) => FailureCriterion::compare(text, names, moments).map(Some),
            (None, None) => Ok(None),
        }
    }

    /// The criterion on the outputs `names` of a model; `None` without one.
    ///
    /// # Errors
    /// As [`FailureCriterion::read_for_model`].
    pub(super) fn read_for_model(
        &self,
        names: &[String],
    ) -> anyhow::Result<Option<FailureCriterion>> {
        match (&self.criterion, &self.fails_if) {
            (Some(path), _) => FailureCriterion::read_for_model(path, names).map(Some),
            (None, Some(text)) => FailureCriterion::compare_for_model(text, names).map(Some),
            (None, None) => Ok(None),
        }
    }
}
