//! One run around any estimator: budget, observers, checkpoint files, interruption.
//!
//! An [`Estimator`] works in steps on a state that can be written down. [`Run`] calls the steps, looks
//! at its budget and at the flag for interruption between two of them, tells its observers, and keeps
//! the state in a checkpoint file. A run that was interrupted and resumed gives the same bits as one
//! that was not, on any number of threads.
//!
//! ```
//! use latent_is::{Budget, FnLimitState, MonteCarlo, Run, StandardNormal};
//!
//! let g = FnLimitState::new(2, |x: &[f64]| 1.0 - x[0]);
//! let method = MonteCarlo::default();
//! let mut run = Run::new(&method).seed(7).budget(Budget { evaluations: Some(30_000), ..Budget::default() });
//! let outcome = run.start(&StandardNormal::new(2), &g)?;
//! assert!(outcome.estimate.unwrap().interval(0.999).contains(0.15866));
//! # Ok::<(), latent_is::run::RunError>(())
//! ```

mod checkpoint;
mod observer;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use safe_file::Claim;
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use checkpoint::CheckpointError;
pub use observer::{JsonLines, Observer, ProgressLine, Report};

use crate::error::{Error, EvalError};
use crate::method::estimator::{Estimator, Stepper};
use crate::method::stepwise::Progress;
use crate::model::density::Density;
use crate::model::limit_state::LimitState;
use crate::model::nan_policy::{NanPolicy, WithNanPolicy};
use crate::result::estimate::{Estimate, StopReason};
use checkpoint::{Identity, Spent};

/// Where a run ends if its estimator has not by itself. Every part is optional.
///
/// It is a hard stop: an estimator that is to plan with a number of evaluations needs it among its own
/// settings as well, otherwise its search may use all of them.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Budget {
    /// No step begins that could take the evaluations beyond this number.
    pub evaluations: Option<u64>,
    /// No step begins after this time, that before a resumption included.
    pub time: Option<Duration>,
    /// No step begins once the estimate's coefficient of variation can be told and is at most this.
    /// Subset simulation cannot tell before its end.
    pub target_cov: Option<f64>,
}

/// Why a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Stopped {
    /// The estimator ended by itself.
    Done,
    /// The next step could have exceeded the evaluations.
    Evaluations,
    /// The time was up.
    Time,
    /// The target precision was reached.
    Target,
    /// The flag was set.
    Interrupted,
}

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Done => "The estimator has ended.",
            Self::Evaluations => "The evaluations are used up.",
            Self::Time => "The time is up.",
            Self::Target => "The target precision is reached.",
            Self::Interrupted => "Interrupted.",
        })
    }
}

/// What a run gave.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// The estimate; absent when the run ended too early for one.
    pub estimate: Option<Estimate>,
    /// Why the run ended.
    pub stopped: Stopped,
    /// NaN evaluations that counted as failures, under [`NanPolicy::Failure`].
    pub counted_as_failures: u64,
    /// Steps, those before a resumption included.
    pub steps: u64,
    /// Seconds, those before a resumption included.
    pub seconds: f64,
}

/// Why a run has no outcome.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// The estimator cannot continue.
    #[error(transparent)]
    Estimator(#[from] Error),
    /// The checkpoint cannot be written or resumed from.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// There is no checkpoint file to resume from.
    #[error("a run without a checkpoint file cannot be resumed; name one with `checkpoint`")]
    NoCheckpoint,
    /// An observer failed.
    #[error("an observer failed: {0}")]
    Observer(#[source] std::io::Error),
}

impl From<EvalError> for RunError {
    fn from(error: EvalError) -> Self {
        Self::Estimator(error.into())
    }
}

/// A run of an estimator. See the [module](self).
#[must_use]
pub struct Run<'a> {
    estimator: &'a dyn Estimator,
    seed: u64,
    budget: Budget,
    on_nan: NanPolicy,
    label: String,
    checkpoint: Option<PathBuf>,
    interrupt: Arc<AtomicBool>,
    observers: Vec<Box<dyn Observer + 'a>>,
}

impl fmt::Debug for Run<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run")
            .field("seed", &self.seed)
            .field("budget", &self.budget)
            .finish_non_exhaustive()
    }
}

impl<'a> Run<'a> {
    /// A run of `estimator` with seed 0, no budget, no files and no observers.
    pub fn new(estimator: &'a dyn Estimator) -> Self {
        Self {
            estimator,
            seed: 0,
            budget: Budget::default(),
            on_nan: NanPolicy::default(),
            label: String::new(),
            checkpoint: None,
            interrupt: Arc::default(),
            observers: Vec::new(),
        }
    }

    /// The seed of all random numbers.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Where the run ends if the estimator has not.
    pub fn budget(mut self, budget: Budget) -> Self {
        self.budget = budget;
        self
    }

    /// What a NaN evaluation counts as.
    pub fn on_nan(mut self, policy: NanPolicy) -> Self {
        self.on_nan = policy;
        self
    }

    /// A text that tells the limit state and the nominal density from others, such as the hash of a
    /// flow's file: a checkpoint with another label is refused.
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    /// The file that holds the state after each step.
    pub fn checkpoint(mut self, path: impl Into<PathBuf>) -> Self {
        self.checkpoint = Some(path.into());
        self
    }

    /// A flag that ends the run after the step at hand, with its checkpoint written; a handler of
    /// Ctrl-C sets it.
    pub fn interrupt(mut self, flag: Arc<AtomicBool>) -> Self {
        self.interrupt = flag;
        self
    }

    /// Adds an observer.
    pub fn observer(mut self, observer: impl Observer + 'a) -> Self {
        self.observers.push(Box::new(observer));
        self
    }

    /// Runs from the beginning.
    ///
    /// # Errors
    /// [`CheckpointError::Exists`] when the checkpoint file is there already, [`CheckpointError::Io`] when
    /// another run works on it, otherwise what keeps the estimator, a file or an observer from working.
    pub fn start(
        &mut self,
        nominal: &dyn Density,
        g: &dyn LimitState,
    ) -> Result<Outcome, RunError> {
        let _claim = self.claim()?;
        if let Some(path) = self.checkpoint.clone().filter(|path| checkpoint::exists(path)) {
            return Err(CheckpointError::Exists { path }.into());
        }
        self.drive(nominal, g, Spent::default(), self.estimator.begin(g.dim()))
    }

    /// Resumes from the checkpoint file.
    ///
    /// # Errors
    /// [`CheckpointError`] when the file is missing, foreign, damaged, from a newer version or of
    /// another run, otherwise as for [`start`](Self::start).
    pub fn resume(
        &mut self,
        nominal: &dyn Density,
        g: &dyn LimitState,
    ) -> Result<Outcome, RunError> {
        let path = self.checkpoint.clone().ok_or(RunError::NoCheckpoint)?;
        let _claim = self.claim()?;
        let (spent, state) = checkpoint::read(&path, &self.identity(g.dim())?)?;
        let damaged =
            |e: serde_json::Error| CheckpointError::Damaged { path, reason: e.to_string() };
        let run = self.estimator.resume(state).map_err(damaged)?;
        self.drive(nominal, g, spent, run)
    }

    /// Resumes from the checkpoint file if there is one, and starts otherwise.
    ///
    /// # Errors
    /// As for [`resume`](Self::resume), but for a missing file.
    pub fn resume_or_start(
        &mut self,
        nominal: &dyn Density,
        g: &dyn LimitState,
    ) -> Result<Outcome, RunError> {
        match self.resume(nominal, g) {
            Err(RunError::Checkpoint(error)) if checkpoint::is_missing(&error) => {
                self.start(nominal, g)
            }
            Err(RunError::NoCheckpoint) => self.start(nominal, g),
            other => other,
        }
    }

    /// The right to write the checkpoint file: two runs on one file would overwrite each other's state.
    fn claim(&self) -> Result<Option<Claim>, CheckpointError> {
        let claim = |path: &PathBuf| {
            Claim::new(path).map_err(|source| CheckpointError::Io { path: path.clone(), source })
        };
        self.checkpoint.as_ref().map(claim).transpose()
    }

    fn drive(
        &mut self,
        nominal: &dyn Density,
        g: &dyn LimitState,
        mut spent: Spent,
        mut run: Box<dyn Stepper + 'a>,
    ) -> Result<Outcome, RunError> {
        EvalError::check_dim(nominal.dim(), g.dim())?;
        self.estimator.check_nominal(nominal)?;
        let identity = self.identity(g.dim())?;
        let (began, before) = (Instant::now(), spent);
        let g = WithNanPolicy::new(g, self.on_nan);
        let mut progress = progress_of(&*run);
        let stopped = loop {
            if let Some(stopped) = self.end(&progress, spent.seconds) {
                break stopped;
            }
            run.step(nominal, &g, self.seed)?;
            progress = progress_of(&*run);
            spent.steps += 1;
            spent.seconds = before.seconds + began.elapsed().as_secs_f64();
            if self.on_nan == NanPolicy::Failure {
                spent.as_failures = before.as_failures + g.nan_evaluations();
            }
            if let Some(path) = &self.checkpoint {
                let state = run.state().map_err(|e| CheckpointError::Unwritable {
                    path: path.clone(),
                    reason: e.to_string(),
                })?;
                checkpoint::write(path, &identity, spent, &state)?;
            }
            let report = Report {
                estimator: self.estimator.name(),
                step: spent.steps,
                seconds: spent.seconds,
                progress: progress.clone(),
            };
            for observer in &mut self.observers {
                observer.step(&report).map_err(RunError::Observer)?;
            }
        };
        let mut estimate = run.finish();
        if let Some(estimate) = estimate.as_mut().filter(|e| e.stopped == StopReason::Budget)
            && stopped == Stopped::Target
        {
            estimate.stopped = StopReason::Converged;
        }
        for observer in &mut self.observers {
            observer.end(stopped, estimate.as_ref()).map_err(RunError::Observer)?;
        }
        Ok(Outcome {
            estimate,
            stopped,
            counted_as_failures: spent.as_failures,
            steps: spent.steps,
            seconds: spent.seconds,
        })
    }

    /// Why no further step begins.
    fn end(&self, progress: &Progress, seconds: f64) -> Option<Stopped> {
        let budget = &self.budget;
        let most = progress.evaluations + progress.next;
        if progress.done {
            Some(Stopped::Done)
        } else if self.interrupt.load(Ordering::Relaxed) {
            Some(Stopped::Interrupted)
        } else if budget.target_cov.zip(progress.cov).is_some_and(|(target, cov)| cov <= target) {
            Some(Stopped::Target)
        } else if budget.evaluations.is_some_and(|evaluations| most > evaluations) {
            Some(Stopped::Evaluations)
        } else if budget.time.is_some_and(|time| seconds >= time.as_secs_f64()) {
            Some(Stopped::Time)
        } else {
            None
        }
    }

    fn identity(&self, dim: usize) -> Result<Identity, CheckpointError> {
        let value = |value: serde_json::Result<Value>| {
            value.map_err(|e| CheckpointError::Unwritable {
                path: self.checkpoint.clone().unwrap_or_default(),
                reason: e.to_string(),
            })
        };
        Ok(Identity {
            estimator: self.estimator.name().to_owned(),
            settings: value(self.estimator.settings())?,
            seed: self.seed,
            dim,
            label: self.label.clone(),
            on_nan: value(serde_json::to_value(self.on_nan))?,
        })
    }
}

/// How far a run is that has not met an error.
fn progress_of(run: &dyn Stepper) -> Progress {
    run.progress().expect("a run without an error has a state")
}
