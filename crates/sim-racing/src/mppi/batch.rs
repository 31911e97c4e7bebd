//! Several controllers at once, so that their rollouts together fill vector registers.

use pulp::Arch;
use rand::Rng;

use super::{actions::Actions, dynamics::Dynamics, settings::Mppi};
use crate::normal;

/// Several controllers with the same settings: their plans, perturbations and last decisions.
#[derive(Clone, Debug)]
pub struct Controllers<const A: usize> {
    mppi: Mppi<A>,
    /// Number of controllers `n`.
    n: usize,
    /// One plan after the other, `n` times $T$ actions.
    plans: Vec<[f64; A]>,
    /// Perturbations in the order: step, entry of the action, rollout.
    noise: Vec<f64>,
    /// Clamped actions in the same order.
    actions: Vec<f64>,
    /// One per rollout.
    costs: Vec<f64>,
    /// One per rollout; they sum to 1 for each controller.
    weights: Vec<f64>,
    /// The action applied by each controller.
    applied: Vec<[f64; A]>,
}

impl<const A: usize> Mppi<A> {
    /// Returns `n` controllers with plans of zeros.
    pub fn controllers(&self, n: usize) -> Controllers<A> {
        Controllers::new(*self, n)
    }
}

impl<const A: usize> Controllers<A> {
    fn new(mppi: Mppi<A>, n: usize) -> Self {
        let (rollouts, horizon) = (n * mppi.settings().samples, mppi.settings().horizon);
        Self {
            mppi,
            n,
            plans: vec![[0.0; A]; n * horizon],
            noise: vec![0.0; horizon * A * rollouts],
            actions: vec![0.0; horizon * A * rollouts],
            costs: vec![0.0; rollouts],
            weights: vec![0.0; rollouts],
            applied: vec![[0.0; A]; n],
        }
    }

    /// The plan of a controller, $T$ actions. They are not limited to [-1, 1].
    pub fn plan(&self, controller: usize) -> &[[f64; A]] {
        let horizon = self.mppi.settings().horizon;
        &self.plans[controller * horizon..(controller + 1) * horizon]
    }

    /// The plan of a controller, for changes.
    pub fn plan_mut(&mut self, controller: usize) -> &mut [[f64; A]] {
        let horizon = self.mppi.settings().horizon;
        &mut self.plans[controller * horizon..(controller + 1) * horizon]
    }

    /// The costs of a controller's sampled plans in its last decision.
    pub fn costs(&self, controller: usize) -> &[f64] {
        &self.costs[self.rollouts(controller)]
    }

    /// The weights of a controller's sampled plans in its last decision.
    pub fn weights(&self, controller: usize) -> &[f64] {
        &self.weights[self.rollouts(controller)]
    }

    /// Sets the perturbations of a controller for its next decision; `noise(k, t)` is the perturbation of
    /// step `t` of sample `k`.
    pub fn set_noise(&mut self, controller: usize, noise: impl Fn(usize, usize) -> [f64; A]) {
        let rollouts = self.rollouts(controller);
        let width = self.costs.len();
        for t in 0..self.mppi.settings().horizon {
            for (k, rollout) in rollouts.clone().enumerate() {
                for (entry, value) in noise(k, t).into_iter().enumerate() {
                    self.noise[(t * A + entry) * width + rollout] = value;
                }
            }
        }
    }

    /// Draws the perturbations of all controllers, each from its own generator.
    ///
    /// # Panics
    /// When the number of generators is not the number of controllers.
    pub fn draw(&mut self, rngs: &mut [impl Rng]) {
        assert_eq!(rngs.len(), self.n, "one generator per controller");
        let (samples, width) = (self.mppi.settings().samples, self.costs.len());
        let factor = *self.mppi.factor();
        let arch = Arch::new();
        let mut normal = vec![0.0; self.mppi.settings().horizon * A * samples];
        for (controller, rng) in rngs.iter_mut().enumerate() {
            normal::fill(arch, rng, &mut normal);
            for (t, normal) in normal.chunks_exact(A * samples).enumerate() {
                for entry in 0..A {
                    let first = (t * A + entry) * width + controller * samples;
                    let out = &mut self.noise[first..first + samples];
                    out.fill(0.0);
                    for (other, normal) in normal.chunks_exact(samples).enumerate().take(entry + 1)
                    {
                        let scale = factor[(entry, other)];
                        for (out, z) in out.iter_mut().zip(normal) {
                            *out += scale * z;
                        }
                    }
                }
            }
        }
    }

    /// Computes costs and weights of the sampled plans, moves the plan of every controller and shifts it by
    /// one step, and returns the actions to apply, one per controller. A plan with the cost NaN has weight 0.
    ///
    /// # Panics
    /// When the number of states is not the number of controllers.
    pub fn decide<D: Dynamics<A>>(&mut self, model: &D, states: &[D::State]) -> &[[f64; A]] {
        assert_eq!(states.len(), self.n, "one state per controller");
        let (samples, horizon) = (self.mppi.settings().samples, self.mppi.settings().horizon);
        let width = self.costs.len();
        for t in 0..horizon {
            for entry in 0..A {
                let first = (t * A + entry) * width;
                for controller in 0..self.n {
                    let planned = self.plans[controller * horizon + t][entry];
                    let range = first + controller * samples..first + (controller + 1) * samples;
                    for (action, noise) in
                        self.actions[range.clone()].iter_mut().zip(&self.noise[range])
                    {
                        *action = (planned + noise).clamp(-1.0, 1.0);
                    }
                }
            }
        }
        let actions = Actions { data: &self.actions, samples, rollouts: width };
        model.costs(states, &actions, &mut self.costs);
        for controller in 0..self.n {
            self.weigh(controller);
            self.move_plan(controller);
        }
        &self.applied
    }

    fn rollouts(&self, controller: usize) -> std::ops::Range<usize> {
        let samples = self.mppi.settings().samples;
        controller * samples..(controller + 1) * samples
    }

    fn weigh(&mut self, controller: usize) {
        let rollouts = self.rollouts(controller);
        let (costs, weights) = (&self.costs[rollouts.clone()], &mut self.weights[rollouts]);
        let least = costs.iter().copied().fold(f64::INFINITY, f64::min);
        let temperature = self.mppi.settings().temperature;
        for (weight, cost) in weights.iter_mut().zip(costs) {
            let g = libm::exp(-(cost - least) / temperature);
            *weight = if g.is_nan() { 0.0 } else { g };
        }
        let sum: f64 = weights.iter().sum();
        if sum > 0.0 {
            for weight in weights {
                *weight /= sum;
            }
        }
    }

    fn move_plan(&mut self, controller: usize) {
        let (rollouts, width) = (self.rollouts(controller), self.costs.len());
        let horizon = self.mppi.settings().horizon;
        let weights = &self.weights[rollouts.clone()];
        let plan = &mut self.plans[controller * horizon..(controller + 1) * horizon];
        for (t, action) in plan.iter_mut().enumerate() {
            for (entry, value) in action.iter_mut().enumerate() {
                let first = (t * A + entry) * width;
                let noise = &self.noise[first + rollouts.start..first + rollouts.end];
                *value += weights.iter().zip(noise).map(|(w, n)| w * n).sum::<f64>();
            }
        }
        self.applied[controller] = plan[0].map(|v| v.clamp(-1.0, 1.0));
        plan.rotate_left(1);
        plan[horizon - 1] = [0.0; A];
    }
}
