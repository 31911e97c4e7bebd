//! Model predictive path integral control: a sampling-based controller for any model.
//!
//! The controller keeps a plan of actions $P_t$, $t < T$. At every step it draws $K$ perturbations
//! $n_{kt} \sim N(0, \Sigma)$, asks the model for the cost $c_k$ of each plan
//! $\mathrm{clamp}(P_t + n_{kt}, -1, 1)$, and moves the plan to the weighted mean
//!
//! $$ Q_t = P_t + \sum_k w_k n_{kt}, \qquad
//!    w_k \propto \exp\bigl(-(c_k - \min_j c_j) / \lambda\bigr). $$
//!
//! It applies $\mathrm{clamp}(Q_0, -1, 1)$ and keeps $Q_1, \dots, Q_{T-1}, 0$ for the next step. Neither
//! perturbations nor plan are clamped, only actions are.
//!
//! # References
//! - G. Williams et al.: Information-theoretic model predictive control: theory and applications to
//!   autonomous driving. *IEEE Transactions on Robotics* 34(6), 2018. Here without its control cost.

mod batch;
mod settings;

pub use batch::{Actions, Controllers};
pub use settings::{Mppi, MppiError, MppiSettings};

/// A model whose actions are to be chosen; actions have `A` entries between -1 and 1.
///
/// ```
/// use rand::SeedableRng;
/// use sim_racing::{Dynamics, Mppi, MppiSettings};
///
/// /// A cart on a rail that is to come to rest at 0: position and velocity.
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

    /// The cost of every sampled plan, [`one_by_one`](Self::one_by_one) unless the model has vector code.
    ///
    /// # Shapes
    /// - `starts`: one state a controller
    /// - `costs`: one a rollout; rollout `i` begins at `starts[i / actions.samples()]`
    fn costs(&self, starts: &[Self::State], actions: &Actions<'_, A>, costs: &mut [f64]) {
        self.one_by_one(starts, actions, costs);
    }

    /// The cost of every sampled plan, by one [`step`](Self::step) after the other; shapes as for
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
