//! What all trials share: the flow, the events, the reference failures and probabilities.

use std::collections::HashMap;

use flow_core::{Flow, FlowFile};
use latent_is::{
    Density, FlowTransport, LimitState, StandardNormal, Transport, Units,
    latent::{Composed, PushForward, enclose, surrogate},
    metrics::KnnReference,
    rng::derive,
};
use mvee::{Mvee, Union};
use nalgebra::{DMatrix, DMatrixView};

use super::{Event, Probability, Results, Row};
use crate::{
    experiment::Experiment,
    progress::Progress,
    reference::Reference,
    system::System,
    training::{reference_seed, simulate},
};

/// Latent draws decoded at a time while the flow's own probability is counted.
const CHUNK: usize = 65_536;

/// The shared part of an evaluation. Target space is standardised throughout.
pub(super) struct Setup {
    transport: FlowTransport,
    failure: Union,
    surrogate: Union,
    /// Reference failures, for coverage and density.
    real: KnnReference,
    metric_draws: usize,
    budget: u64,
    reference: Probability,
    flow: Probability,
    surrogate_event: Probability,
    held_out: f64,
    record: flow_core::TrainingRecord,
}

impl Setup {
    pub(super) fn new(
        system: &System,
        experiment: &Experiment,
        file: FlowFile,
        reference: Option<Reference>,
    ) -> anyhow::Result<Self> {
        let FlowFile { flow, record } = file;
        let simulator = system.simulator();
        anyhow::ensure!(
            flow.features() == simulator.dim(),
            "the flow has {} features, the system `{}` has {}",
            flow.features(),
            system.name,
            simulator.dim()
        );
        let reference = match reference {
            Some(reference) => reference,
            None => simulated(system, experiment, &flow)?,
        };
        reference.check(&flow)?;
        let transport = FlowTransport::new(flow, Units::Standardized);
        let mvee = Mvee::builder().build()?;
        let failure = enclose(&reference.regions, &mvee)?;
        let surrogate = surrogate(&transport, &reference.regions, &mvee)?;
        let held_out = mean_log_prob(&transport, &reference.outcomes)?;
        let shown = reference.failures.ncols().min(experiment.metric_failures);
        let real = KnnReference::new(reference.failures.columns(0, shown), experiment.neighbours)?;
        let reference = reference.probability();
        let [flow, surrogate_event] =
            own_probabilities(&transport, &failure, &surrogate, experiment)?;
        Ok(Self {
            transport,
            failure,
            surrogate,
            real,
            metric_draws: experiment.metric_draws,
            budget: experiment.budget,
            reference,
            flow,
            surrogate_event,
            held_out,
            record,
        })
    }

    pub(super) fn transport(&self) -> &FlowTransport {
        &self.transport
    }

    /// The failure event in target space.
    pub(super) fn failure(&self) -> &Union {
        &self.failure
    }

    /// The failure event seen from latent space, by exact composition.
    pub(super) fn composed(&self) -> anyhow::Result<Composed<&Union, &FlowTransport>> {
        Ok(Composed::new(&self.failure, &self.transport)?)
    }

    /// The surrogate event in latent space.
    pub(super) fn surrogate(&self) -> &Union {
        &self.surrogate
    }

    pub(super) fn latent(&self) -> StandardNormal {
        StandardNormal::new(self.transport.dim())
    }

    pub(super) fn target(&self) -> PushForward<&FlowTransport> {
        PushForward::new(&self.transport)
    }

    pub(super) fn real(&self) -> &KnnReference {
        &self.real
    }

    pub(super) fn metric_draws(&self) -> usize {
        self.metric_draws
    }

    pub(super) fn budget(&self) -> u64 {
        self.budget
    }

    /// The failure probability by simulation.
    pub(super) fn reference(&self) -> &Probability {
        &self.reference
    }

    /// The probability of `event` under the flow itself.
    pub(super) fn own(&self, event: Event) -> &Probability {
        match event {
            Event::True => &self.flow,
            Event::Surrogate => &self.surrogate_event,
        }
    }

    pub(super) fn results(
        self,
        experiment: &Experiment,
        origin: String,
        rows: Vec<Row>,
    ) -> Results {
        Results {
            system: experiment.system.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            experiment: experiment.clone(),
            reference: self.reference,
            flow: self.flow,
            surrogate: self.surrogate_event,
            flow_origin: origin,
            flow_held_out_log_likelihood: self.held_out,
            flow_training: self.record,
            rows,
        }
    }
}

/// A reference from fresh simulations, for systems that simulate fast.
fn simulated(system: &System, experiment: &Experiment, flow: &Flow) -> anyhow::Result<Reference> {
    // Only regions that are given can be had without the training set.
    let regions = system.failure_regions(&DMatrix::zeros(flow.features(), 0))?;
    let seed = reference_seed(experiment);
    let label = "simulating the reference";
    let x = simulate(system.simulator().as_ref(), experiment.reference_runs, seed, label)?;
    Reference::count(flow, regions, &x, system.name, seed, HashMap::new())
}

/// The failing ones of samples `x`, `[d, m]`.
pub(super) fn failing(g: &dyn LimitState, x: DMatrixView<'_, f64>) -> anyhow::Result<DMatrix<f64>> {
    let g = g.evaluate(x)?;
    let columns: Vec<usize> = (0..x.ncols()).filter(|&j| g[j] <= 0.0).collect();
    Ok(x.select_columns(&columns))
}

/// Mean log-density of raw outcomes `x`, per standardised unit.
fn mean_log_prob(transport: &FlowTransport, x: &DMatrix<f64>) -> anyhow::Result<f64> {
    let flow = transport.flow();
    Ok(flow.log_prob(x.as_view())?.mean() - flow.standardize().ln_det())
}

/// Probabilities of the failure and the surrogate event under the flow, from the same draws.
fn own_probabilities(
    transport: &FlowTransport,
    failure: &Union,
    surrogate: &Union,
    experiment: &Experiment,
) -> anyhow::Result<[Probability; 2]> {
    let draws = experiment.flow_draws;
    let progress = Progress::start("the flow's own probability", draws as u64);
    let latent = StandardNormal::new(transport.dim());
    let composed = Composed::new(failure, transport)?;
    let mut counts = [0; 2];
    for (chunk, first) in (0..draws).step_by(CHUNK).enumerate() {
        let n = CHUNK.min(draws - first);
        let u = latent.sample(n, derive(experiment.seed, "flow draws", chunk as u64))?;
        for (count, g) in counts.iter_mut().zip([&composed as &dyn LimitState, surrogate]) {
            *count += g.evaluate(u.as_view())?.iter().filter(|g| **g <= 0.0).count();
        }
        progress.advance(n as u64);
    }
    progress.finish();
    Ok(counts.map(|count| Probability::counted(count, draws)))
}
