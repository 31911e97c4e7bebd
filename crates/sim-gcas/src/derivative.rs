//! One evaluation of the model, or one inner step, for one aircraft.

use pulp::Scalar;
use sim_core::{
    Precision,
    lanes::{F32Lanes, F64Lanes, Real},
};

use crate::{
    gcas::Gcas,
    history::number,
    rigid_body::evaluate,
    state::{Command, State},
};

/// The derivatives of the state and the intermediate results behind them.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Derivative {
    /// Rate of change of the state, per second.
    pub rate: State,
    /// Throttle (0 to 1), elevator, aileron and rudder (degrees).
    pub surfaces: [f64; 4],
    /// Normal load above 1 g at the accelerometer, g.
    pub nz: f64,
    /// Side load at the accelerometer, g.
    pub ny: f64,
    /// Roll rate about the stability axis of the trimmed aircraft, rad/s.
    pub ps: f64,
    /// Mach number.
    pub mach: f64,
    /// Dynamic pressure, lb/ft².
    pub qbar: f64,
    /// Thrust, lb.
    pub thrust: f64,
    /// Power command, percent.
    pub power_command: f64,
}

impl Gcas {
    /// Returns the derivatives in `state` under a command of the autopilot, with the controller in the
    /// loop.
    pub fn derivative(&self, state: &State, command: &Command) -> Derivative {
        match self.params().precision {
            Precision::F64 => self.derivative_in(F64Lanes::zero(Scalar), state, command),
            Precision::F32 => self.derivative_in(F32Lanes::zero(Scalar), state, command),
        }
    }

    /// Returns the state one inner step after `state`, under a command that is constant over the step.
    pub fn step(&self, state: &State, command: &Command) -> State {
        match self.params().precision {
            Precision::F64 => self.step_in(F64Lanes::zero(Scalar), state, command),
            Precision::F32 => self.step_in(F32Lanes::zero(Scalar), state, command),
        }
    }

    fn step_in<R: Real>(&self, zero: R, state: &State, command: &Command) -> State {
        let mut x = state.map(|v| zero.lit(v));
        self.params().plan().step(&mut x, &command.map(|v| zero.lit(v)));
        x.map(number)
    }

    fn derivative_in<R: Real>(&self, zero: R, state: &State, command: &Command) -> Derivative {
        let (state, command) = (state.map(|v| zero.lit(v)), command.map(|v| zero.lit(v)));
        let e = evaluate(&state, &command, self.params().center_of_gravity);
        let s = e.surfaces;
        Derivative {
            rate: e.rate.map(number),
            surfaces: [s.throttle, s.elevator, s.aileron, s.rudder].map(number),
            nz: number(e.nz),
            ny: number(e.ny),
            ps: number(e.ps),
            mach: number(e.air.mach),
            qbar: number(e.air.qbar),
            thrust: number(e.thrust),
            power_command: number(e.power_command),
        }
    }
}
