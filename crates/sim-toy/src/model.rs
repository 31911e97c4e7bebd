//! The robot as a model: a function of its disturbances and the change of its turn rate.

use inputs::Inputs;
use nalgebra::{DMatrix, DMatrixView};
use sim_core::{Evaluations, Feature, Model, ModelError, Trajectory, in_blocks};

use crate::{
    disturbances::{BLOCK, Given},
    robot::{FEATURES, Robot},
};

/// The inputs are the disturbances of each step, `u_1` and `v_1` (m), `omega_1` (rad), `u_2` and so on,
/// independent and normal, and `flip`: 1 where the turn rate changes its sign, otherwise 0. By default
/// these are 121. There is no other randomness, so the seeds are ignored. A run whose final pose is
/// infinite or NaN has no outcome.
///
/// ```
/// use sim_core::Model;
/// use sim_toy::Robot;
///
/// let robot = Robot::default();
/// let mean = robot.inputs().mean(); // no disturbance, half a flip
/// let mut w = nalgebra::DMatrix::from_columns(&[mean.clone(), mean]);
/// (w[(120, 0)], w[(120, 1)]) = (0.0, 1.0);
/// let poses = robot.evaluate(w.as_view(), &[0, 0])?.outputs;
/// // 40 steps of 0.1 rad, or 16 of them and 24 of -0.1 rad.
/// assert!((poses[(2, 0)] - 4.0).abs() < 1e-12 && (poses[(2, 1)] + 0.8).abs() < 1e-12);
/// # Ok::<(), sim_core::ModelError>(())
/// ```
impl Model for Robot {
    fn name(&self) -> &'static str {
        "robot"
    }

    fn inputs(&self) -> &Inputs {
        self.random_inputs()
    }

    fn outputs(&self) -> &[Feature] {
        &FEATURES
    }

    fn evaluate(&self, w: DMatrixView<'_, f64>, seeds: &[u64]) -> Result<Evaluations, ModelError> {
        self.check(w, seeds)?;
        let out = in_blocks(3, w.ncols(), BLOCK, |block, out| {
            let mut given = Given(w.columns(block * BLOCK, out.len() / 3));
            self.finish(&mut given, out);
        });
        Ok(Evaluations::from_outputs(out))
    }

    fn trajectory(&self, w: &[f64], seed: u64) -> Result<Option<Trajectory>, ModelError> {
        let w = DMatrixView::from_slice(w, w.len(), 1);
        self.check(w, &[seed])?;
        let poses = self.poses(&mut Given(w));
        let values: Vec<f64> = (0_u32..)
            .zip(poses)
            .flat_map(|(step, pose)| std::iter::once(f64::from(step)).chain(pose.to_array()))
            .collect();
        let columns: Vec<Feature> =
            std::iter::once(Feature::new("time", "s")).chain(FEATURES.iter().cloned()).collect();
        let values = DMatrix::from_vec(4, values.len() / 4, values);
        Ok(Some(Trajectory { columns, values, views: vec![[1, 2], [0, 3]] }))
    }
}
