//! What every estimator is to its user: one object-safe trait.

use std::fmt::Debug;

use serde_json::Value;

use crate::error::{Error, EvalError};
use crate::method::stepwise::{Progress, Stepwise};
use crate::model::density::Density;
use crate::model::limit_state::LimitState;
use crate::result::estimate::Estimate;

/// An estimator of a failure probability.
///
/// All estimators of this crate implement it, so that they can be held side by side and compared:
///
/// ```
/// use latent_is::{Adaptive, CrossEntropy, Estimator, FnLimitState, Sequential, StandardNormal, SubsetSimulation};
///
/// let estimators: Vec<Box<dyn Estimator>> = vec![
///     Box::new(Adaptive::default()),
///     Box::new(CrossEntropy::default()),
///     Box::new(Sequential::default()),
///     Box::new(SubsetSimulation::default()),
/// ];
/// let g = FnLimitState::new(2, |x: &[f64]| 3.5 - x[0]); // P = 2.326e-4
/// for estimator in &estimators {
///     let estimate = estimator.estimate(&StandardNormal::new(2), &g, 7)?;
///     println!("{:12} {:.3e}, {} evaluations", estimator.name(), estimate.pf(), estimate.counts.evaluations);
/// #   assert!(estimate.interval(0.9999).contains(2.326e-4));
/// }
/// # Ok::<(), latent_is::Error>(())
/// ```
///
/// The trait comes with [`Stepwise`], which is what a new estimator implements. [`Run`](crate::Run) drives
/// any estimator with a budget, observers and checkpoint files.
pub trait Estimator: Debug + Send + Sync {
    /// Its name in checkpoints and reports.
    fn name(&self) -> &'static str;

    /// Its settings as JSON.
    ///
    /// # Errors
    /// When a setting has no form in JSON.
    fn settings(&self) -> serde_json::Result<Value>;

    /// Refuses a nominal density that the estimator cannot work with.
    ///
    /// # Errors
    /// [`Error::Setting`] that says which it needs.
    fn check_nominal(&self, nominal: &dyn Density) -> Result<(), Error>;

    /// A run before its first step, for `dim` coordinates.
    fn begin(&self, dim: usize) -> Box<dyn Stepper + '_>;

    /// A run that resumes from a state that [`Stepper::state`] wrote.
    ///
    /// # Errors
    /// When `state` is not a state of this estimator.
    fn resume(&self, state: Value) -> serde_json::Result<Box<dyn Stepper + '_>>;

    /// Estimates the probability that `g` fails under `nominal`; a function of the settings and `seed` alone.
    ///
    /// # Errors
    /// [`Error::Evaluation`] when the limit state or the nominal density fails or their dimensions differ;
    /// [`Error::Setting`] when the estimator cannot work with the nominal density or its budget leaves
    /// nothing for an estimate; [`Error::Weights`] and [`Error::Mixture`] when a fit is impossible.
    fn estimate(
        &self,
        nominal: &dyn Density,
        g: &dyn LimitState,
        seed: u64,
    ) -> Result<Estimate, Error> {
        EvalError::check_dim(nominal.dim(), g.dim())?;
        self.check_nominal(nominal)?;
        let mut run = self.begin(g.dim());
        while !run.done() {
            run.step(nominal, g, seed)?;
        }
        run.finish().ok_or(Error::NoEstimate { estimator: self.name() })
    }
}

/// A run of an estimator between two steps.
pub trait Stepper {
    /// One step. A run that is done stays as it is. After an error the run is over and has no estimate.
    ///
    /// # Errors
    /// What keeps the estimator from continuing.
    fn step(&mut self, nominal: &dyn Density, g: &dyn LimitState, seed: u64) -> Result<(), Error>;

    /// How far the run is; none after an error.
    fn progress(&self) -> Option<Progress>;

    /// Whether the estimator has ended by itself, or by an error.
    fn done(&self) -> bool;

    /// The state as JSON: what a checkpoint keeps.
    ///
    /// # Errors
    /// When the state has no form in JSON.
    fn state(&self) -> serde_json::Result<Value>;

    /// The estimate; none when the run is too early for one.
    fn finish(self: Box<Self>) -> Option<Estimate>;
}

/// An estimator with the state of a run; none after an error.
struct Running<'a, E: Stepwise> {
    estimator: &'a E,
    state: Option<E::State>,
}

impl<E: Stepwise> Stepper for Running<'_, E> {
    fn step(&mut self, nominal: &dyn Density, g: &dyn LimitState, seed: u64) -> Result<(), Error> {
        if let Some(state) = self.state.take() {
            self.state = Some(self.estimator.step(nominal, g, seed, state)?);
        }
        Ok(())
    }

    fn progress(&self) -> Option<Progress> {
        self.state.as_ref().map(|state| self.estimator.progress(state))
    }

    fn done(&self) -> bool {
        self.state.as_ref().is_none_or(|state| self.estimator.done(state))
    }

    fn state(&self) -> serde_json::Result<Value> {
        serde_json::to_value(&self.state)
    }

    fn finish(self: Box<Self>) -> Option<Estimate> {
        self.estimator.finish(self.state?)
    }
}

impl<E: Stepwise> Estimator for E {
    fn name(&self) -> &'static str {
        Stepwise::name(self)
    }

    fn settings(&self) -> serde_json::Result<Value> {
        serde_json::to_value(self)
    }

    fn check_nominal(&self, nominal: &dyn Density) -> Result<(), Error> {
        self.accepts(nominal)
    }

    fn begin(&self, dim: usize) -> Box<dyn Stepper + '_> {
        Box::new(Running { estimator: self, state: Some(self.init(dim)) })
    }

    fn resume(&self, state: Value) -> serde_json::Result<Box<dyn Stepper + '_>> {
        let state = Some(serde_json::from_value(state)?);
        Ok(Box::new(Running { estimator: self, state }))
    }
}
