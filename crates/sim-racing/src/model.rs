//! The car on its track, as the controller sees it.

use pulp::Arch;
use serde::{Deserialize, Serialize};

use crate::{
    CarParams, Reward, State, Track,
    mppi::{Actions, Dynamics},
    rollout::Rollouts,
    state::Action,
    step::step,
    track::Grid,
};

/// How the controller's rollouts are computed; the car itself always moves by [`step`](crate::step()).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Arithmetic {
    /// Vector code in double precision.
    #[default]
    F64,
    /// Vector code in single precision.
    F32,
    /// The equations as they stand, one rollout at a time; slow, the reference for the others.
    Literal,
}

/// The registers that carry the rollouts; results are the same bits in all of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Registers {
    /// The widest this machine has, found at run time.
    #[default]
    Widest,
    /// Plain scalar instructions.
    Scalar,
}

/// The precision of the vector code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Precision {
    F64,
    F32,
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
    /// A model of checked parts.
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
        let arch = match self.registers {
            Registers::Widest => Arch::new(),
            Registers::Scalar => Arch::Scalar,
        };
        let rollouts = Rollouts {
            car: &self.car,
            reward: &self.reward,
            half_width: self.track.half_width(),
            grid: &self.grid,
            precision,
        };
        rollouts.costs(arch, starts, actions, costs);
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
