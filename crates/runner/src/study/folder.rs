//! The files of a study.

use std::path::{Path, PathBuf};

use crate::output::outputs::Outputs;

/// The folder of a study.
#[derive(Clone, Debug)]
pub(crate) struct StudyFolder(pub(crate) PathBuf);

impl StudyFolder {
    /// The record.
    pub(crate) fn record(&self) -> PathBuf {
        self.0.join("study.json")
    }

    /// The rows.
    pub(crate) fn rows(&self) -> PathBuf {
        self.0.join("rows.safetensors")
    }

    /// The flow of the tilted outcomes.
    pub(crate) fn flow(&self) -> PathBuf {
        self.0.join("flow.safetensors")
    }

    /// The checkpoint of its training.
    pub(crate) fn checkpoint(&self) -> PathBuf {
        self.0.join("flow.safetensors.ckpt")
    }

    /// The evaluations of the model.
    pub(crate) fn store(&self) -> PathBuf {
        self.0.join("store")
    }

    /// All of these files.
    pub(crate) fn files(&self) -> [PathBuf; 3] {
        [self.record(), self.rows(), self.flow()]
    }

    /// Claims the files of the study, none of which may be one of the `inputs`.
    ///
    /// # Errors
    /// As [`Outputs::claim`].
    pub(crate) fn claim(&self, inputs: &[&Path]) -> anyhow::Result<Outputs> {
        let files = self.files();
        Outputs::claim(inputs, &files.each_ref().map(PathBuf::as_path), &[&self.checkpoint()])
    }

    /// The folder, for messages.
    pub(crate) fn shown(&self) -> std::path::Display<'_> {
        Path::display(&self.0)
    }
}
