//! What a server serves.

use std::fmt;

use nalgebra::DMatrix;
use serde_json::{Map, Value};
use sim_core::{Model, Status};

/// Why a served model gives no output.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ServedError {
    /// An entry of `config` cannot be used.
    #[error("{0}")]
    Config(String),
    /// The model has no output for this input.
    #[error("{0}")]
    NoOutput(String),
}

/// A model as UM-Bridge sees it: vectors in, vectors out.
pub trait Served: Send + Sync {
    /// The name under which it is served.
    fn name(&self) -> &str;
    /// Lengths of the input vectors.
    fn input_sizes(&self) -> Vec<usize>;
    /// Lengths of the output vectors.
    fn output_sizes(&self) -> Vec<usize>;
    /// Evaluates one input. It may be called from several threads at a time.
    ///
    /// # Shapes
    /// - `input`: vectors of [`input_sizes`](Self::input_sizes), which the server has checked
    /// - returns vectors of [`output_sizes`](Self::output_sizes)
    ///
    /// # Errors
    /// [`ServedError`] when there is no output; the client gets its text.
    fn evaluate(
        &self,
        input: &[Vec<f64>],
        config: &Map<String, Value>,
    ) -> Result<Vec<Vec<f64>>, ServedError>;
}

/// Any [`Model`] as a served one: one vector of inputs, one vector of outputs. The entry `seed` of `config` is
/// the seed, 0 if there is none.
#[derive(Debug)]
pub struct ServedModel<M>(pub M);

impl<M: Model + Send> Served for ServedModel<M> {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn input_sizes(&self) -> Vec<usize> {
        vec![self.0.inputs().len()]
    }

    fn output_sizes(&self) -> Vec<usize> {
        vec![self.0.outputs().len()]
    }

    fn evaluate(
        &self,
        input: &[Vec<f64>],
        config: &Map<String, Value>,
    ) -> Result<Vec<Vec<f64>>, ServedError> {
        let seed = match config.get("seed") {
            None => 0,
            Some(seed) => seed.as_u64().ok_or_else(|| {
                ServedError::Config(format!(
                    "`seed` is a whole number from 0 to 2^64 - 1, got {seed}"
                ))
            })?,
        };
        let inputs = input.concat();
        let w = DMatrix::from_vec(inputs.len(), 1, inputs);
        let no_output = |text: String| ServedError::NoOutput(text);
        let result = self.0.evaluate(w.as_view(), &[seed]).map_err(|e| no_output(e.to_string()))?;
        match &result.statuses[..] {
            [Status::Failed { message, .. }] => Err(no_output(message.to_string())),
            _ => Ok(vec![result.outputs.as_slice().to_vec()]),
        }
    }
}

type Function =
    dyn Fn(&[Vec<f64>], &Map<String, Value>) -> Result<Vec<Vec<f64>>, ServedError> + Send + Sync;

/// A function as a served model; for example a criterion after a model.
pub struct ServedFn {
    name: String,
    input_sizes: Vec<usize>,
    output_sizes: Vec<usize>,
    function: Box<Function>,
}

impl ServedFn {
    /// Serves `function`, which is what [`Served::evaluate`] is.
    pub fn new(
        name: impl Into<String>,
        input_sizes: Vec<usize>,
        output_sizes: Vec<usize>,
        function: impl Fn(&[Vec<f64>], &Map<String, Value>) -> Result<Vec<Vec<f64>>, ServedError>
        + Send
        + Sync
        + 'static,
    ) -> Self {
        Self { name: name.into(), input_sizes, output_sizes, function: Box::new(function) }
    }
}

impl fmt::Debug for ServedFn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServedFn").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Served for ServedFn {
    fn name(&self) -> &str {
        &self.name
    }

    fn input_sizes(&self) -> Vec<usize> {
        self.input_sizes.clone()
    }

    fn output_sizes(&self) -> Vec<usize> {
        self.output_sizes.clone()
    }

    fn evaluate(
        &self,
        input: &[Vec<f64>],
        config: &Map<String, Value>,
    ) -> Result<Vec<Vec<f64>>, ServedError> {
        (self.function)(input, config)
    }
}
