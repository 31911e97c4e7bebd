//! Models: functions of named random inputs and a seed.

use std::sync::Arc;

use inputs::Inputs;
use nalgebra::{DMatrix, DMatrixView};
use serde::{Deserialize, Serialize};

use crate::{
    error::{InputError, ModelError},
    simulator::Feature,
    trajectory::Trajectory,
};

/// A model $x = s(w, \text{seed})$: a function of named random inputs $w \in \mathbb R^m$ and a seed.
///
/// The inputs have a known joint distribution, the image of a standard normal $u$
/// ([`Inputs::transform`]). A failure criterion $g(x) \le 0$ thus becomes a function of $u$, on which every
/// estimator works, and a failure can be evaluated again from its inputs and seed.
///
/// A model without hidden randomness ignores the seeds. In one with hidden randomness the seed of each
/// sample is drawn independently of its inputs; a probability is then over inputs and seed.
pub trait Model: Sync {
    /// Short name, as used on the command line.
    fn name(&self) -> &str;

    /// The inputs: names, units, distributions and their Gaussian copula; their number is `m`.
    fn inputs(&self) -> &Inputs;

    /// The coordinates of an outcome, in order; their number is `d`.
    fn outputs(&self) -> &[Feature];

    /// Evaluates a batch of samples. All randomness that is not an input comes from the seed of the
    /// sample: equal inputs and seeds give equal outcomes, on any worker and in any batch.
    ///
    /// # Shapes
    /// - `w`: `[m, n]`, the inputs of one sample per column; `seeds`: `[n]`
    /// - returns outputs `[d, n]`, with NaN in all coordinates where there is no outcome, and statuses `[n]`
    ///
    /// # Errors
    /// [`ModelError`] when the batch as a whole has no answer. A sample without an outcome is a
    /// [`Status::Failed`], not an error.
    fn evaluate(&self, w: DMatrixView<'_, f64>, seeds: &[u64]) -> Result<Evaluations, ModelError>;

    /// The course of one sample over time; `None` for a model that records none, which is the default. Its end is
    /// the outcome of [`evaluate`](Self::evaluate).
    ///
    /// # Shapes
    /// - `w`: `[m]`
    ///
    /// # Errors
    /// As [`evaluate`](Self::evaluate).
    fn trajectory(&self, w: &[f64], seed: u64) -> Result<Option<Trajectory>, ModelError> {
        let _ = (w, seed);
        Ok(None)
    }

    /// Checks the sizes of a batch.
    ///
    /// # Errors
    /// [`InputError`] when `w` has not `m` rows, or not one column per seed.
    fn check(&self, w: DMatrixView<'_, f64>, seeds: &[u64]) -> Result<(), InputError> {
        InputError::check_dim(self.inputs().len(), w.nrows())?;
        if w.ncols() == seeds.len() {
            Ok(())
        } else {
            Err(InputError::Seeds { samples: w.ncols(), seeds: seeds.len() })
        }
    }
}

impl<M: Model + ?Sized> Model for &M {
    fn name(&self) -> &str {
        (**self).name()
    }

    fn inputs(&self) -> &Inputs {
        (**self).inputs()
    }

    fn outputs(&self) -> &[Feature] {
        (**self).outputs()
    }

    fn evaluate(&self, w: DMatrixView<'_, f64>, seeds: &[u64]) -> Result<Evaluations, ModelError> {
        (**self).evaluate(w, seeds)
    }

    fn trajectory(&self, w: &[f64], seed: u64) -> Result<Option<Trajectory>, ModelError> {
        (**self).trajectory(w, seed)
    }
}

impl<M: Model + ?Sized> Model for Box<M> {
    fn name(&self) -> &str {
        (**self).name()
    }

    fn inputs(&self) -> &Inputs {
        (**self).inputs()
    }

    fn outputs(&self) -> &[Feature] {
        (**self).outputs()
    }

    fn evaluate(&self, w: DMatrixView<'_, f64>, seeds: &[u64]) -> Result<Evaluations, ModelError> {
        (**self).evaluate(w, seeds)
    }

    fn trajectory(&self, w: &[f64], seed: u64) -> Result<Option<Trajectory>, ModelError> {
        (**self).trajectory(w, seed)
    }
}

/// What a [`Model`] returns for a batch.
#[derive(Clone, Debug, PartialEq)]
pub struct Evaluations {
    /// Outcomes, `[d, n]`; NaN in all coordinates where there is none.
    pub outputs: DMatrix<f64>,
    /// How each sample ended, `[n]`.
    pub statuses: Vec<Status>,
}

impl Evaluations {
    /// Evaluations of a model that marks a sample without an outcome with a number that is not finite;
    /// the column of such a sample becomes NaN, its status [`FailureKind::NotFinite`].
    ///
    /// # Shapes
    /// - `outputs`: `[d, n]`
    pub fn from_outputs(mut outputs: DMatrix<f64>) -> Self {
        let message: Arc<str> = "the outcome holds a NaN or an infinity".into();
        let failed = || Status::failed(FailureKind::NotFinite, Arc::clone(&message));
        let statuses = outputs
            .column_iter_mut()
            .map(|mut column| {
                let finite = column.iter().all(|v| v.is_finite());
                if !finite {
                    column.fill(f64::NAN);
                }
                if finite { Status::Done } else { failed() }
            })
            .collect();
        Self { outputs, statuses }
    }
}

/// How the evaluation of one sample ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Status {
    /// With an outcome.
    Done,
    /// Without one.
    Failed {
        /// The kind of the failure, for counts.
        kind: FailureKind,
        /// What happened; samples may share one text.
        message: Arc<str>,
    },
}

impl Status {
    /// The status of a sample without an outcome.
    pub fn failed(kind: FailureKind, message: impl Into<Arc<str>>) -> Self {
        Self::Failed { kind, message: message.into() }
    }

    /// Whether the sample has an outcome.
    pub fn is_done(&self) -> bool {
        matches!(self, Self::Done)
    }
}

/// Why a sample has no outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum FailureKind {
    /// The model itself says that it has none.
    Reported,
    /// The outcome holds a NaN or an infinity.
    NotFinite,
    /// The program of the model ended, or its function panicked.
    Crashed,
    /// The model took longer than allowed.
    TimedOut,
    /// The answer cannot be read, or has wrong names or a wrong number of outputs.
    BadAnswer,
}
