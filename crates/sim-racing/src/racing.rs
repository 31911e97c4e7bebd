//! The race as a simulator: final states in blocks, or one whole drive.

use inputs::Inputs;
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
pub(crate) const BLOCK: usize = 16;
/// What the random numbers of the controllers are for.
const NOISE: &str = "racing noise";

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
    inputs: Inputs,
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
        let inputs = params.inputs()?;
        Ok(Self { params, mppi, model, inputs })
    }

    /// The settings.
    pub fn params(&self) -> &RacingParams {
        &self.params
    }

    /// The model that the controller plans with.
    pub fn model(&self) -> &CarModel {
        &self.model
    }

    /// The disturbances as inputs.
    pub(crate) fn random_inputs(&self) -> &Inputs {
        &self.inputs
    }

    /// The controller.
    pub fn mppi(&self) -> &Mppi<2> {
        &self.mppi
    }

    /// Returns a state after the disturbance of one step, made of three standard normal numbers: the car is
    /// displaced and turned, and its velocity over ground stays the same. The heading is not wrapped.
    pub fn disturb(&self, state: &State, normal: [f64; 3]) -> State {
        displace(state, self.displacement(normal))
    }

    /// The displacement (m) and turn (rad) of three standard normal numbers.
    fn displacement(&self, normal: [f64; 3]) -> [f64; 3] {
        let [position, heading] = self.params.disturbance;
        [position * normal[0], position * normal[1], heading * normal[2]]
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
                disturbance: std::array::from_fn(|i| runs.disturbances[3 * k + i]),
                plan: runs.controllers.plan(0).to_vec(),
                costs: runs.controllers.costs(0).to_vec(),
                weights: runs.controllers.weights(0).to_vec(),
            });
        }
        history
    }
}

/// The state after a displacement (m) and a turn (rad).
fn displace(state: &State, [dx, dy, turn]: [f64; 3]) -> State {
    let mut next = *state;
    next[X] += dx;
    next[Y] += dy;
    next[YAW] += turn;
    let (sin, cos) = libm::sincos(turn);
    next[U] = cos * state[U] + sin * state[V];
    next[V] = -sin * state[U] + cos * state[V];
    next
}

/// Runs that are being simulated.
pub(crate) struct Runs {
    states: Vec<State>,
    controllers: Controllers<2>,
    /// One generator per run, for the perturbations of its controller.
    noise: Vec<ChaCha8Rng>,
    /// Displacements and turns, in the order: run, step, entry.
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
            for step in out.as_chunks_mut().0 {
                *step = racing.displacement(*step);
            }
        }
        Self::start(racing, streams(NOISE), disturbances)
    }

    /// Starts runs with given disturbances, in the order: run, step, entry. The controller of a run has the
    /// noise of outcome 0 of the sequence of its seed.
    pub(crate) fn given(racing: &Racing, seeds: &[u64], disturbances: Vec<f64>) -> Self {
        let stream = |seed: &u64| rng::stream(rng::derive(*seed, NOISE, 0), 0);
        Self::start(racing, seeds.iter().map(stream).collect(), disturbances)
    }

    fn start(racing: &Racing, noise: Vec<ChaCha8Rng>, disturbances: Vec<f64>) -> Self {
        let n = noise.len();
        let states = vec![racing.params.start; n];
        Self { states, controllers: racing.mppi.controllers(n), noise, disturbances }
    }

    /// Moves all runs by control step `k`; returns the actions applied.
    fn step(&mut self, racing: &Racing, k: usize) -> &[[f64; 2]] {
        self.controllers.draw(&mut self.noise);
        let actions = self.controllers.decide(&racing.model, &self.states);
        let disturbances = self.disturbances.chunks_exact(3 * racing.params.steps);
        for ((state, action), steps) in self.states.iter_mut().zip(actions).zip(disturbances) {
            racing.model.step(state, *action);
            *state = displace(state, [steps[3 * k], steps[3 * k + 1], steps[3 * k + 2]]);
        }
        actions
    }

    /// The states of the first run, the start first.
    pub(crate) fn states(mut self, racing: &Racing) -> Vec<State> {
        let mut states = vec![self.states[0]];
        for k in 0..racing.params.steps {
            self.step(racing, k);
            states.push(self.states[0]);
        }
        states
    }

    /// Moves all runs to their ends and writes their final states to `out`, one after the other; a state with
    /// an infinity or a NaN becomes NaN.
    pub(crate) fn finish(mut self, racing: &Racing, out: &mut [f64]) {
        for k in 0..racing.params.steps {
            self.step(racing, k);
        }
        for (out, state) in out.chunks_exact_mut(8).zip(&self.states) {
            let finished = state.iter().all(|v| v.is_finite());
            out.copy_from_slice(if finished { state } else { &[f64::NAN; 8] });
        }
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
        Runs::new(self, seed, block * BLOCK as u64, out.len() / 8).finish(self, out);
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
