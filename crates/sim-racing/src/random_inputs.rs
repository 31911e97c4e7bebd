//! The race as a model: a function of its disturbances and a seed.

use inputs::Inputs;
use nalgebra::{DMatrix, DMatrixView};
use sim_core::{Evaluations, Feature, Model, ModelError, Trajectory, in_blocks};

use crate::{
    racing::{BLOCK, Racing, Runs},
    state::FEATURES,
};

/// The inputs are the disturbances after each of the `steps` control steps: the displacements `dx_1` and
/// `dy_1` (m), the turn `turn_1` (rad), `dx_2` and so on, independent and normal; 603 by default. The
/// perturbations that the controller samples come from the seed: a sample with the seed `s` has the
/// controller of outcome 0 of the sequence of `s`. A run that ends with an infinity or a NaN in its state
/// has no outcome.
impl Model for Racing {
    fn name(&self) -> &'static str {
        "racecar"
    }

    fn inputs(&self) -> &Inputs {
        self.random_inputs()
    }

    fn outputs(&self) -> &[Feature] {
        &FEATURES
    }

    fn evaluate(&self, w: DMatrixView<'_, f64>, seeds: &[u64]) -> Result<Evaluations, ModelError> {
        self.check(w, seeds)?;
        let out = in_blocks(8, w.ncols(), BLOCK, |block, out| {
            let (first, n) = (block * BLOCK, out.len() / 8);
            let disturbances = w.columns(first, n).iter().copied().collect();
            Runs::given(self, &seeds[first..first + n], disturbances).finish(self, out);
        });
        Ok(Evaluations::from_outputs(out))
    }

    fn trajectory(&self, w: &[f64], seed: u64) -> Result<Option<Trajectory>, ModelError> {
        let column = DMatrixView::from_slice(w, w.len(), 1);
        self.check(column, &[seed])?;
        let states = Runs::given(self, &[seed], w.to_vec()).states(self);
        let dt = self.params().car.control_step;
        let values: Vec<f64> = (0_u32..)
            .zip(states)
            .flat_map(|(step, state)| std::iter::once(dt * f64::from(step)).chain(state))
            .collect();
        let columns: Vec<Feature> =
            std::iter::once(Feature::new("time", "s")).chain(FEATURES.iter().cloned()).collect();
        let values = DMatrix::from_vec(9, values.len() / 9, values);
        // The way, and speed and steering over time.
        Ok(Some(Trajectory { columns, values, views: vec![[1, 2], [0, 4], [0, 7]] }))
    }
}
