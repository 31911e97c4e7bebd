//! The robot as a simulator: final poses in blocks, or one whole path.

use rand::RngExt;
use rand_distr::{Distribution, StandardNormal};
use serde::{Deserialize, Serialize};
use sim_core::{Feature, Simulator, rng};

use crate::{
    dynamics::{Pose, step},
    params::{ParamsError, RobotParams},
};

/// Runs per random stream; they are simulated together.
const BLOCK: usize = 256;

/// Disturbances of `x`, `y` (m) and `theta` (rad) of all runs of a block in one step.
type Noise = [[f64; BLOCK]; 3];

static FEATURES: [Feature; 3] =
    [Feature::new("x", "m"), Feature::new("y", "m"), Feature::new("theta", "rad")];

/// The nonholonomic robot with checked parameters; the default is the published experiment.
///
/// It is made from [`RobotParams`], which can be read back with [`params`](Self::params), and it is
/// serialised as them; parameters that are out of range are refused when it is deserialised.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RobotParams", into = "RobotParams")]
pub struct Robot {
    params: RobotParams,
}

/// One run from start to end.
#[derive(Clone, Debug, PartialEq)]
pub struct Path {
    /// The `steps + 1` poses, the start first.
    pub poses: Vec<Pose>,
    /// The turn rate in each step, rad/s.
    pub turn_rates: Vec<f64>,
    /// The disturbance of `x`, `y` (m) and `theta` (rad) in each step.
    pub noise: Vec<[f64; 3]>,
}

impl Path {
    /// The final pose.
    pub fn outcome(&self) -> Pose {
        self.poses.last().copied().unwrap_or_default()
    }
}

/// The state of all runs of a block, one array per coordinate, so that a step is compiled to vector code.
struct Runs {
    x: [f64; BLOCK],
    y: [f64; BLOCK],
    theta: [f64; BLOCK],
    turn_rate: [f64; BLOCK],
}

impl Runs {
    fn pose(&self, j: usize) -> Pose {
        Pose { x: self.x[j], y: self.y[j], theta: self.theta[j] }
    }

    fn step(&mut self, speed: f64, noise: &Noise) {
        let [u, v, omega] = noise;
        for j in 0..BLOCK {
            let next = step(self.pose(j), speed, self.turn_rate[j], [u[j], v[j], omega[j]]);
            (self.x[j], self.y[j], self.theta[j]) = (next.x, next.y, next.theta);
        }
    }
}

impl TryFrom<RobotParams> for Robot {
    type Error = ParamsError;

    fn try_from(params: RobotParams) -> Result<Self, ParamsError> {
        Self::new(params)
    }
}

impl From<Robot> for RobotParams {
    fn from(robot: Robot) -> Self {
        robot.params
    }
}

impl Robot {
    /// A robot with the given parameters.
    ///
    /// # Errors
    /// [`ParamsError`] when a parameter is out of range.
    pub fn new(params: RobotParams) -> Result<Self, ParamsError> {
        params.validate()?;
        Ok(Self { params })
    }

    /// The parameters.
    pub fn params(&self) -> &RobotParams {
        &self.params
    }

    /// Returns outcome `index` of the sequence of `seed` with its whole path. The final pose is column
    /// `index` of [`Simulator::simulate`], to the last bit.
    pub fn rollout(&self, seed: u64, index: u64) -> Path {
        let lane = (index % BLOCK as u64) as usize;
        let steps = self.params.steps;
        let mut path = Path {
            poses: Vec::with_capacity(steps + 1),
            turn_rates: Vec::with_capacity(steps),
            noise: Vec::with_capacity(steps),
        };
        let end = self.run(seed, index / BLOCK as u64, |runs, noise| {
            path.poses.push(runs.pose(lane));
            path.turn_rates.push(runs.turn_rate[lane]);
            path.noise.push([noise[0][lane], noise[1][lane], noise[2][lane]]);
        });
        path.poses.push(end.pose(lane));
        path
    }

    /// Simulates block `block`; before each step, `before_step` is called with the runs and the
    /// disturbances of the step. All runs of the block are drawn, also when only some are used.
    fn run(&self, seed: u64, block: u64, mut before_step: impl FnMut(&Runs, &Noise)) -> Runs {
        let RobotParams { steps, speed, turn_rate, flip_after, flip_probability, noise_variance } =
            self.params;
        let sd = noise_variance.map(f64::sqrt);
        let mut rng = rng::stream(rng::derive(seed, "robot", 0), block);
        let mut noise: Noise = [[0.0; BLOCK]; 3];
        let start = [0.0; BLOCK];
        let mut runs = Runs { x: start, y: start, theta: start, turn_rate: [turn_rate; BLOCK] };
        for i in 0..steps {
            if i == flip_after {
                for rate in &mut runs.turn_rate {
                    let flips = rng.random::<f64>() < flip_probability;
                    *rate = if flips { -turn_rate } else { turn_rate };
                }
            }
            for (row, sd) in noise.iter_mut().zip(sd) {
                for w in row {
                    let draw: f64 = StandardNormal.sample(&mut rng);
                    *w = sd * draw;
                }
            }
            before_step(&runs, &noise);
            runs.step(speed, &noise);
        }
        runs
    }
}

impl Simulator for Robot {
    fn name(&self) -> &'static str {
        "robot"
    }

    fn features(&self) -> &[Feature] {
        &FEATURES
    }

    fn block_len(&self) -> usize {
        BLOCK
    }

    fn simulate_block(&self, seed: u64, block: u64, out: &mut [f64]) {
        let runs = self.run(seed, block, |_, _| ());
        for (j, out) in out.chunks_exact_mut(3).enumerate() {
            let pose = runs.pose(j).to_array();
            let finished = pose.iter().all(|v| v.is_finite());
            out.copy_from_slice(&if finished { pose } else { [f64::NAN; 3] });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_written_as_its_parameters_and_read_through_their_checks() {
        let robot = Robot::new(RobotParams { speed: 4.0, ..RobotParams::default() }).unwrap();
        let text = serde_json::to_string(&robot).unwrap();
        assert_eq!(text, serde_json::to_string(robot.params()).unwrap());
        assert_eq!(serde_json::from_str::<Robot>(&text).unwrap(), robot);
        let error = serde_json::from_str::<Robot>(r#"{"steps": 0}"#).unwrap_err().to_string();
        assert!(error.contains("`steps` must be at least 1"), "{error}");
    }
}
