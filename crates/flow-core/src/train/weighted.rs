//! Training on weighted outcomes.
//!
//! Outcomes $x_1, \dots, x_n$ of a density $q$ with weights $w_i \propto p(x_i) / q(x_i)$ are a weighted sample of the
//! density $p$, and the flow of largest likelihood is
//!
//! $$ \hat\theta = \arg\max_\theta \sum_{i=1}^n w_i \ln p_\theta(x_i). \tag{1} $$
//!
//! The steps of an epoch draw $m$ rows in total by systematic resampling: the rows lie end to end in a random order, as
//! intervals of the lengths $v_i = m w_i / \sum_j w_j$, and the rows at $u, u + 1, \dots, u + m - 1$ are drawn, with
//! one random $u$ in $[0, 1)$. Row $i$ comes $\lfloor v_i \rfloor$ or $\lceil v_i \rceil$ times, and $v_i$ times on
//! average. Step $b$ of $B$ takes every $B$-th position from the $b$-th on, so that a row of large weight is spread over
//! the steps. The loss of a step is the mean over its rows, as without weights, and its expectation is the sum in (1)
//! over the training rows, divided by $-\sum_i w_i$. As without weights, $m$ is the number of training rows,
//! less the remainder of its division by the batch size.
//!
//! With weights, $n$ rows say as much as
//!
//! $$ n_\text{eff} = \Bigl( \sum_{i=1}^n w_i \Bigr)^2 \Big/ \sum_{i=1}^n w_i^2 \tag{2} $$
//!
//! rows without (Kish 1965).
//!
//! # References
//! - L. Kish: *Survey Sampling*. Wiley (1965), section 11.7.
//! - J. Carpenter, P. Clifford, P. Fearnhead: Improved particle filter for nonlinear problems. *IEE Proceedings: Radar,
//!   Sonar and Navigation* 146 (1999), 2–7 (systematic resampling).

use burn::tensor::Device;
use nalgebra::DMatrixView;

use crate::{
    config::FlowConfig,
    error::FlowError,
    train::{
        checkpoint::Checkpoint,
        data::Rows,
        fit::{moments, train},
        observer::TrainingObserver,
        record::Trained,
        row_weights::RowWeights,
        settings::TrainSettings,
    },
};

/// Trains a flow on weighted outcomes, for example on a sample of another distribution with importance weights.
///
/// The flow has the largest weighted likelihood $\sum_i w_i \ln p(x_i)$. Only ratios of weights matter.
///
/// - Means and standard deviations of the standardisation are weighted, the latter with the divisor that makes the
///   variance unbiased: equal weights give the moments of [`fit`](crate::fit).
/// - Each epoch draws rows in proportion to their weights. Only the rows that are not held out are drawn.
/// - The held-out rows are a random share of all rows, whatever their weights; their likelihood is a weighted mean.
/// - Rows of weight 0 are neither trained on nor held out.
/// - Marginal maps ([`TrainSettings::marginals`]) are chosen from all rows without their weights: the flow of any
///   of them can have the weighted distribution, and a sample that is drawn by weight would repeat rows, which look like
///   point masses.
///
/// The result is a function of outcomes, weights and settings, as for [`fit`](crate::fit). With a checkpoint, the run
/// resumes as one of [`fit_resumable`](crate::fit_resumable), and refuses the checkpoint of other weights. The record
/// has the effective number of rows, [`TrainingRecord::effective_rows`](crate::TrainingRecord::effective_rows): where it is
/// small, settings suit that number of rows rather than the number of columns.
///
/// ```
/// use flow_core::{FlowConfig, TrainSettings, default_device, fit_weighted};
/// # use nalgebra::DMatrix;
///
/// # let x = DMatrix::from_fn(1, 500, |_, j| 2.0 * (12.9898 * j as f64).sin());
/// # let config = FlowConfig::builder(1).hidden(8).steps(1).build()?;
/// # let settings = TrainSettings::builder().epochs(1).build()?;
/// // Larger outcomes count more.
/// let weights: Vec<f64> = x.iter().map(|x| x.exp()).collect();
/// let trained =
///     fit_weighted(x.as_view(), &weights, &config, &settings, &default_device(), &mut (), None)?;
/// assert!(trained.record.effective_rows.is_some_and(|rows| rows > 20.0 && rows < 500.0));
/// # Ok::<(), flow_core::FlowError>(())
/// ```
///
/// # Shapes
/// - `x`: `[d, n]`, one outcome per column
/// - `weights`: `[n]`, finite, at least 0 and not all 0
///
/// # Errors
/// [`FlowError::RowWeights`] for another number of weights than outcomes, a weight that is negative or not finite,
/// weights that are all zero, or fewer effective rows than the 20 that [`fit`](crate::fit) needs; otherwise as
/// [`fit`](crate::fit) and, with a checkpoint, as [`fit_resumable`](crate::fit_resumable).
pub fn fit_weighted(
    x: DMatrixView<'_, f64>,
    weights: &[f64],
    config: &FlowConfig,
    settings: &TrainSettings,
    device: &Device,
    observer: &mut dyn TrainingObserver,
    checkpoint: Option<&Checkpoint>,
) -> Result<Trained, FlowError> {
    let weights = RowWeights::new(weights, x.ncols()).map_err(FlowError::RowWeights)?;
    let rows = Rows { x, weights: Some(&weights) };
    let standardise = moments(rows, config, settings)?;
    train(rows, config, standardise, settings, device, observer, checkpoint)
}
