//! The car on its track: the model that the controller plans with.

use serde::{Deserialize, Serialize};
use sim_core::{Precision, Registers};

use crate::{
    car::CarParams,
    mppi::{actions::Actions, dynamics::Dynamics},
    reward::Reward,
    rollout::Rollouts,
    state::{Action, State},
    step::step,
    track::{Track, grid::Grid},
};

/// The arithmetic of the controller's rollouts. The car itself always moves by [`step`](crate::step()).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Arithmetic {
    /// Vector code in double precision.
    #[default]
    F64,
    /// Vector code in single precision.
    F32,
    /// The equations in the form of [`step`](crate::step()), one rollout at a time. It is slow, and the
    /// reference for the other two.
    Literal,
}

/// The car, its track and its reward; the cost of a control step is the negative reward of the state
/// after it.
#[derive(Clone, Debug)]
pub struct CarModel {
    car: CarParams,
    reward: Reward,
    track: Track,
    grid: Grid,
    arithmetic: Arithmetic,
    registers: Registers,
}

impl CarModel {
    /// A model of parts that have been checked.
    pub(crate) fn new(
        car: CarParams,
        reward: Reward,
        track: Track,
        arithmetic: Arithmetic,
        registers: Registers,
    ) -> Self {
        let grid = Grid::new(&track);
        Self { car, reward, track, grid, arithmetic, registers }
    }

    fn in_lanes(
        &self,
        precision: Precision,
        starts: &[State],
        actions: &Actions<'_, 2>,
        costs: &mut [f64],
    ) {
        let rollouts = Rollouts {
            car: &self.car,
            reward: &self.reward,
            half_width: self.track.half_width(),
            grid: &self.grid,
            precision,
        };
        rollouts.costs(self.registers.arch(), starts, actions, costs);
    }
}

impl Dynamics<2> for CarModel {
    type State = State;

    fn step(&self, state: &mut State, action: Action) -> f64 {
        *state = step(&self.car, state, action);
        -self.reward.of(state, &self.track)
    }

    fn costs(&self, starts: &[State], actions: &Actions<'_, 2>, costs: &mut [f64]) {
        match self.arithmetic {
            Arithmetic::F64 => self.in_lanes(Precision::F64, starts, actions, costs),
            Arithmetic::F32 => self.in_lanes(Precision::F32, starts, actions, costs),
            Arithmetic::Literal => self.one_by_one(starts, actions, costs),
        }
    }
}
