//! The model that a controller plans with.

use super::actions::Actions;

/// A model whose actions the controller chooses; an action has `A` entries in [-1, 1].
///
/// ```
/// use rand::SeedableRng;
/// use sim_racing::{Dynamics, Mppi, MppiSettings};
///
/// /// A cart on a rail, to be stopped at 0; its state is position and velocity.
/// struct Cart;
/// impl Dynamics<1> for Cart {
///     type State = [f64; 2];
///     fn step(&self, state: &mut [f64; 2], action: [f64; 1]) -> f64 {
///         state[1] += 0.1 * action[0];
///         state[0] += 0.1 * state[1];
///         state[0] * state[0] + 0.1 * state[1] * state[1]
///     }
/// }
///
/// let covariance = nalgebra::Matrix1::new(0.25);
/// let settings = MppiSettings { samples: 50, horizon: 30, temperature: 0.1, covariance };
/// let mut controllers = Mppi::new(settings)?.controllers(1);
/// let mut rng = [rand_chacha::ChaCha8Rng::seed_from_u64(1)];
/// let mut state = [2.0, 0.0];
/// for _ in 0..100 {
///     controllers.draw(&mut rng);
///     let action = controllers.decide(&Cart, &[state])[0];
///     Cart.step(&mut state, action);
/// }
/// assert!(state[0].abs() < 0.3);
/// # Ok::<(), sim_racing::MppiError>(())
/// ```
pub trait Dynamics<const A: usize> {
    /// The state of the model.
    type State: Clone;

    /// Moves the state by one control step and returns the cost of that step.
    fn step(&self, state: &mut Self::State, action: [f64; A]) -> f64;

    /// Computes the cost of every sampled plan. The default is [`one_by_one`](Self::one_by_one); a model
    /// with vector code overrides it.
    ///
    /// # Shapes
    /// - `starts`: one state per controller
    /// - `costs`: one per rollout; rollout `i` begins at `starts[i / actions.samples()]`
    fn costs(&self, starts: &[Self::State], actions: &Actions<'_, A>, costs: &mut [f64]) {
        self.one_by_one(starts, actions, costs);
    }

    /// Computes the cost of every sampled plan by single [`step`](Self::step)s; shapes as for
    /// [`costs`](Self::costs).
    fn one_by_one(&self, starts: &[Self::State], actions: &Actions<'_, A>, costs: &mut [f64]) {
        for (rollout, cost) in costs.iter_mut().enumerate() {
            let mut state = starts[rollout / actions.samples()].clone();
            *cost = 0.0;
            for t in 0..actions.horizon() {
                *cost += self.step(&mut state, actions.get(t, rollout));
            }
        }
    }
}
