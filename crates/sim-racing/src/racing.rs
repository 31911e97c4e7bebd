//! The race as a simulator: final states in blocks, or one whole drive.

use pulp::Arch;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use sim_core::{Feature, Simulator, rng};

use crate::{
    history::{History, Record},
    model::CarModel,
    mppi::{batch::Controllers, dynamics::Dynamics, settings::Mppi},
    normal,
    params::{ParamsError, RacingParams},
    state::{
        FEATURES, State,
        index::{U, V, X, Y, YAW},
    },
};

/// Runs per block. They are simulated together: 16 times 25 rollouts fill the registers.
const BLOCK: usize = 16;

/// The race car with checked settings; the default is the published experiment.
///
/// It is made from [`RacingParams`], which can be read back with [`params`](Self::params), and it is
/// serialised as them; settings that are out of range are refused when it is deserialised.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(try_from = "RacingParams", into = "RacingParams")]
pub struct Racing {
    params: RacingParams,
    mppi: Mppi<2>,
    model: CarModel,
}

impl Default for Racing {
    fn default() -> Self {
        Self::new(RacingParams::default()).expect("default settings are valid")
    }
}

impl TryFrom<RacingParams> for Racing {
    type Error = ParamsError;

    fn try_from(params: RacingParams) -> Result<Self, ParamsError> {
        Self::new(params)
    }
}

impl From<Racing> for RacingParams {
    fn from(racing: Racing) -> Self {
        racing.params
    }
}

impl Racing {
    /// A simulator with the given settings.
    ///
    /// # Errors
    /// [`ParamsError`] when a setting is out of range.
    pub fn new(params: RacingParams) -> Result<Self, ParamsError> {
        params.validate()?;
        let mppi = Mppi::new(params.controller)?;
        let RacingParams { car, reward, arithmetic, registers, .. } = params;
        let model = CarModel::new(car, reward, params.track.clone(), arithmetic, registers);
        Ok(Self { params, mppi, model })
    }

    /// The settings.
    pub fn params(&self) -> &RacingParams {
        &self.params
    }

    /// The model that the controller plans with.
    pub fn model(&self) -> &CarModel {
        &self.model
    }

    /// The controller.
    pub fn mppi(&self) -> &Mppi<2> {
        &self.mppi
    }

    /// Returns a state after the disturbance of one step, made of three standard normal numbers: the car is
    /// displaced and turned, and its velocity over ground stays the same. The heading is not wrapped.
    pub fn disturb(&self, state: &State, normal: [f64; 3]) -> State {
        let [position, heading] = self.params.disturbance;
        let mut next = *state;
        next[X] += position * normal[0];
        next[Y] += position * normal[1];
        let turn = heading * normal[2];
        next[YAW] += turn;
        let (sin, cos) = libm::sincos(turn);
        next[U] = cos * state[U] + sin * state[V];
        next[V] = -sin * state[U] + cos * state[V];
        next
    }

    /// Returns outcome `index` of the sequence of `seed` as a whole drive. Its final state is column `index`
    /// of [`Simulator::simulate`], to the last bit.
    pub fn rollout(&self, seed: u64, index: u64) -> History {
        let mut runs = Runs::new(self, seed, index, 1);
        let mut history = History { start: self.params.start, records: Vec::new() };
        for k in 0..self.params.steps {
            let action = runs.step(self, k)[0];
            history.records.push(Record {
                state: runs.states[0],
                action,
                plan: runs.controllers.plan(0).to_vec(),
                costs: runs.controllers.costs(0).to_vec(),
                weights: runs.controllers.weights(0).to_vec(),
            });
        }
        history
    }
}

/// Runs that are being simulated.
struct Runs {
    states: Vec<State>,
    controllers: Controllers<2>,
    /// One generator per run, for the perturbations of its controller.
    noise: Vec<ChaCha8Rng>,
    /// Standard normal numbers for the disturbances, in the order: run, step, entry.
    disturbances: Vec<f64>,
}

impl Runs {
    /// Starts `n` runs, from outcome `first` of the sequence of `seed` on.
    fn new(racing: &Racing, seed: u64, first: u64, n: usize) -> Self {
        let streams = |purpose: &str| -> Vec<ChaCha8Rng> {
            let seed = rng::derive(seed, purpose, 0);
            (first..first + n as u64).map(|run| rng::stream(seed, run)).collect()
        };
        let length = 3 * racing.params.steps;
        let mut disturbances = vec![0.0; n * length];
        let arch = Arch::new();
        for (rng, out) in
            streams("racing disturbance").iter_mut().zip(disturbances.chunks_exact_mut(length))
        {
            normal::fill(arch, rng, out);
        }
        Self {
            states: vec![racing.params.start; n],
            controllers: racing.mppi.controllers(n),
            noise: streams("racing noise"),
            disturbances,
        }
    }

    /// Moves all runs by control step `k`; returns the actions applied.
    fn step(&mut self, racing: &Racing, k: usize) -> &[[f64; 2]] {
        self.controllers.draw(&mut self.noise);
        let actions = self.controllers.decide(&racing.model, &self.states);
        let disturbances = self.disturbances.chunks_exact(3 * racing.params.steps);
        for ((state, action), normal) in self.states.iter_mut().zip(actions).zip(disturbances) {
            racing.model.step(state, *action);
            let normal = &normal[3 * k..3 * k + 3];
            *state = racing.disturb(state, [normal[0], normal[1], normal[2]]);
        }
        actions
    }
}

impl Simulator for Racing {
    fn name(&self) -> &'static str {
        "racecar"
    }

    fn features(&self) -> &[Feature] {
        &FEATURES
    }

    fn block_len(&self) -> usize {
        BLOCK
    }

    fn simulate_block(&self, seed: u64, block: u64, out: &mut [f64]) {
        let mut runs = Runs::new(self, seed, block * BLOCK as u64, out.len() / 8);
        for k in 0..self.params.steps {
            runs.step(self, k);
        }
        for (out, state) in out.chunks_exact_mut(8).zip(&runs.states) {
            let finished = state.iter().all(|v| v.is_finite());
            out.copy_from_slice(if finished { state } else { &[f64::NAN; 8] });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_written_as_its_settings_and_read_through_their_checks() {
        let racing = Racing::new(RacingParams { steps: 10, ..RacingParams::default() }).unwrap();
        let text = serde_json::to_string(&racing).unwrap();
        assert_eq!(text, serde_json::to_string(racing.params()).unwrap());
        let read: Racing = serde_json::from_str(&text).unwrap();
        assert_eq!(read.params(), racing.params());
        let text = text.replace("\"samples\":25", "\"samples\":0");
        let error = serde_json::from_str::<Racing>(&text).unwrap_err().to_string();
        assert!(error.contains("`controller.samples` must be at least 1"), "{error}");
        let settings = serde_json::to_string(racing.mppi()).unwrap();
        assert_eq!(&serde_json::from_str::<Mppi<2>>(&settings).unwrap(), racing.mppi());
        let settings = settings.replace("\"horizon\":50", "\"horizon\":0");
        assert!(serde_json::from_str::<Mppi<2>>(&settings).is_err());
    }
}
