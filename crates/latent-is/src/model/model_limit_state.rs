//! A model and a failure criterion as a limit state on standard normal space.
//!
//! With inputs $w = T(u)$, $u \sim \mathcal N(0, I)$, a model $s$ and a criterion $c$ on its outcomes,
//!
//! $$ g(u) = c\bigl(s(T(u), \text{seed}(u))\bigr), $$
//!
//! so that every estimator of this crate works on the model itself, without a flow in between.
//!
//! The seed of a sample, for what is random in the model beyond its inputs, is a hash of the seed of the run
//! and of the exact bits of $u$ ([`rng::derive_from`]). The same sample thus has the same outcome whenever
//! and wherever it is evaluated, and the state of an estimator needs no counters; the seeds of different
//! samples are unrelated, so the probability is one over inputs and seed. Close samples have unrelated
//! seeds too: in a model with much hidden randomness $g$ is not smooth, and methods that follow its slope
//! ([`Form`](crate::Form)) lose their way.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use nalgebra::{DMatrix, DMatrixView, DVector};
use sim_core::{Evaluations, FailureKind, Model, Status, rng};

use crate::error::{Error, EvalError};
use crate::model::judge::{Judge, Judgement};
use crate::model::limit_state::LimitState;
use crate::model::nan_policy::NanPolicy;

/// What the seeds of samples are for.
const PURPOSE: &str = "model";

/// A [`Model`] under a failure criterion, as a [`LimitState`] on the standard normal space of its inputs.
/// See the [module](self).
///
/// The criterion is a function of the outputs of one sample, a failure where it is at most 0, or another
/// [`Judge`]. A sample without an outcome counts as its [`NanPolicy`] says: NaN by default. So does one for which
/// the criterion is NaN ([`FailureKind::NotFinite`]) or panics ([`FailureKind::Crashed`]).
///
/// ```
/// use inputs::{Correlation, Gumbel, Inputs, Normal};
/// use latent_is::{Adaptive, Estimator, ModelLimitState, StandardNormal};
/// use nalgebra::{DMatrix, DMatrixView};
/// use sim_core::{Evaluations, Feature, Model, ModelError};
///
/// /// The reserve of a rod: its strength less its load.
/// struct Rod(Inputs, [Feature; 1]);
///
/// impl Model for Rod {
///     fn name(&self) -> &str {
///         "rod"
///     }
///     fn inputs(&self) -> &Inputs {
///         &self.0
///     }
///     fn outputs(&self) -> &[Feature] {
///         &self.1
///     }
///     fn evaluate(&self, w: DMatrixView<'_, f64>, seeds: &[u64]) -> Result<Evaluations, ModelError> {
///         self.check(w, seeds)?;
///         let reserve = DMatrix::from_fn(1, w.ncols(), |_, j| w[(0, j)] - w[(1, j)]);
///         Ok(Evaluations::from_outputs(reserve))
///     }
/// }
///
/// let inputs = Inputs::builder()
///     .input("strength", "kN", Normal::new(60.0, 5.0)?)
///     .input("load", "kN", Gumbel::from_moments(30.0, 4.0)?)
///     .build()?;
/// let rod = Rod(inputs, [Feature::new("reserve", "kN")]);
/// let g = ModelLimitState::new(&rod, |x: &[f64]| x[0], 7)?;
/// let estimate = Adaptive::default().estimate(&StandardNormal::new(2), &g, 7)?;
/// assert!(estimate.interval(0.999).contains(0.000134747)); // by quadrature
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct ModelLimitState<M, C> {
    model: M,
    criterion: C,
    seed: u64,
    policy: NanPolicy,
    failures: Mutex<BTreeMap<FailureKind, Failures>>,
}

/// Samples without an outcome, of one kind.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Failures {
    /// The kind.
    pub kind: FailureKind,
    /// Evaluations of this kind; a sample that is evaluated twice counts twice.
    pub count: u64,
    /// What the first of them said.
    pub message: String,
}

impl<M: Model, C: Judge> ModelLimitState<M, C> {
    /// `model` under `criterion`, with the hidden randomness of the run `seed`; a reference works for `model`.
    /// Samples without an outcome are NaN.
    ///
    /// # Errors
    /// [`Error::Setting`] when the model has no random input: all its randomness comes from the seed, and
    /// there is nothing to sample in $u$. Simulate it instead.
    pub fn new(model: M, criterion: C, seed: u64) -> Result<Self, Error> {
        let random = model.inputs().latent_dim();
        Error::check(random > 0, "the number of random inputs", "at least 1", random)?;
        let failures = Mutex::default();
        Ok(Self { model, criterion, seed, policy: NanPolicy::Unknown, failures })
    }

    /// The same with another policy for samples without an outcome.
    #[must_use]
    pub fn with_policy(self, policy: NanPolicy) -> Self {
        Self { policy, ..self }
    }

    /// The model.
    pub fn model(&self) -> &M {
        &self.model
    }

    /// The inputs and seeds of samples, with which the model gives their outcomes again.
    ///
    /// # Shapes
    /// - `u`: `[latent_dim, n]`; returns `[m, n]` and `[n]`
    ///
    /// # Errors
    /// [`EvalError`] when `u` has another dimension or a map of the inputs fails.
    pub fn inputs_and_seeds(
        &self,
        u: DMatrixView<'_, f64>,
    ) -> Result<(DMatrix<f64>, Vec<u64>), EvalError> {
        EvalError::check_dim(self.dim(), u.nrows())?;
        let w = self.model.inputs().transform(u).map_err(EvalError::failed)?;
        let mut sample = Vec::with_capacity(u.nrows());
        let seed = |column: nalgebra::DVectorView<'_, f64>| {
            sample.clear();
            sample.extend(column.iter());
            rng::derive_from(self.seed, PURPOSE, &sample)
        };
        Ok((w, u.column_iter().map(seed).collect()))
    }

    /// Samples without an outcome so far, by kind, whatever they counted as.
    pub fn failures(&self) -> Vec<Failures> {
        self.lock().values().cloned().collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<FailureKind, Failures>> {
        self.failures.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What `judge` says of each sample, or why there is nothing; `known` is whether a value is one.
    fn values<T>(
        &self,
        evaluations: &Evaluations,
        judge: impl Fn(&C, DMatrixView<'_, f64>) -> Result<Vec<Judgement<T>>, EvalError>,
        known: impl Fn(&T) -> bool,
    ) -> Result<Vec<Judgement<T>>, EvalError> {
        let Evaluations { outputs, statuses } = evaluations;
        // A sample without an outcome is not shown to the criterion.
        let done: Vec<usize> = (0..statuses.len()).filter(|&j| statuses[j].is_done()).collect();
        let judged = judge(&self.criterion, outputs.select_columns(&done).as_view())?;
        if judged.len() != done.len() {
            let (n, of) = (judged.len(), done.len());
            return Err(EvalError::failed(format!("the criterion judged {n} of {of} outcomes")));
        }
        let mut judged = judged.into_iter();
        let value = |status: &Status| match status {
            Status::Done => match judged.next() {
                Some(Ok(value)) if !known(&value) => {
                    Err((FailureKind::NotFinite, "the criterion is NaN".to_owned()))
                }
                Some(judgement) => judgement,
                None => Err((FailureKind::Reported, "the criterion judged too few".to_owned())),
            },
            Status::Failed { kind, message } => Err((*kind, message.to_string())),
            other => Err((FailureKind::Reported, format!("{other:?}"))),
        };
        Ok(statuses.iter().map(value).collect())
    }

    /// Evaluates samples and judges them; `missing` stands for a value that there is not.
    fn judged<T: Clone>(
        &self,
        u: DMatrixView<'_, f64>,
        judge: impl Fn(&C, DMatrixView<'_, f64>) -> Result<Vec<Judgement<T>>, EvalError>,
        known: impl Fn(&T) -> bool,
        missing: impl Fn(f64) -> T,
    ) -> Result<Vec<T>, EvalError> {
        let (w, seeds) = self.inputs_and_seeds(u)?;
        let evaluations = self.model.evaluate(w.as_view(), &seeds).map_err(EvalError::failed)?;
        let of = seeds.len();
        if evaluations.statuses.len() != of
            || evaluations.outputs.shape() != (self.model.outputs().len(), of)
        {
            let (d, n) = evaluations.outputs.shape();
            return Err(EvalError::failed(format!(
                "the model `{}` was given {of} samples and returned outputs [{d}, {n}] and {} statuses",
                self.model.name(),
                evaluations.statuses.len(),
            )));
        }
        let values = self.values(&evaluations, judge, known)?;
        let count = values.iter().filter(|value| value.is_err()).count();
        for (kind, message) in values.iter().filter_map(|value| value.as_ref().err()) {
            self.count(*kind, message);
        }
        let first = values.iter().position(Result::is_err);
        if let (NanPolicy::Abort, Some(j)) = (self.policy, first)
            && let Err((_, message)) = &values[j]
        {
            let (inputs, message) = (w.column(j).iter().copied().collect(), message.clone());
            return Err(EvalError::NoOutcome { count, of, inputs, seed: seeds[j], message });
        }
        let without = missing(if self.policy == NanPolicy::Failure { 0.0 } else { f64::NAN });
        Ok(values.into_iter().map(|value| value.unwrap_or_else(|_| without.clone())).collect())
    }

    fn count(&self, kind: FailureKind, message: &str) {
        let mut failures = self.lock();
        let entry = failures.entry(kind).or_insert_with(|| Failures {
            kind,
            count: 0,
            message: message.to_owned(),
        });
        entry.count += 1;
    }
}

impl<M: Model, C: Judge> LimitState for ModelLimitState<M, C> {
    fn dim(&self) -> usize {
        self.model.inputs().latent_dim()
    }

    fn evaluate(&self, u: DMatrixView<'_, f64>) -> Result<DVector<f64>, EvalError> {
        let judge = |criterion: &C, x: DMatrixView<'_, f64>| criterion.judge(x);
        Ok(DVector::from_vec(self.judged(u, judge, |value| !value.is_nan(), |value| value)?))
    }

    fn modes(&self) -> usize {
        self.criterion.modes()
    }

    fn evaluate_modes(&self, u: DMatrixView<'_, f64>) -> Result<DMatrix<f64>, EvalError> {
        let k = self.criterion.modes();
        let judge = |criterion: &C, x: DMatrixView<'_, f64>| criterion.judge_modes(x);
        // A mode that cannot be judged is nothing where another one fails.
        let known = |values: &Vec<f64>| {
            values.iter().any(|value| *value <= 0.0) || values.iter().all(|value| !value.is_nan())
        };
        let values = self.judged(u, judge, known, |value| vec![value; k])?;
        if let Some(other) = values.iter().find(|values| values.len() != k) {
            let n = other.len();
            return Err(EvalError::failed(format!("the criterion gave {n} values for {k} modes")));
        }
        Ok(DMatrix::from_vec(k, values.len(), values.concat()))
    }
}
