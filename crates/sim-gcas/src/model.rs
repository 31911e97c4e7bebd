//! The aircraft as a model: a function of five named inputs.

use inputs::Inputs;
use nalgebra::{DMatrix, DMatrixView};
use sim_core::{Evaluations, Feature, InputError, Model, ModelError, Trajectory, in_blocks};

use crate::{
    gcas::{BLOCK, Gcas},
    params,
    state::{FEATURES, State, features},
};

/// The inputs are the random entries of the initial state in their own units, independent and normal as
/// [`Initial`](crate::Initial) says: `airspeed`, `angle_of_attack`, `roll`, `pitch`, `altitude`. There is
/// no other randomness, so the seeds are ignored. A flight that ends with an infinity or a NaN in its
/// state has no outcome.
///
/// ```
/// use sim_core::Model;
/// use sim_gcas::Gcas;
///
/// let gcas = Gcas::default();
/// let steep = nalgebra::DMatrix::from_column_slice(5, 1, &[540.0, 0.037, -0.39, -0.77, 870.0]);
/// let flight = gcas.evaluate(steep.as_view(), &[0])?;
/// assert!(flight.outputs[(10, 0)] < 0.0); // it ends below the ground
/// # Ok::<(), sim_core::ModelError>(())
/// ```
impl Model for Gcas {
    fn name(&self) -> &'static str {
        "f16"
    }

    fn inputs(&self) -> &Inputs {
        self.random_inputs()
    }

    fn outputs(&self) -> &[Feature] {
        &FEATURES
    }

    fn evaluate(&self, w: DMatrixView<'_, f64>, seeds: &[u64]) -> Result<Evaluations, ModelError> {
        self.check(w, seeds)?;
        let out = in_blocks(12, w.ncols(), BLOCK, |block, out| {
            let columns = w.columns(block * BLOCK, out.len() / 12);
            let mut states: Vec<State> = columns
                .column_iter()
                .map(|c| params::state(std::array::from_fn(|i| c[i])))
                .collect();
            self.finish(&mut states, out);
        });
        Ok(Evaluations::from_outputs(out))
    }

    fn trajectory(&self, w: &[f64], _: u64) -> Result<Option<Trajectory>, ModelError> {
        InputError::check_dim(5, w.len())?;
        let start = params::state(std::array::from_fn(|i| w[i]));
        let history = self.rollout_from(start);
        let times = std::iter::once(0.0).chain(history.records.iter().map(|record| record.time));
        let states = std::iter::once(history.start).chain(history.records.iter().map(|r| r.state));
        let values: Vec<f64> = times
            .zip(states)
            .flat_map(|(time, state)| std::iter::once(time).chain(features(&state)))
            .collect();
        let columns: Vec<Feature> =
            std::iter::once(Feature::new("time", "s")).chain(FEATURES.iter().cloned()).collect();
        let c = columns.len();
        let values = DMatrix::from_vec(c, values.len() / c, values);
        // Altitude, pitch and roll over time, and altitude over the way north.
        let views = vec![[0, 11], [0, 4], [0, 3], [9, 11]];
        Ok(Some(Trajectory { columns, values, views }))
    }
}
