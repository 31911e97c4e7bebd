//! Rollouts in lanes: the controller's model of the car, without inverse trigonometric functions.
//!
//! These are the equations of [`step`](crate::step()) in another form. Only the tangents of slip angles are
//! computed. Headings and steering angles are kept as cosine and sine and change by small rotations. Forces
//! are multiplied by `dt / mass`. Axle forces, loads and friction limits are constant over a control step
//! unless the car begins to move backwards.

mod car;
mod clip;
mod coefficients;
mod forces;
mod place;
mod rotation;

use pulp::{Arch, Simd, WithSimd};
use sim_core::{
    Precision,
    lanes::{F32Lanes, F64Lanes, MAX_LANES, Pair, Real},
};

use car::{Car, Start};
use coefficients::Coefficients;
use place::Places;

use crate::{
    car::CarParams, mppi::actions::Actions, reward::Reward, state::State, track::grid::Grid,
};

/// The parts of the model that the rollouts need.
pub(crate) struct Rollouts<'a> {
    pub(crate) car: &'a CarParams,
    pub(crate) reward: &'a Reward,
    pub(crate) half_width: f64,
    pub(crate) grid: &'a Grid,
    pub(crate) precision: Precision,
}

impl Rollouts<'_> {
    /// Computes the cost of every rollout; see [`Dynamics::costs`](crate::Dynamics::costs).
    pub(crate) fn costs(
        &self,
        arch: Arch,
        starts: &[State],
        actions: &Actions<'_, 2>,
        costs: &mut [f64],
    ) {
        let starts: Vec<Start> = starts.iter().map(Start::new).collect();
        let coefficients = Coefficients::new(self.car);
        arch.dispatch(Job { model: self, coefficients, starts: &starts, actions, costs });
    }
}

/// The work of [`Rollouts::costs`] for a known instruction set.
struct Job<'a> {
    model: &'a Rollouts<'a>,
    coefficients: Coefficients,
    starts: &'a [Start],
    actions: &'a Actions<'a, 2>,
    costs: &'a mut [f64],
}

impl WithSimd for Job<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        match self.model.precision {
            Precision::F64 => {
                self.all(Pair::new(F64Lanes::zero(simd)));
            }
            Precision::F32 => {
                self.all(Pair::new(F32Lanes::zero(simd)));
            }
        }
    }
}

impl Job<'_> {
    #[inline(always)]
    fn all<R: Real>(self, zero: R) {
        let Self { model, coefficients, starts, actions, costs } = self;
        let places = Places::new(model.grid);
        for (group, costs) in costs.chunks_mut(R::LANES).enumerate() {
            let first = group * R::LANES;
            // Lanes that are left over at the end repeat the last rollout.
            let rollout = |lane: usize| first + lane.min(costs.len() - 1);
            let start = |lane: usize| &starts[rollout(lane) / actions.samples()];
            let mut car = Car::new(zero, start);
            let (mut reward, mut off_track, mut sliding) = (zero, zero, zero);
            for t in 0..actions.horizon() {
                let command = load(zero, actions.row(t, 0), first);
                let pedal = load(zero, actions.row(t, 1), first);
                car.control_step(&coefficients, command, pedal);
                let distance = places.distance(car.x, car.y);
                let one = zero.lit(1.0);
                let inside = distance.lt(zero.lit(model.half_width));
                off_track = off_track + R::select(inside, zero, one);
                // |v| > u is an angle above 45 degrees between the velocity and the axis of the car.
                sliding = sliding + R::select(car.u.lt(car.v.abs()), one, zero);
                let speed = (car.u * car.u + car.v * car.v).sqrt();
                reward = reward + (speed * model.reward.speed - distance);
            }
            let mut lanes = [[0.0; MAX_LANES]; 3];
            reward.store(&mut lanes[0]);
            off_track.store(&mut lanes[1]);
            sliding.store(&mut lanes[2]);
            let [reward, off_track, sliding] = lanes;
            for (lane, cost) in costs.iter_mut().enumerate() {
                *cost = model.reward.off_track * off_track[lane]
                    + model.reward.slip * sliding[lane]
                    - reward[lane];
            }
        }
    }
}

// A closure over vectors, for example in `map` of an array, may be compiled outside the code for the wide
// registers. This module therefore uses functions that are always inlined.

/// Returns the numbers of a row from `first` on; the last number is repeated after the end of the row.
#[inline(always)]
fn load<R: Real>(zero: R, row: &[f64], first: usize) -> R {
    match row.get(first..first + R::LANES) {
        Some(row) => zero.load(row),
        None => zero.fill(|lane| row[(first + lane).min(row.len() - 1)]),
    }
}
