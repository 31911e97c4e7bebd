//! What an evaluation yields, as written to `results.json`.

use latent_is::metrics::Errors;
use serde::{Deserialize, Serialize};

use super::{Event, FlowQuality, Method, Preset, RowKey, Space, Trial, TrialRecord};
use crate::experiment::Experiment;

/// A probability by counting.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Probability {
    /// Share of the draws in the event.
    pub pf: f64,
    /// Binomial standard error.
    pub se: f64,
    /// Number of draws.
    pub draws: usize,
}

impl Probability {
    /// From `count` of `draws`.
    pub(crate) fn counted(count: usize, draws: usize) -> Self {
        let pf = count as f64 / draws as f64;
        Self { pf, se: (pf * (1.0 - pf) / draws as f64).sqrt(), draws }
    }
}

/// An evaluation.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Results {
    /// Name of the system.
    pub system: String,
    /// Version of this program.
    pub version: String,
    /// The experiment as run.
    pub experiment: Experiment,
    /// Failure probability by simulation, standardised with the flow's moments.
    pub reference: Probability,
    /// Failure probability of the flow.
    pub flow: Probability,
    /// Probability of the latent surrogate ellipsoids under the standard normal.
    pub surrogate: Probability,
    /// Where the flow comes from.
    pub flow_origin: String,
    /// How well the flow describes the simulator.
    pub flow_quality: FlowQuality,
    /// How the flow was trained.
    pub flow_training: flow_core::TrainingRecord,
    /// The rows of the table.
    pub rows: Vec<Row>,
    /// What is behind them.
    pub trials: Vec<TrialRecord>,
}

/// One row: a search in one space on one event, over all trials.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// Where the search takes place.
    pub space: Space,
    /// The search.
    pub method: Method,
    /// Its settings.
    pub preset: Preset,
    /// The event.
    pub event: Event,
    /// Number of trials.
    pub trials: usize,
    /// Mean of the estimates.
    pub pf_mean: f64,
    /// Standard deviation of the estimates.
    pub pf_sd: f64,
    /// Mean signed relative error against simulation.
    pub rel_err_mean: f64,
    /// Mean absolute relative error against simulation.
    pub rel_err_abs_mean: f64,
    /// Mean absolute relative error against the event's own probability under the flow.
    pub rel_err_flow_abs_mean: f64,
    /// Largest absolute relative error against the event's own probability under the flow.
    pub rel_err_flow_abs_max: f64,
    /// Mean over trials of the mean of −log p over the proposal's draws.
    pub nll_mean: f64,
    /// Mean coverage of the reference failures.
    pub coverage_mean: f64,
    /// Mean density of the failing draws.
    pub density_mean: f64,
    /// Mean number of evaluations, every one counted.
    pub evaluations_mean: f64,
    /// Share of the 95 % intervals that hold the event's own probability under the flow.
    pub interval_coverage: f64,
    /// Share of the estimates whose verdict is `suspect` or `failed`.
    pub flagged: f64,
    /// Mean seconds of an estimate, search and final draws, while other trials shared the cores.
    pub seconds: f64,
}

impl Row {
    pub(super) fn new(
        key: RowKey,
        trials: &[Trial],
        reference: f64,
        own: f64,
    ) -> Result<Self, latent_is::Error> {
        let n = trials.len() as f64;
        let mean = |value: fn(&Trial) -> f64| trials.iter().map(value).sum::<f64>() / n;
        let pfs: Vec<f64> = trials.iter().map(|trial| trial.pf).collect();
        let against_reference = Errors::new(&pfs, reference)?;
        let against_flow = Errors::new(&pfs, own)?;
        Ok(Self {
            space: key.space,
            method: key.method,
            preset: key.preset,
            event: key.event,
            trials: trials.len(),
            pf_mean: against_flow.mean,
            pf_sd: against_flow.sd,
            rel_err_mean: against_reference.bias,
            rel_err_abs_mean: against_reference.abs_mean,
            rel_err_flow_abs_mean: against_flow.abs_mean,
            rel_err_flow_abs_max: against_flow.abs_max,
            nll_mean: mean(|trial| trial.nll),
            coverage_mean: mean(|trial| trial.coverage),
            density_mean: mean(|trial| trial.density),
            evaluations_mean: mean(|trial| trial.evaluations as f64),
            interval_coverage: mean(|trial| f64::from(u8::from(trial.covered))),
            flagged: mean(|trial| f64::from(u8::from(trial.flagged))),
            seconds: mean(|trial| trial.seconds),
        })
    }
}
