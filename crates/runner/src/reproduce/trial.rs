//! One trial of one row.

use std::time::Instant;

use latent_is::{
    Density, Estimate, LevelRecord, LimitState, Transport, metrics, rng::derive, verdict::Status,
};
use nalgebra::{DMatrix, DMatrixView};
use serde::{Deserialize, Serialize};

use crate::{
    estimation::method::Space,
    reproduce::{
        key::{Event, Preset, RowKey},
        setup::Setup,
    },
};

/// Confidence of the intervals whose coverage is counted.
const CONFIDENCE: f64 = 0.95;

/// The outcome of one trial.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Trial {
    /// The estimate.
    pub pf: f64,
    /// Mean of $-\ln p_X$ over draws from the final proposal.
    pub nll: f64,
    /// Coverage of the reference failures.
    pub coverage: f64,
    /// Density of the failing draws.
    pub density: f64,
    /// Number of evaluations of the limit state and of the surrogate.
    pub evaluations: u64,
    /// Whether the interval contains the probability of the event under the flow.
    pub covered: bool,
    /// Whether the verdict on the estimate is `Suspect` or `Failed`.
    pub flagged: bool,
    /// Seconds for search and final draws while other trials used the same cores.
    pub seconds: f64,
    /// The levels of the search.
    pub levels: Vec<SearchLevel>,
}

/// A level of a search.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct SearchLevel {
    /// Evaluations up to the end of this level.
    pub evaluations: u64,
    /// Threshold of `g` (cross-entropy) or width of the smoothed indicator (sequential).
    pub threshold: f64,
}

/// The levels with cumulative evaluations.
fn levels(records: &[LevelRecord]) -> Vec<SearchLevel> {
    let mut evaluations = 0;
    let level = |record: &LevelRecord| {
        evaluations += record.evaluations;
        SearchLevel { evaluations, threshold: record.threshold }
    };
    records.iter().map(level).collect()
}

impl Trial {
    /// Runs the estimator of the row `key` and measures its final proposal.
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

/// Runs the estimator of the row `key`.
///
/// The search of the paper uses the surrogate event, so the preset `paper` evaluates the true event
/// only in the final draws. The default preset searches on the true event.
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

/// Draws from the final proposal of a trial, in target space.
struct Draws {
    x: DMatrix<f64>,
    /// Mean of $-\ln p_X$ over all draws, failures or not.
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
        let mapped = setup.transport().decode(u)?;
        // ln p_X(T(u)) = ln φ(u) − ln|det J_T(u)|
        let nll = mapped.ln_det.mean() - setup.latent().ln_pdf(u)?.mean();
        Ok(Self { x: mapped.points, nll })
    }
}

/// The failures among the samples `x`, `[d, m]`.
fn failing(g: &dyn LimitState, x: DMatrixView<'_, f64>) -> anyhow::Result<DMatrix<f64>> {
    let g = g.evaluate(x)?;
    let columns: Vec<usize> = (0..x.ncols()).filter(|&j| g[j] <= 0.0).collect();
    Ok(x.select_columns(&columns))
}
