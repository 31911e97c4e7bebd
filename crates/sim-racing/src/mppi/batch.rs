//! Controllers that work side by side, so that the rollouts of all of them fill vector registers.

use pulp::Arch;
use rand::Rng;

use super::{Dynamics, Mppi};
use crate::normal;

/// Several controllers with the same settings: plans, noise and the last decision.
#[derive(Clone, Debug)]
pub struct Controllers<const A: usize> {
    mppi: Mppi<A>,
    /// Number of controllers `n`.
    n: usize,
    /// One plan after the other, `n` times `T` actions.
    plans: Vec<[f64; A]>,
    /// Perturbations: step, entry of the action, rollout.
    noise: Vec<f64>,
    /// Clamped actions in the same order.
    actions: Vec<f64>,
    /// One a rollout.
    costs: Vec<f64>,
    weights: Vec<f64>,
    applied: Vec<[f64; A]>,
}

/// The actions of all sampled plans. The rollouts of one controller stand side by side.
#[derive(Clone, Copy, Debug)]
pub struct Actions<'a, const A: usize> {
    data: &'a [f64],
    samples: usize,
    rollouts: usize,
}

impl<'a, const A: usize> Actions<'a, A> {
    /// Rollouts a controller $K$.
    pub fn samples(&self) -> usize {
        self.samples
    }

    /// Rollouts of all controllers.
    pub fn rollouts(&self) -> usize {
        self.rollouts
    }

    /// Control steps in a rollout $T$.
    pub fn horizon(&self) -> usize {
        self.data.len() / (A * self.rollouts).max(1)
    }

    /// The action of a rollout at step `t`.
    pub fn get(&self, t: usize, rollout: usize) -> [f64; A] {
        std::array::from_fn(|entry| self.row(t, entry)[rollout])
    }

    /// One entry of the action of every rollout at step `t`.
    pub fn row(&self, t: usize, entry: usize) -> &'a [f64] {
        let first = (t * A + entry) * self.rollouts;
        &self.data[first..first + self.rollouts]
    }
}

impl<const A: usize> Controllers<A> {
    pub(super) fn new(mppi: Mppi<A>, n: usize) -> Self {
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

    /// The plan of a controller, `T` actions; it is not clamped.
    pub fn plan(&self, controller: usize) -> &[[f64; A]] {
        let horizon = self.mppi.settings().horizon;
        &self.plans[controller * horizon..(controller + 1) * horizon]
    }

    /// The plan of a controller, to be changed.
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

    /// Sets a controller's perturbations for the next decision; `noise(k, t)` belongs to step `t` of
    /// sample `k`.
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
        assert_eq!(rngs.len(), self.n, "one generator a controller");
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

    /// Weighs the sampled plans, moves and shifts the plan of every controller, and returns the actions
    /// to apply. A cost that is not a number has no weight.
    ///
    /// # Panics
    /// When the number of states is not the number of controllers.
    pub fn decide<D: Dynamics<A>>(&mut self, model: &D, states: &[D::State]) -> &[[f64; A]] {
        assert_eq!(states.len(), self.n, "one state a controller");
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
