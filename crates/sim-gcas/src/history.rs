//! One flight with its states, commands and surfaces.

use pulp::Scalar;
use sim_core::{
    Precision,
    lanes::{F32Lanes, F64Lanes, MAX_LANES, Real},
};

use crate::{
    autopilot::{Memory, Mode},
    controller::Surfaces,
    flight::Plan,
    state::{Command, State},
};

/// A flight from its initial state to its end.
#[derive(Clone, Debug, PartialEq)]
pub struct History {
    /// The initial state.
    pub start: State,
    /// One record every `record_every` inner steps, and one at the end.
    pub records: Vec<Record>,
}

/// The aircraft at one time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Record {
    /// Time, s.
    pub time: f64,
    /// The state at that time.
    pub state: State,
    /// The command of the autopilot in the inner step that ended at that time.
    pub command: Command,
    /// Throttle (0 to 1), elevator, aileron and rudder (degrees) at the start of that step.
    pub surfaces: [f64; 4],
    /// Normal load above 1 g at the start of that step, g.
    pub load: f64,
    /// Mode of the autopilot in that step.
    pub mode: Mode,
}

impl History {
    /// The final state.
    pub fn end(&self) -> State {
        self.records.last().map_or(self.start, |record| record.state)
    }

    /// Time of the first record with an infinity or a NaN in its state, s; `None` when there is none.
    pub fn lost_at(&self) -> Option<f64> {
        let lost = |record: &&Record| !record.state.iter().all(|v| v.is_finite());
        self.records.iter().find(lost).map(|record| record.time)
    }
}

impl Plan {
    /// Simulates one flight from `start` and records every `every` inner steps.
    pub(crate) fn record(&self, start: State, every: u32) -> History {
        match self.precision {
            Precision::F64 => self.record_lane(F64Lanes::zero(Scalar), start, every),
            Precision::F32 => self.record_lane(F32Lanes::zero(Scalar), start, every),
        }
    }

    fn record_lane<R: Real>(&self, zero: R, start: State, every: u32) -> History {
        let mut x = start.map(|v| zero.lit(v));
        let mut memory = Memory::new(zero, self.autopilot);
        let mut records = Vec::with_capacity((self.steps / every + 1) as usize);
        let start = x.map(number);
        for k in 0..self.steps {
            let command = memory.command(self.autopilot, &x, k, self.dt);
            let evaluation = self.step(&mut x, &command);
            let done = k + 1;
            if done % every == 0 || done == self.steps {
                let Surfaces { throttle, elevator, aileron, rudder } = evaluation.surfaces;
                records.push(Record {
                    time: f64::from(done) * self.dt,
                    state: x.map(number),
                    command: command.map(number),
                    surfaces: [throttle, elevator, aileron, rudder].map(number),
                    load: number(evaluation.nz),
                    mode: Mode::from_code(number(memory.mode)),
                });
            }
        }
        History { start, records }
    }
}

/// Returns the first lane.
pub(crate) fn number<R: Real>(x: R) -> f64 {
    let mut lanes = [0.0; MAX_LANES];
    x.store(&mut lanes);
    lanes[0]
}
