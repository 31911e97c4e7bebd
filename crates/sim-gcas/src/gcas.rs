//! The aircraft as a simulator: features of final states in blocks, or one whole flight.

use latent_is::{EvalError, Feature, Simulator, rng};
use nalgebra::{DMatrix, DMatrixView};
use rand_distr::{Distribution, StandardNormal};
use rayon::prelude::*;

use crate::{
    GcasParams, History, ParamsError,
    state::{FEATURES, State, features},
};

/// Flights that share a random stream.
pub(crate) const BLOCK: usize = 256;

/// The F-16 with its autopilot and checked settings; the default is the published experiment in
/// double precision.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Gcas {
    params: GcasParams,
}

impl Gcas {
    /// A simulator with the given settings.
    ///
    /// # Errors
    /// [`ParamsError`] when a setting is out of range.
    pub fn new(params: GcasParams) -> Result<Self, ParamsError> {
        params.validate()?;
        Ok(Self { params })
    }

    /// The settings.
    pub fn params(&self) -> &GcasParams {
        &self.params
    }

    /// Flies given initial states, in parallel; a flight that ends in an infinite or undefined
    /// number comes back as NaN in all its features.
    ///
    /// # Shapes
    /// - `states`: `[16, n]`, one initial state a column, in the order of [`index`](crate::index)
    /// - returns `[12, n]`, the features
    ///
    /// # Errors
    /// [`EvalError::Dimension`] when `states` has another number of rows.
    pub fn simulate_from(&self, states: DMatrixView<'_, f64>) -> Result<DMatrix<f64>, EvalError> {
        EvalError::check_dim(16, states.nrows())?;
        let mut out = DMatrix::zeros(12, states.ncols());
        out.as_mut_slice().par_chunks_mut(12 * BLOCK).enumerate().for_each(|(block, out)| {
            let columns = states.columns(block * BLOCK, out.len() / 12);
            let mut states: Vec<State> =
                columns.column_iter().map(|c| std::array::from_fn(|i| c[i])).collect();
            self.finish(&mut states, out);
        });
        Ok(out)
    }

    /// Outcome `index` of the sequence of `seed` as a whole flight; it ends exactly where column
    /// `index` of [`Simulator::simulate`] does.
    pub fn rollout(&self, seed: u64, index: u64) -> History {
        let (block, lane) = (index / BLOCK as u64, (index % BLOCK as u64) as usize);
        let states = self.initial_states(seed, block, lane + 1);
        self.rollout_from(states[lane])
    }

    /// The whole flight from a given initial state.
    pub fn rollout_from(&self, start: State) -> History {
        self.params.plan().record(start, self.params.record_every)
    }

    /// The first `n` initial states of a block.
    fn initial_states(&self, seed: u64, block: u64, n: usize) -> Vec<State> {
        let mut rng = rng::stream(rng::derive(seed, "gcas", 0), block);
        let mut draw =
            || self.params.initial.state([(); 5].map(|()| StandardNormal.sample(&mut rng)));
        (0..n).map(|_| draw()).collect()
    }

    /// Flies `states` to their ends and writes their features one after the other.
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
        "gcas"
    }

    fn features(&self) -> &'static [Feature] {
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
