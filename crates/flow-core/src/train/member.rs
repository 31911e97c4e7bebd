//! Members of an ensemble: flows of random halves of the outcomes, whose spread is the error of the flow.
//!
//! A flow of $n$ outcomes has an error of its own, which no search in its latent space shows. Let $\theta$ be a
//! number that follows from the flow, such as the logarithm of a failure probability, and $\theta_k$ the
//! same number from a flow that is trained in the same way on a random half of the outcomes, with other initial
//! weights. Where the variance of $\theta$ is inversely proportional to $n$, that of $\theta_k - \theta$ is
//!
//! $$ \operatorname{Var}(\theta_k - \theta) = \Bigl(\frac{2}{n} - \frac{1}{n}\Bigr) \sigma^2 =
//!    \operatorname{Var}(\theta), \tag{1} $$
//!
//! as for the bootstrap. Halves are better here than bootstrap samples: no outcome occurs twice, which would look like
//! a point mass to the marginal maps, and none is both in the training rows and in the held-out rows. They also cost half.
//!
//! # References
//! - J. Shao, C. F. J. Wu: A general theory for jackknife variance estimation. *The Annals of Statistics* 17
//!   (1989), 1176–1197 (the delete-$d$ jackknife).

use burn::tensor::Device;
use nalgebra::DMatrixView;
use rand::{RngExt, seq::SliceRandom};

use crate::{
    error::FlowError,
    flow::Flow,
    train::{
        checkpoint::Checkpoint,
        data::Rows,
        fit::train,
        observer::TrainingObserver,
        record::TrainingRecord,
        rng::{Purpose, stream},
        row_weights::RowWeightsError,
    },
};

/// Trains member `member` of the ensemble of `flow`: with the architecture, the moments, the settings and the kinds of
/// marginal maps of `flow`, on a random half of the outcomes. `record` is the record of the training of `flow`.
///
/// # Shapes
/// - `x`: `[d, n]`, the outcomes that `flow` was trained on
///
/// # Errors
/// [`FlowError::Features`] for outcomes of another number of features than `flow`; [`FlowError::RowWeights`] for a flow
/// of weighted outcomes, because members are trained without weights; otherwise as [`fit`](crate::fit) and, with a
/// checkpoint, as [`fit_resumable`](crate::fit_resumable).
pub fn fit_member(
    x: DMatrixView<'_, f64>,
    flow: &Flow,
    record: &TrainingRecord,
    member: usize,
    device: &Device,
    observer: &mut dyn TrainingObserver,
    checkpoint: Option<&Checkpoint>,
) -> Result<Flow, FlowError> {
    if x.nrows() != flow.features() {
        return Err(FlowError::Features { expected: flow.features(), actual: x.nrows() });
    }
    if record.effective_rows.is_some() {
        return Err(FlowError::RowWeights(RowWeightsError::Member));
    }
    let settings = &record.settings;
    let mut rng = stream(settings.seed(), Purpose::Member, member);
    let mut rows: Vec<usize> = (0..x.ncols()).collect();
    rows.shuffle(&mut rng);
    rows.truncate(x.ncols() / 2);
    rows.sort_unstable();
    let half = x.select_columns(&rows);
    // With half of the outcomes the rule could choose other kinds of maps.
    let marginals = flow.marginals().choices(settings.marginals());
    let settings = settings.to_builder().seed(rng.random()).marginals(marginals).build()?;
    let (config, moments) = (flow.config(), flow.standardise().clone());
    let rows = Rows { x: half.as_view(), weights: None };
    let trained = train(rows, config, moments, &settings, device, observer, checkpoint)?;
    Ok(trained.flow)
}
