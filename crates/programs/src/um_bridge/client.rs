//! A model of a UM-Bridge server.

use std::{ops::Range, sync::Arc, time::Duration};

use inputs::Inputs;
use nalgebra::DMatrixView;
use serde_json::{Map, Value};
use sim_core::{Evaluations, FailureKind, Feature, Model, ModelError, Status};
use store::{EvaluateEach, Report, in_order};

use crate::{
    config::{ModelConfig, OutputsConfig, Source},
    error::ProgramError,
    pool::{Pool, Workers},
    text::join,
    work::{Answer, Attempt, Batch, Worker, bad, finite},
};

use super::{
    connection::{Connection, Refusal},
    messages::{Info, InputSizes, ModelInfo, Output, OutputSizes, Request, VERSION},
};

/// The time limit of the first questions to a server.
const GREETING: Duration = Duration::from_secs(10);

/// The errors of the protocol that say that the two sides do not fit together.
const MISFITS: [&str; 5] =
    ["InvalidInput", "InvalidOutput", "InvalidConfig", "ModelNotFound", "UnsupportedFeature"];

/// A model of a UM-Bridge server. As many requests are open at a time as there are workers.
///
/// The seed of a sample travels as `seed` in the `config` of its request, beside the entries of the model's
/// own `config`.
#[derive(Debug)]
pub struct UmBridgeModel {
    name: String,
    inputs: Inputs,
    outputs: OutputsConfig,
    pool: Pool<Requests>,
}

impl UmBridgeModel {
    /// A model of this name that is the server model of `config`. Asks the server for its version, its models
    /// and their sizes.
    ///
    /// # Errors
    /// - [`ProgramError::Config`]: the configuration is not one of a server, or its address is none
    /// - [`ProgramError::NoServer`], [`ProgramError::SlowServer`]: no answer
    /// - [`ProgramError::Protocol`]: another version, no such model, or other numbers of inputs or outputs
    pub fn connect(
        name: impl Into<String>,
        config: &ModelConfig,
        inputs: Inputs,
        outputs: OutputsConfig,
    ) -> Result<Self, ProgramError> {
        let Source::UmBridge { url, name: on_server, config: settings } = &config.source else {
            let reason = "this model is not on a server".to_owned();
            return Err(ProgramError::Config { key: "um_bridge", reason });
        };
        let limit = config.run.timeout().unwrap_or(GREETING);
        let sizes = greet(&Connection::new(url, Some(limit))?, limit, on_server, settings)?;
        let fits = |what: &str, here: usize, there: &[usize]| {
            let total: usize = there.iter().sum();
            if here == total {
                return Ok(());
            }
            let reason = format!(
                "`{on_server}` has {total} {what} (in vectors of {there:?}), the model's file names {here}"
            );
            Err(ProgramError::Protocol { url: url.clone(), reason })
        };
        fits("inputs", inputs.len(), &sizes.0)?;
        fits("outputs", outputs.features().len(), &sizes.1)?;
        let shared = Arc::new(Shared {
            connection: Connection::new(url, config.run.timeout())?,
            name: on_server.clone(),
            config: settings.clone(),
            input_sizes: sizes.0,
            output_sizes: sizes.1,
            outputs: outputs.features().iter().map(|output| output.name().to_owned()).collect(),
            timeout: config.run.timeout(),
        });
        let make = |_| Requests { shared: Arc::clone(&shared), alive: false };
        let pool = Pool::new(config.run.clone(), 1, make);
        Ok(Self { name: name.into(), inputs, outputs, pool })
    }

    /// The workers at this moment, also while a batch is evaluated.
    pub fn workers(&self) -> Workers {
        self.pool.workers()
    }
}

/// Asks a server for the sizes of inputs and outputs of a model.
fn greet(
    connection: &Connection,
    limit: Duration,
    name: &str,
    config: &Map<String, Value>,
) -> Result<(Vec<usize>, Vec<usize>), ProgramError> {
    let url = || connection.url().to_owned();
    let wrong = |reason: String| ProgramError::Protocol { url: url(), reason };
    let refused = |refusal| match refusal {
        Refusal::Broken(reason) => ProgramError::NoServer { url: url(), reason },
        Refusal::Slow => ProgramError::SlowServer { url: url(), limit },
        Refusal::Error(reason) => wrong(format!("{}: {}", reason.kind, reason.message)),
        Refusal::Status(status, body) => {
            wrong(format!("no UM-Bridge server? It replies with status {status}: {body}"))
        }
        Refusal::Unreadable(reason) => wrong(format!("no UM-Bridge server? {reason}")),
    };
    let info: Info = connection.get("/Info").map_err(refused)?;
    if info.version != VERSION {
        return Err(wrong(format!(
            "it speaks version {} of the protocol, this program version {VERSION}",
            info.version
        )));
    }
    if !info.models.iter().any(|model| model == name) {
        let models: Vec<&str> = info.models.iter().map(String::as_str).collect();
        return Err(wrong(format!("no model `{name}`; it has {}. Mend `name`", join(&models))));
    }
    let request = Request { name: name.to_owned(), input: None, config: config.clone() };
    let about: ModelInfo = connection.post("/ModelInfo", &request).map_err(refused)?;
    if !about.support.evaluate {
        return Err(wrong(format!("its model `{name}` cannot be evaluated")));
    }
    let inputs: InputSizes = connection.post("/InputSizes", &request).map_err(refused)?;
    let outputs: OutputSizes = connection.post("/OutputSizes", &request).map_err(refused)?;
    Ok((inputs.sizes, outputs.sizes))
}

#[derive(Debug)]
struct Shared {
    connection: Connection,
    name: String,
    config: Map<String, Value>,
    input_sizes: Vec<usize>,
    output_sizes: Vec<usize>,
    /// Names of the outputs.
    outputs: Vec<String>,
    timeout: Option<Duration>,
}

/// A worker: one request at a time.
#[derive(Debug)]
struct Requests {
    shared: Arc<Shared>,
    alive: bool,
}

impl Worker for Requests {
    fn is_alive(&self) -> bool {
        self.alive
    }

    fn attempt(&mut self, batch: Batch<'_>, job: Range<usize>) -> Attempt {
        let column = batch.w.column(job.start);
        let attempt = self.shared.evaluate(column.as_slice(), batch.seeds[job.start]);
        self.alive = matches!(attempt, Attempt::Answers(_));
        attempt
    }
}

impl Shared {
    fn evaluate(&self, inputs: &[f64], seed: u64) -> Attempt {
        let mut rest = inputs;
        let input = self.input_sizes.iter().map(|&size| {
            let (vector, more) = rest.split_at(size);
            rest = more;
            vector.to_vec()
        });
        let input = Some(input.collect());
        let mut config = self.config.clone();
        config.insert("seed".to_owned(), seed.into());
        let request = Request { name: self.name.clone(), input, config };
        let crashed = |reason: String| Attempt::lost(FailureKind::Crashed, reason);
        match self.connection.post::<Output>("/Evaluate", &request) {
            Ok(output) => Attempt::Answers(vec![self.answer(&output.output)]),
            Err(Refusal::Error(reason)) => {
                let message = format!("{}: {}", reason.kind, reason.message);
                let misfit = MISFITS.contains(&reason.kind.as_str());
                let kind = if misfit { FailureKind::BadAnswer } else { FailureKind::Reported };
                Attempt::Answers(vec![Err(Status::failed(kind, message))])
            }
            Err(Refusal::Unreadable(reason)) => Attempt::Answers(vec![Err(bad(reason))]),
            Err(Refusal::Slow) => {
                let limit = self.timeout.unwrap_or_default();
                Attempt::lost(FailureKind::TimedOut, format!("no reply within {limit:?}"))
            }
            Err(Refusal::Broken(reason)) => {
                crashed(format!("{} does not reply: {reason}", self.connection.url()))
            }
            Err(Refusal::Status(status, body)) => {
                let message =
                    format!("{} replies with status {status}: {body}", self.connection.url());
                match status {
                    // The server of PyPI says so when the model raised an exception.
                    500 => {
                        let status = Status::failed(FailureKind::Crashed, message);
                        Attempt::Answers(vec![Err(status)])
                    }
                    // Too busy, or a gateway whose server is gone.
                    429 | 502 | 503 | 504 => crashed(message),
                    _ => Attempt::Answers(vec![Err(bad(message))]),
                }
            }
        }
    }

    fn answer(&self, output: &[Vec<Option<f64>>]) -> Answer {
        let sizes: Vec<usize> = output.iter().map(Vec::len).collect();
        if sizes != self.output_sizes {
            return Err(bad(format!(
                "the output has vectors of {sizes:?}, the server promised {:?}",
                self.output_sizes
            )));
        }
        let values = output.iter().flatten().map(|value| value.unwrap_or(f64::NAN));
        finite(&self.outputs, values.collect())
    }
}

impl Model for UmBridgeModel {
    fn name(&self) -> &str {
        &self.name
    }

    fn inputs(&self) -> &Inputs {
        &self.inputs
    }

    fn outputs(&self) -> &[Feature] {
        self.outputs.features()
    }

    fn evaluate(&self, w: DMatrixView<'_, f64>, seeds: &[u64]) -> Result<Evaluations, ModelError> {
        in_order(self, w, seeds)
    }
}

impl EvaluateEach for UmBridgeModel {
    fn evaluate_each(
        &self,
        w: DMatrixView<'_, f64>,
        seeds: &[u64],
        report: &mut Report<'_>,
    ) -> Result<(), ModelError> {
        self.check(w, seeds)?;
        self.pool.evaluate(Batch { w, seeds }, self.outputs().len(), report)
    }
}
