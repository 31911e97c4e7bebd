//! Time stepping: whole flights, one per lane.

use pulp::{Simd, WithSimd};
use serde::{Deserialize, Serialize};
use sim_core::{
    Precision, Registers,
    lanes::{F32Lanes, F64Lanes, MAX_LANES, Real},
};

use crate::{
    autopilot::{Autopilot, Memory},
    rigid_body::{Evaluation, evaluate},
    state::State,
};

/// The integration method of an inner step. The command of the autopilot is constant over the step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Integrator {
    /// Explicit Euler, as in the published data.
    #[default]
    Euler,
    /// The classical fourth-order Runge-Kutta method.
    Rk4,
}

/// Everything that defines a flight except its initial state.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    pub(crate) steps: u32,
    pub(crate) dt: f64,
    pub(crate) integrator: Integrator,
    pub(crate) autopilot: Autopilot,
    pub(crate) precision: Precision,
    pub(crate) cg: f64,
}

impl Plan {
    /// Replaces every initial state by the final state of its flight.
    pub(crate) fn fly(&self, registers: Registers, states: &mut [State]) {
        registers.arch().dispatch(Flights { plan: self, states });
    }

    /// Moves `x` by one inner step under `command`; returns the evaluation of the model at its start.
    #[inline(always)]
    pub(crate) fn step<R: Real>(&self, x: &mut [R; 16], command: &[R; 4]) -> Evaluation<R> {
        let first = evaluate(x, command, self.cg);
        match self.integrator {
            Integrator::Euler => {
                for (x, rate) in x.iter_mut().zip(&first.rate) {
                    *x = *x + *rate * self.dt;
                }
            }
            Integrator::Rk4 => {
                let start = *x;
                let mut rate = first.rate;
                let mut sum = rate;
                for (reach, weight) in [(0.5, 2.0), (0.5, 2.0), (1.0, 1.0)] {
                    for i in 0..16 {
                        x[i] = start[i] + rate[i] * (reach * self.dt);
                    }
                    rate = evaluate(x, command, self.cg).rate;
                    for i in 0..16 {
                        sum[i] = sum[i] + rate[i] * weight;
                    }
                }
                for i in 0..16 {
                    x[i] = start[i] + sum[i] * (self.dt / 6.0);
                }
            }
        }
        first
    }

    #[inline(always)]
    fn fly_lanes<R: Real>(&self, zero: R, states: &mut [State]) {
        for group in states.chunks_mut(R::LANES) {
            // Lanes that are left over at the end repeat the last state.
            let last = group.len() - 1;
            let mut x = [zero; 16];
            for (i, x) in x.iter_mut().enumerate() {
                *x = zero.fill(|lane| group[lane.min(last)][i]);
            }
            let mut memory = Memory::new(zero, self.autopilot);
            for k in 0..self.steps {
                let command = memory.command(self.autopilot, &x, k, self.dt);
                self.step(&mut x, &command);
            }
            let mut lanes = [0.0; MAX_LANES];
            for (i, x) in x.iter().enumerate() {
                x.store(&mut lanes);
                for (state, lane) in group.iter_mut().zip(lanes) {
                    state[i] = lane;
                }
            }
        }
    }
}

/// The work of [`Plan::fly`] for a known instruction set.
struct Flights<'a> {
    plan: &'a Plan,
    states: &'a mut [State],
}

impl WithSimd for Flights<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        match self.plan.precision {
            Precision::F64 => self.plan.fly_lanes(F64Lanes::zero(simd), self.states),
            Precision::F32 => self.plan.fly_lanes(F32Lanes::zero(simd), self.states),
        }
    }
}

#[cfg(test)]
mod tests {
    use pulp::Arch;

    use super::*;
    use crate::{
        autopilot::Mode,
        params::{GcasParams, Initial},
    };

    /// Initial states on a line through the initial distribution; the last flight becomes NaN at once.
    fn starts() -> Vec<State> {
        let mut starts: Vec<State> = (0..21)
            .map(|i| {
                Initial::default().state([0.1, -0.2, 0.3, -0.25, 0.1].map(|u| u * f64::from(i)))
            })
            .collect();
        starts[20][0] = 0.0;
        starts
    }

    #[test]
    fn all_instruction_sets_fly_the_same_bits() {
        let with_memory = Autopilot::Stateful { start: Mode::Waiting, period: 3 };
        let variants = [
            (Integrator::Euler, Autopilot::Memoryless, Precision::F64),
            (Integrator::Euler, with_memory, Precision::F32),
            (Integrator::Rk4, with_memory, Precision::F64),
            (Integrator::Rk4, Autopilot::Memoryless, Precision::F32),
        ];
        for (integrator, autopilot, precision) in variants {
            let params = GcasParams { integrator, autopilot, precision, ..GcasParams::default() };
            let plan = params.plan();
            let fly = |arch: Arch| -> Vec<u64> {
                let mut states = starts();
                arch.dispatch(Flights { plan: &plan, states: &mut states });
                let canonical = |v: &f64| if v.is_nan() { u64::MAX } else { v.to_bits() };
                states.iter().flatten().map(canonical).collect()
            };
            let scalar = fly(Arch::Scalar);
            assert_eq!(fly(Arch::new()), scalar);
            #[cfg(target_arch = "x86_64")]
            if let Some(avx2) = pulp::x86::V3::try_new() {
                assert_eq!(fly(Arch::V3(avx2)), scalar);
            }
        }
    }
}
