//! The aircraft as a simulator: features of final states in blocks, or one whole flight.

use inputs::Inputs;
use nalgebra::{DMatrix, DMatrixView};
use rand_distr::{Distribution, StandardNormal};
use serde::{Deserialize, Serialize};
use sim_core::{Feature, InputError, Simulator, in_blocks, rng};

use crate::{
    history::History,
    params::{GcasParams, ParamsError},
    state::{FEATURES, State, features},
};

/// Flights per random stream.
pub(crate) const BLOCK: usize = 256;

/// The F-16 with its autopilot and checked settings; the default is the published experiment in
/// double precision.
///
/// It is made from [`GcasParams`], which can be read back with [`params`](Self::params), and it is
/// serialised as them; settings that are out of range are refused when it is deserialised.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "GcasParams", into = "GcasParams")]
pub struct Gcas {
    params: GcasParams,
    inputs: Inputs,
}

impl Default for Gcas {
    fn default() -> Self {
        Self::new(GcasParams::default()).expect("default settings are valid")
    }
}

impl TryFrom<GcasParams> for Gcas {
    type Error = ParamsError;

    fn try_from(params: GcasParams) -> Result<Self, ParamsError> {
        Self::new(params)
    }
}

impl From<Gcas> for GcasParams {
    fn from(gcas: Gcas) -> Self {
        gcas.params
    }
}

impl Gcas {
    /// A simulator with the given settings.
    ///
    /// # Errors
    /// [`ParamsError`] when a setting is out of range.
    pub fn new(params: GcasParams) -> Result<Self, ParamsError> {
        params.validate()?;
        Ok(Self { params, inputs: params.initial.inputs()? })
    }

    /// The settings.
    pub fn params(&self) -> &GcasParams {
        &self.params
    }

    /// The five random inputs of the initial state.
    pub(crate) fn random_inputs(&self) -> &Inputs {
        &self.inputs
    }

    /// Simulates flights from given initial states, in parallel. A flight that ends with an infinity or a
    /// NaN in its state has NaN in all its features.
    ///
    /// # Shapes
    /// - `states`: `[16, n]`, one initial state per column, in the order of [`index`](crate::index)
    /// - returns `[12, n]`, the features
    ///
    /// # Errors
    /// [`InputError::Dimension`] when `states` has another number of rows.
    pub fn simulate_from(&self, states: DMatrixView<'_, f64>) -> Result<DMatrix<f64>, InputError> {
        InputError::check_dim(16, states.nrows())?;
        Ok(in_blocks(12, states.ncols(), BLOCK, |block, out| {
            let columns = states.columns(block * BLOCK, out.len() / 12);
            let mut states: Vec<State> =
                columns.column_iter().map(|c| std::array::from_fn(|i| c[i])).collect();
            self.finish(&mut states, out);
        }))
    }

    /// Returns outcome `index` of the sequence of `seed` as a whole flight. Its final state has the features
    /// in column `index` of [`Simulator::simulate`], to the last bit.
    pub fn rollout(&self, seed: u64, index: u64) -> History {
        let (block, lane) = (index / BLOCK as u64, (index % BLOCK as u64) as usize);
        let states = self.initial_states(seed, block, lane + 1);
        self.rollout_from(states[lane])
    }

    /// Returns the whole flight from a given initial state.
    pub fn rollout_from(&self, start: State) -> History {
        self.params.plan().record(start, self.params.record_every)
    }

    /// Draws the first `n` initial states of a block.
    fn initial_states(&self, seed: u64, block: u64, n: usize) -> Vec<State> {
        let mut rng = rng::stream(rng::derive(seed, "gcas", 0), block);
        let mut draw =
            || self.params.initial.state([(); 5].map(|()| StandardNormal.sample(&mut rng)));
        (0..n).map(|_| draw()).collect()
    }

    /// Replaces `states` by the final states of their flights and writes their features to `out`, one flight
    /// after the other.
    pub(crate) fn finish(&self, states: &mut [State], out: &mut [f64]) {
        self.params.plan().fly(self.params.registers, states);
        for (out, state) in out.chunks_exact_mut(12).zip(states) {
            let finished = state.iter().all(|v| v.is_finite());
            out.copy_from_slice(&if finished { features(state) } else { [f64::NAN; 12] });
        }
    }
}

impl Simulator for Gcas {
    fn name(&self) -> &'static str {
        "f16"
    }

    fn features(&self) -> &[Feature] {
        &FEATURES
    }

    fn block_len(&self) -> usize {
        BLOCK
    }

    fn simulate_block(&self, seed: u64, block: u64, out: &mut [f64]) {
        let mut states = self.initial_states(seed, block, out.len() / 12);
        self.finish(&mut states, out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_written_as_its_settings_and_read_through_their_checks() {
        let gcas = Gcas::new(GcasParams { steps: 10, ..GcasParams::default() }).unwrap();
        let text = serde_json::to_string(&gcas).unwrap();
        assert_eq!(text, serde_json::to_string(gcas.params()).unwrap());
        assert_eq!(serde_json::from_str::<Gcas>(&text).unwrap(), gcas);
        let error = serde_json::from_str::<Gcas>(r#"{"steps": 0}"#).unwrap_err().to_string();
        assert!(error.contains("`steps` must be at least 1"), "{error}");
    }
}
