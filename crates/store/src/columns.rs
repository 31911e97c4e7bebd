//! All evaluations of a store as columns.

use nalgebra::DMatrix;
use sim_core::model::Status;

use crate::{error::StoreError, reader::Reader};

/// All evaluations of a store as columns, in the order in which they ended.
#[derive(Clone, Debug)]
pub struct Columns {
    /// Inputs, `[m, n]`.
    pub inputs: DMatrix<f64>,
    /// Seeds, `[n]`.
    pub seeds: Vec<u64>,
    /// Outputs, `[d, n]`; NaN where there is no outcome.
    pub outputs: DMatrix<f64>,
    /// How each evaluation ended, `[n]`.
    pub statuses: Vec<Status>,
    /// Time that each took, `[n]`.
    pub seconds: Vec<f64>,
    /// Workers, `[n]`.
    pub workers: Vec<u32>,
    /// Levels, `[n]`.
    pub levels: Vec<u32>,
}

impl Columns {
    /// Reads what is left of `reader`.
    ///
    /// # Errors
    /// As the reader's items.
    pub fn read(reader: &mut Reader) -> Result<Self, StoreError> {
        let (m, d) = (reader.identity().inputs.len(), reader.identity().outputs.len());
        let (mut inputs, mut outputs) = (Vec::new(), Vec::new());
        let (mut seeds, mut statuses) = (Vec::new(), Vec::new());
        let (mut seconds, mut workers, mut levels) = (Vec::new(), Vec::new(), Vec::new());
        for evaluation in reader {
            let evaluation = evaluation?;
            inputs.extend_from_slice(&evaluation.inputs);
            outputs.extend_from_slice(&evaluation.outputs);
            seeds.push(evaluation.seed);
            statuses.push(evaluation.status);
            seconds.push(evaluation.seconds);
            workers.push(evaluation.worker);
            levels.push(evaluation.level);
        }
        let n = seeds.len();
        let inputs = DMatrix::from_vec(m, n, inputs);
        let outputs = DMatrix::from_vec(d, n, outputs);
        Ok(Self { inputs, seeds, outputs, statuses, seconds, workers, levels })
    }
}
