//! What all trials share: the flow, the events, the reference failures and probabilities.

use std::collections::HashMap;

use flow_core::{Flow, FlowFile};
use latent_is::{
    FlowTransport, LimitState, StandardNormal, Transport, Units,
    latent::{ComposedLimitState, PushForward, enclose, surrogate},
    metrics::KnnReference,
};
use mvee::{Mvee, Union};
use nalgebra::{DMatrix, DMatrixView};
use serde::Serialize;

use super::{Event, FlowQuality, Probability, Results, Row, TrialRecord, quality::FlowDraws};
use crate::{
    experiment::Experiment,
    reference::Reference,
    system::System,
    training::{reference_seed, simulate},
};

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
    quality: FlowQuality,
    record: flow_core::TrainingRecord,
    /// What is drawn: features, some outcomes and failures.
    names: Vec<String>,
    kept: Reference,
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
        let transport = FlowTransport::new(flow, Units::Standardised);
        let mvee = Mvee::builder().build()?;
        let failure = enclose(&reference.regions, &mvee)?;
        let surrogate = surrogate(&transport, &reference.regions, &mvee)?;
        let shown = reference.failures.ncols().min(experiment.metric_failures);
        let real = KnnReference::new(reference.failures.columns(0, shown), experiment.neighbours)?;
        let draws = FlowDraws::count(&transport, &failure, &surrogate, experiment)?;
        let names: Vec<String> = simulator.features().iter().map(|f| f.name().to_owned()).collect();
        let quality = FlowQuality::new(&transport, &failure, &reference, &draws, &names)?;
        Ok(Self {
            transport,
            failure,
            surrogate,
            real,
            metric_draws: experiment.metric_draws,
            budget: experiment.budget,
            reference: reference.probability(),
            flow: draws.failure,
            surrogate_event: draws.surrogate,
            quality,
            record,
            names,
            kept: reference,
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
    pub(super) fn composed(&self) -> anyhow::Result<ComposedLimitState<&Union, &FlowTransport>> {
        Ok(ComposedLimitState::new(&self.failure, &self.transport)?)
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

    /// Names of the features.
    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    /// What the estimates are held to, with some outcomes and failures.
    pub(super) fn kept(&self) -> &Reference {
        &self.kept
    }

    /// What all trials start from, so that trials of another evaluation are told apart.
    pub(super) fn about(&self, experiment: &Experiment) -> impl Serialize {
        // The number of trials and what is held to them change no trial.
        let experiment = Experiment { trials: 1, ..experiment.clone() };
        let version = env!("CARGO_PKG_VERSION");
        let figures = (&self.reference, &self.flow, &self.surrogate_event, &self.quality);
        serde_json::json!({ "version": version, "experiment": experiment, "figures": figures })
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
        trials: Vec<TrialRecord>,
    ) -> Results {
        Results {
            system: experiment.system.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            experiment: experiment.clone(),
            reference: self.reference,
            flow: self.flow,
            surrogate: self.surrogate_event,
            flow_origin: origin,
            flow_quality: self.quality,
            flow_training: self.record,
            rows,
            trials,
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
