//! What all trials share: the flow, the events, the reference failures and probabilities.

use flow_core::{FlowFile, TrainingRecord};
use latent_is::{
    FlowTransport, StandardNormal, Transport, Units,
    latent::{ComposedLimitState, PushForward, enclose, surrogate},
    metrics::KnnReference,
};
use mvee::{Mvee, Union};
use serde::Serialize;

use crate::{
    reproduce::{
        key::Event,
        quality::{FlowDraws, FlowQuality},
    },
    systems::{
        experiment::Experiment, probability::CountedProbability, reference::Reference,
        system::System,
    },
    training::from_scratch::simulated_reference,
};

/// What all trials of an evaluation share. All of target space is standardised.
pub struct Setup {
    transport: FlowTransport,
    failure: Union,
    surrogate: Union,
    /// Reference failures, for coverage and density.
    real: KnnReference,
    metric_draws: usize,
    budget: u64,
    reference: CountedProbability,
    flow: CountedProbability,
    surrogate_event: CountedProbability,
    quality: FlowQuality,
    record: TrainingRecord,
    names: Vec<String>,
    samples: Reference,
}

impl Setup {
    pub(super) fn new(
        system: &System,
        experiment: &Experiment,
        file: FlowFile,
        reference: Option<Reference>,
    ) -> anyhow::Result<Self> {
        let FlowFile { flow, record, .. } = file;
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
            None => simulated_reference(system, experiment, &flow)?,
        };
        reference.check(&flow)?;
        let transport = FlowTransport::new(flow, Units::Standardised);
        let mvee = Mvee::builder().build()?;
        let failure = enclose(&reference.regions, &mvee)?;
        let surrogate = surrogate(&transport, &reference.regions, &mvee)?;
        let shown = reference.failures.ncols().min(experiment.metric_failures);
        let real = KnnReference::new(reference.failures.columns(0, shown), experiment.neighbours)?;
        let draws = FlowDraws::count(&transport, &failure, &surrogate, experiment)?;
        let names = system.feature_names();
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
            samples: reference,
        })
    }

    /// The flow, with target space standardised.
    pub(crate) fn transport(&self) -> &FlowTransport {
        &self.transport
    }

    /// The failure event in target space.
    pub(crate) fn failure(&self) -> &Union {
        &self.failure
    }

    /// The failure event in latent space, by exact composition with the flow.
    pub(super) fn composed(&self) -> anyhow::Result<ComposedLimitState<&Union, &FlowTransport>> {
        Ok(ComposedLimitState::new(&self.failure, &self.transport)?)
    }

    /// The surrogate event in latent space.
    pub(crate) fn surrogate(&self) -> &Union {
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

    /// Names of the features, `[d]`.
    pub(crate) fn names(&self) -> &[String] {
        &self.names
    }

    /// The reference, with some of its outcomes and failures.
    pub(crate) fn samples(&self) -> &Reference {
        &self.samples
    }

    /// What identifies an evaluation: trials with another identity cannot be reused.
    pub(super) fn identity(&self, experiment: &Experiment) -> impl Serialize {
        // The number of trials does not change a trial.
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
    pub(super) fn reference(&self) -> &CountedProbability {
        &self.reference
    }

    /// The flow compared with the simulator.
    pub(super) fn quality(&self) -> &FlowQuality {
        &self.quality
    }

    /// How the flow was trained.
    pub(super) fn training_record(&self) -> &TrainingRecord {
        &self.record
    }

    /// The probability of `event` under the flow.
    pub(super) fn own(&self, event: Event) -> &CountedProbability {
        match event {
            Event::True => &self.flow,
            Event::Surrogate => &self.surrogate_event,
        }
    }
}
