//! One row of the table.

use latent_is::metrics::Errors;
use serde::{Deserialize, Serialize};

use crate::{
    estimation::method::{MethodKind, Space},
    reproduce::{
        key::{Event, Preset, RowKey},
        trial::Trial,
    },
};

/// All trials of one estimator in one space on one event.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// The space in which the estimator works.
    pub space: Space,
    /// The estimator.
    pub method: MethodKind,
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
    /// Mean absolute relative error against the probability of the event under the flow.
    pub rel_err_flow_abs_mean: f64,
    /// Largest absolute relative error against the probability of the event under the flow.
    pub rel_err_flow_abs_max: f64,
    /// Mean over the trials of the mean of −ln p over draws from the proposal.
    pub nll_mean: f64,
    /// Mean coverage of the reference failures.
    pub coverage_mean: f64,
    /// Mean density of the failing draws.
    pub density_mean: f64,
    /// Mean number of evaluations, including those of the surrogate.
    pub evaluations_mean: f64,
    /// Share of the 95 % intervals that contain the probability of the event under the flow.
    pub interval_coverage: f64,
    /// Share of the estimates whose verdict is `suspect` or `failed`.
    pub flagged: f64,
    /// Mean seconds per estimate (search and final draws) while other trials used the same cores.
    pub seconds: f64,
}

impl Row {
    /// Summarises the trials of the row `key`; `reference` is the failure probability by simulation,
    /// `own` the probability of the event under the flow.
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
