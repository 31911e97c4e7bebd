//! The flow of an estimate: from a file, or the shipped flow of a system.

use std::path::Path;

use flow_core::{Device, FlowFile};

use crate::{
    commands::features::{feature_names, refuse_tilted},
    estimation::method::Space,
    systems::system::System,
};

/// A flow with the names of its features and its origin.
pub(super) struct FlowSource {
    /// The flow.
    pub(super) file: FlowFile,
    /// Names of the features, `[d]`.
    pub(super) names: Vec<String>,
    /// Where the flow comes from, for messages.
    pub(super) origin: String,
}

impl FlowSource {
    /// Loads the flow at `path` or, without a path, the shipped flow of `system`.
    ///
    /// # Errors
    /// When the file cannot be read or there is no such system.
    pub(super) fn load(
        path: Option<&Path>,
        system: Option<&str>,
        device: &Device,
    ) -> anyhow::Result<Self> {
        if let Some(path) = path {
            let file = FlowFile::load(path, device)?;
            refuse_tilted(&file, path)?;
            return Ok(Self {
                names: feature_names(&file),
                file,
                origin: path.display().to_string(),
            });
        }
        let system = System::by_name(system.unwrap_or_default())?;
        Ok(Self {
            file: system.shipped_flow(device)?,
            names: system.feature_names(),
            origin: format!("shipped flow of {}", system.name),
        })
    }

    /// Refuses a space in which outcomes of the flow have no density.
    ///
    /// # Errors
    /// For target space, when a feature has point masses or is whole numbers.
    pub(super) fn suits(&self, space: Space) -> anyhow::Result<()> {
        anyhow::ensure!(
            space == Space::Latent || self.file.flow.has_density(),
            "features of {} have point masses or are whole numbers, so outcomes have no density: --space target \
             would not see them; use --space latent",
            self.origin
        );
        Ok(())
    }
}
