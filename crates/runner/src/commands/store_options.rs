//! Where the evaluations of a model are kept.

use std::path::{Path, PathBuf};

use crate::{
    models::{file::ModelFile, open::OpenModel},
    output::{interrupt, terminal::print_note},
};

/// Where the evaluations of a model are kept.
#[derive(clap::Args, Clone, Debug)]
pub(super) struct StoreOptions {
    /// Keep the evaluations of the model in this folder, and evaluate nothing in it twice; without it, in
    /// NAME.store beside the model NAME.toml.
    #[arg(long, value_name = "DIR", requires = "model")]
    store: Option<PathBuf>,
    /// Evaluate stored samples again that crashed, timed out or were answered badly.
    #[arg(long, requires = "model")]
    again: bool,
}

impl StoreOptions {
    /// The evaluations in this folder.
    pub(super) fn in_folder(folder: PathBuf, again: bool) -> Self {
        Self { store: Some(folder), again }
    }

    /// Refuses the options where no model is run. `requires` does not see this where another source is given.
    ///
    /// # Errors
    /// When one is given.
    pub(super) fn refuse(&self) -> anyhow::Result<()> {
        let given = self.store.is_some() || self.again;
        anyhow::ensure!(
            !given,
            "--store and --again need --model: only evaluations of a model are kept"
        );
        Ok(())
    }

    /// Opens the model with its store and says what they are. From now on an interruption says how to go on.
    ///
    /// # Errors
    /// As [`ModelFile::open`].
    pub(super) fn open(&self, file: &ModelFile) -> anyhow::Result<OpenModel> {
        let folder = file.store_folder(self.store.as_deref());
        let model = file.open(folder.as_deref())?.again(self.again);
        if let Some(workers) = model.workers() {
            print_note!("workers: {}", workers.total);
        }
        if let Some(store) = model.store() {
            let (shown, n) = (store.folder().display(), store.len());
            print_note!("store: {n} evaluations in {shown}");
            if model.remote() && n > 0 {
                print_note!(
                    "a server that has changed since looks the same from here: name another folder with --store then"
                );
            }
            let damage = store.opened().damage.len();
            if damage > 0 {
                print_note!(
                    "{damage} damaged places in {shown} were skipped; they will be evaluated again"
                );
            }
            interrupt_with(store.folder());
        }
        Ok(model)
    }
}

fn interrupt_with(folder: &Path) {
    let folder = folder.display().to_string();
    interrupt::set_next(move || {
        format!("all finished evaluations are in {folder}; run the same command again to go on")
    });
}
