//! A model that is open, with its store.

use std::{path::Path, sync::Arc};

use anyhow::Context;
use inputs::Inputs;
use nalgebra::DMatrixView;
use programs::Workers;
use sim_core::{Evaluations, FailureKind, Feature, Model, ModelError, Trajectory};
use store::{Identity, Memo, Store, StoreError};

use crate::{models::source::Source, output::progress::TaskProgress};

/// Failures that may have another cause than the sample.
const ACCIDENTS: [FailureKind; 3] =
    [FailureKind::Crashed, FailureKind::TimedOut, FailureKind::BadAnswer];

/// A model that is open. With a store it evaluates nothing twice.
pub struct OpenModel(Inner);

enum Inner {
    Plain(Box<Source>),
    Stored(Box<Memo<Source>>),
}

impl OpenModel {
    /// `source` with a store in the folder `store`, if one is given; `settings` as in
    /// [`Identity::settings`].
    ///
    /// # Errors
    /// When the store cannot be opened or holds evaluations of another model.
    pub(super) fn new(
        source: Source,
        store: Option<&Path>,
        settings: String,
    ) -> anyhow::Result<Self> {
        let Some(folder) = store else { return Ok(Self(Inner::Plain(Box::new(source)))) };
        let store = Store::open(folder, &Identity::of(&source, settings)).map_err(|error| {
            let changed = matches!(error, StoreError::OtherModel { .. });
            let error = anyhow::Error::new(error);
            if changed {
                error.context(
                    "the model is not the one whose evaluations are stored (a changed program counts as another \
                     model); keep both with --store DIR",
                )
            } else {
                error
            }
        })?;
        Ok(Self(Inner::Stored(Box::new(Memo::each(source, store)))))
    }

    /// Evaluates stored samples again that crashed, timed out or were answered badly.
    #[must_use]
    pub fn again(self, again: bool) -> Self {
        match self.0 {
            Inner::Stored(memo) if again => Self(Inner::Stored(Box::new(memo.again(&ACCIDENTS)))),
            inner => Self(inner),
        }
    }

    /// Reports each finished sample to `progress` from now on.
    pub fn watch(&self, progress: &Arc<TaskProgress>) {
        self.source().watch(Arc::clone(progress));
    }

    /// The workers at this moment; none of a built-in system.
    pub fn workers(&self) -> Option<Workers> {
        self.source().workers()
    }

    /// The store.
    pub fn store(&self) -> Option<&Store> {
        match &self.0 {
            Inner::Plain(_) => None,
            Inner::Stored(memo) => Some(memo.store()),
        }
    }

    /// Whether the model is a server elsewhere, of which a change does not show.
    pub fn remote(&self) -> bool {
        self.source().remote()
    }

    /// Evaluations so far that were looked up in the store.
    pub fn looked_up(&self) -> u64 {
        match &self.0 {
            Inner::Plain(_) => 0,
            Inner::Stored(memo) => memo.looked_up(),
        }
    }

    /// Waits until the store is on the disk.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn sync(&self) -> anyhow::Result<()> {
        let Some(store) = self.store() else { return Ok(()) };
        store.sync().context("the store is not complete on the disk")
    }

    fn source(&self) -> &Source {
        match &self.0 {
            Inner::Plain(source) => source,
            Inner::Stored(memo) => memo.model(),
        }
    }
}

impl Model for OpenModel {
    fn name(&self) -> &str {
        self.source().name()
    }

    fn inputs(&self) -> &Inputs {
        self.source().inputs()
    }

    fn outputs(&self) -> &[Feature] {
        self.source().outputs()
    }

    fn trajectory(&self, w: &[f64], seed: u64) -> Result<Option<Trajectory>, ModelError> {
        self.source().trajectory(w, seed)
    }

    fn evaluate(&self, w: DMatrixView<'_, f64>, seeds: &[u64]) -> Result<Evaluations, ModelError> {
        match &self.0 {
            Inner::Plain(source) => source.evaluate(w, seeds),
            Inner::Stored(memo) => {
                let before = memo.looked_up();
                let evaluations = memo.evaluate(w, seeds);
                memo.model().advance(memo.looked_up() - before);
                evaluations
            }
        }
    }
}
