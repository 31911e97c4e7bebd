//! The reward of the controller: for speed, against distance from the centre line and against sliding.

use serde::{Deserialize, Serialize};

use crate::{
    state::{
        State,
        index::{U, V, X, Y},
    },
    track::Track,
};

/// Weights of the reward of a state, with velocities $u$ ahead and $v$ to the left (m/s), distance from the
/// centre line $\mathrm{dist}$ and half-width $W$ (m):
///
/// $$ J = w\sqrt{u^2 + v^2} - \mathrm{dist} - p_\mathrm{off} [\mathrm{dist} \ge W] -
///      p_\mathrm{slip} [|\mathrm{atan2}(v, u)| > 45^\circ]. $$
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Reward {
    /// Weight of the speed $w$, s; default 2.
    pub speed: f64,
    /// Penalty $p_\mathrm{off}$ off the track, m; default 1,000,000.
    pub off_track: f64,
    /// Penalty $p_\mathrm{slip}$ when the car moves at more than 45 degrees to its axis, m; default 5000.
    pub slip: f64,
}

impl Default for Reward {
    fn default() -> Self {
        Self { speed: 2.0, off_track: 1e6, slip: 5000.0 }
    }
}

impl Reward {
    /// Returns the reward of a state.
    pub fn of(&self, state: &State, track: &Track) -> f64 {
        let place = track.locate([state[X], state[Y]]);
        let mut reward =
            self.speed * (state[U] * state[U] + state[V] * state[V]).sqrt() - place.distance;
        if !place.inside {
            reward -= self.off_track;
        }
        if libm::atan2(state[V], state[U]).abs() > std::f64::consts::FRAC_PI_4 {
            reward -= self.slip;
        }
        reward
    }
}
