//! What can go wrong: in what the estimators call ([`EvalError`]) and in the estimators ([`Error`]).

/// Why a batch as a whole cannot be evaluated.
///
/// A single sample that cannot be evaluated is not an error: it comes back as NaN and is counted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EvalError {
    /// The samples have another number of coordinates than the function.
    #[error("samples have {actual} coordinates, the function takes {expected}")]
    Dimension {
        /// Coordinates the function takes.
        expected: usize,
        /// Coordinates the samples have.
        actual: usize,
    },
    /// NaN evaluations, where the policy is to stop at one.
    #[error("the limit state is NaN for {count} of {of} samples, the first at {point:?}")]
    NanEvaluations {
        /// NaN evaluations in the batch.
        count: usize,
        /// Samples in the batch.
        of: usize,
        /// The first of them.
        point: Vec<f64>,
    },
    /// Samples for which a model has no outcome, where the policy is to stop at one.
    #[error(
        "the model has no outcome for {count} of {of} samples, the first at inputs {inputs:?} with seed {seed}: {message}"
    )]
    NoOutcome {
        /// Samples without an outcome in the batch.
        count: usize,
        /// Samples in the batch.
        of: usize,
        /// The inputs of the first of them.
        inputs: Vec<f64>,
        /// Its seed.
        seed: u64,
        /// What the model says.
        message: String,
    },
    /// The function failed for a reason of its own.
    #[error("evaluation failed: {0}")]
    Failed(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl EvalError {
    /// Wraps a function's own error.
    pub fn failed(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Failed(source.into())
    }

    /// Returns [`EvalError::Dimension`] unless `actual == expected`.
    ///
    /// # Errors
    /// [`EvalError::Dimension`] when the two differ.
    pub fn check_dim(expected: usize, actual: usize) -> Result<(), Self> {
        if expected == actual { Ok(()) } else { Err(Self::Dimension { expected, actual }) }
    }
}

/// Why an estimator, a fit or a metric has no result.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A setting is out of its range.
    #[error("{name} must be {expected}, got {actual}")]
    Setting {
        /// The setting.
        name: &'static str,
        /// The range it has to lie in.
        expected: &'static str,
        /// Its value.
        actual: String,
    },
    /// The limit state, the nominal density or a map failed or got samples of another dimension.
    #[error(transparent)]
    Evaluation(#[from] EvalError),
    /// A mixture is malformed or a fit broke down.
    #[error("mixture component {component}: {reason}")]
    Mixture {
        /// Index of the component.
        component: usize,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// Weights that are not numbers, or none that is positive.
    #[error("the weights hold a NaN or an infinity, or none of them is positive")]
    Weights,
    /// A sample with a coordinate that is not finite.
    #[error("sample {sample} has a coordinate that is not finite")]
    NotFinite {
        /// Index of the sample.
        sample: usize,
    },
    /// A point set has no enclosing ellipsoid.
    #[error("failure region {set}: {source}")]
    Ellipsoid {
        /// Index of the set.
        set: usize,
        /// Why.
        #[source]
        source: mvee::MveeError,
    },
    /// An estimator ended without an estimate.
    #[error("{estimator} ended without an estimate")]
    NoEstimate {
        /// Its name.
        estimator: &'static str,
    },
    /// Too few samples for what was asked.
    #[error("{what} needs at least {needed} samples, got {actual}")]
    TooFew {
        /// What was asked.
        what: &'static str,
        /// How many it takes.
        needed: usize,
        /// How many there are.
        actual: usize,
    },
}

impl Error {
    /// Returns [`Error::Setting`] unless `ok`.
    pub(crate) fn check(
        ok: bool,
        name: &'static str,
        expected: &'static str,
        actual: impl std::fmt::Display,
    ) -> Result<(), Self> {
        if ok { Ok(()) } else { Err(Self::Setting { name, expected, actual: actual.to_string() }) }
    }

    /// Returns [`Error::TooFew`] when there are fewer than `needed`.
    pub(crate) fn at_least(what: &'static str, needed: usize, actual: usize) -> Result<(), Self> {
        if actual >= needed { Ok(()) } else { Err(Self::TooFew { what, needed, actual }) }
    }
}
