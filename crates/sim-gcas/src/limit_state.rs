//! The limit-state function with the simulator in the loop.

use nalgebra::{DMatrixView, DVector};
use rayon::prelude::*;
use sim_core::InputError;

use crate::{
    criterion::Criterion,
    gcas::{BLOCK, Gcas},
    state::State,
};

impl Gcas {
    /// Returns the limit state $g$ of flights, in parallel, as a function of the five standard normal
    /// numbers $u$ behind their initial states: airspeed, angle of attack, roll angle, pitch angle,
    /// altitude. A flight is a failure when $g(u) \le 0$.
    ///
    /// The density of $u$ is known exactly, the standard normal density in five dimensions, so
    /// estimators can use this function without a flow; it is the reference for every surrogate. Each
    /// value costs one flight. A flight that ends with an infinity or a NaN in its state has the value NaN.
    ///
    /// # Shapes
    /// - `u`: `[5, n]`, one flight per column
    /// - returns `[n]`
    ///
    /// # Errors
    /// [`InputError::Dimension`] when `u` has another number of rows.
    ///
    /// ```
    /// use sim_gcas::{Criterion, Gcas};
    ///
    /// let gcas = Gcas::default();
    /// let u = nalgebra::DMatrix::from_column_slice(5, 2, &[0., 0., 0., 0., 0., 0., 0., 0., -3., -3.]);
    /// let g = gcas.limit_state(&Criterion::Thresholds, u.as_view())?;
    /// assert!(g[0] > 0.0 && g[1] < 0.0); // a steep and low start ends below the ground
    /// # Ok::<(), sim_core::InputError>(())
    /// ```
    pub fn limit_state(
        &self,
        criterion: &Criterion,
        u: DMatrixView<'_, f64>,
    ) -> Result<DVector<f64>, InputError> {
        InputError::check_dim(5, u.nrows())?;
        let initial = &self.params().initial;
        let mut g = DVector::zeros(u.ncols());
        g.as_mut_slice().par_chunks_mut(BLOCK).enumerate().for_each(|(block, g)| {
            let columns = u.columns(block * BLOCK, g.len());
            let mut states: Vec<State> = columns
                .column_iter()
                .map(|c| initial.state(std::array::from_fn(|i| c[i])))
                .collect();
            let mut features = vec![0.0; 12 * g.len()];
            self.finish(&mut states, &mut features);
            for (g, x) in g.iter_mut().zip(features.chunks_exact(12)) {
                *g = criterion.limit(x);
            }
        });
        Ok(g)
    }
}
