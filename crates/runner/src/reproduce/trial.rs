//! One trial of one row.

use std::time::Instant;

use latent_is::{Density, Estimate, LevelRecord, Transport, metrics, verdict::Status};
use nalgebra::{DMatrix, DMatrixView};
use serde::{Deserialize, Serialize};

use super::{
    Event, Preset, RowKey, Space,
    setup::{Setup, failing},
};
use latent_is::rng::derive;

/// Confidence of the intervals whose coverage is counted.
const CONFIDENCE: f64 = 0.95;

/// What one trial yields.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    /// The estimate.
    pub pf: f64,
    /// Mean of $-\log p_X$ over draws of the final proposal.
    pub nll: f64,
    /// Coverage of the reference failures.
    pub coverage: f64,
    /// Density of the failing draws.
    pub density: f64,
    /// Every evaluation, of the limit state and of the surrogate.
    pub evaluations: u64,
    /// Whether the interval holds the event's probability under the flow.
    pub covered: bool,
    /// Whether the estimate's verdict warns against it.
    pub flagged: bool,
    /// Seconds of search and final draws, while other trials shared the cores.
    pub seconds: f64,
    /// The levels of the search.
    pub levels: Vec<Level>,
}

/// A level of a search.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Level {
    /// Evaluations up to its end.
    pub evaluations: u64,
    /// Threshold of `g` (cross-entropy) or width of the smoothed indicator (sequential).
    pub threshold: f64,
}

/// The levels with their evaluations summed up.
fn levels(records: &[LevelRecord]) -> Vec<Level> {
    let mut evaluations = 0;
    let level = |record: &LevelRecord| {
        evaluations += record.evaluations;
        Level { evaluations, threshold: record.threshold }
    };
    records.iter().map(level).collect()
}

impl Trial {
    pub(super) fn run(setup: &Setup, key: RowKey, seed: u64) -> anyhow::Result<Self> {
        let begin = Instant::now();
        let estimate = estimate(setup, key, seed)?;
        let seconds = begin.elapsed().as_secs_f64();
        let draws = Draws::of(setup, key.space, &estimate, derive(seed, "metrics", 0))?;
        let fake = failing(setup.failure(), draws.x.as_view())?;
        let fidelity = setup.real().density_coverage(fake.as_view())?;
        Ok(Self {
            pf: estimate.pf(),
            nll: draws.nll,
            coverage: fidelity.coverage,
            density: fidelity.density,
            evaluations: estimate.counts.evaluations + estimate.counts.surrogate_evaluations,
            flagged: matches!(estimate.verdict().status, Status::Suspect | Status::Failed),
            covered: estimate.interval(CONFIDENCE).contains(setup.own(key.event).pf),
            seconds,
            levels: levels(estimate.levels()),
        })
    }
}

/// Runs the row's estimator.
///
/// The paper searches on the surrogate, so its preset meets the true event only in the final draws;
/// ours searches on the true event itself.
pub(super) fn estimate(setup: &Setup, key: RowKey, seed: u64) -> anyhow::Result<Estimate> {
    let estimator = key.estimator(setup.budget())?;
    let (latent, surrogate) = (setup.latent(), setup.surrogate());
    Ok(match (key.space, key.event, key.preset) {
        (Space::Target, _, _) => estimator.estimate(&setup.target(), setup.failure(), seed)?,
        (Space::Latent, Event::Surrogate, _) => estimator.estimate(&latent, surrogate, seed)?,
        (Space::Latent, Event::True, Preset::Paper) => {
            estimator.estimate_corrected(&latent, surrogate, &setup.composed()?, seed)?
        }
        (Space::Latent, Event::True, Preset::Default) => {
            estimator.estimate(&latent, &setup.composed()?, seed)?
        }
    })
}

/// Draws of a trial's final proposal, in target space.
struct Draws {
    x: DMatrix<f64>,
    /// Mean of $-\log p_X$ over all draws, failing or not.
    nll: f64,
}

impl Draws {
    fn of(setup: &Setup, space: Space, estimate: &Estimate, seed: u64) -> anyhow::Result<Self> {
        let n = setup.metric_draws();
        let proposal = estimate.proposal.as_ref();
        let proposal = proposal.ok_or_else(|| anyhow::anyhow!("the estimate has no proposal"))?;
        match space {
            Space::Target => {
                let nominal = setup.target();
                let x = proposal.over(&nominal).sample(n, seed)?;
                Ok(Self { nll: metrics::nll(&nominal, x.as_view())?, x })
            }
            Space::Latent => {
                let nominal = setup.latent();
                let u = proposal.over(&nominal).sample(n, seed)?;
                Self::decoded(setup, u.as_view())
            }
        }
    }

    fn decoded(setup: &Setup, u: DMatrixView<'_, f64>) -> anyhow::Result<Self> {
        let image = setup.transport().decode(u)?;
        // log p_X(T(u)) = log φ(u) − log|det J_T(u)|
        let nll = image.ln_det.mean() - setup.latent().ln_pdf(u)?.mean();
        Ok(Self { x: image.points, nll })
    }
}
