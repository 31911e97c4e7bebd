//! The actions of sampled plans.

/// The actions of all sampled plans. The rollouts of one controller have consecutive indices.
#[derive(Clone, Copy, Debug)]
pub struct Actions<'a, const A: usize> {
    /// Order: step, entry of the action, rollout.
    pub(super) data: &'a [f64],
    pub(super) samples: usize,
    pub(super) rollouts: usize,
}

impl<'a, const A: usize> Actions<'a, A> {
    /// Rollouts per controller, $K$.
    pub fn samples(&self) -> usize {
        self.samples
    }

    /// Number of rollouts of all controllers.
    pub fn rollouts(&self) -> usize {
        self.rollouts
    }

    /// Control steps per rollout, $T$.
    pub fn horizon(&self) -> usize {
        self.data.len() / (A * self.rollouts).max(1)
    }

    /// Returns the action of a rollout at step `t`.
    pub fn get(&self, t: usize, rollout: usize) -> [f64; A] {
        std::array::from_fn(|entry| self.row(t, entry)[rollout])
    }

    /// Returns one entry of the action of every rollout at step `t`.
    pub fn row(&self, t: usize, entry: usize) -> &'a [f64] {
        let first = (t * A + entry) * self.rollouts;
        &self.data[first..first + self.rollouts]
    }
}
