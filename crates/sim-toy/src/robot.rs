//! The robot as a simulator: final poses in blocks, or one whole path.

use inputs::Inputs;
use serde::{Deserialize, Serialize};
use sim_core::{Feature, Simulator};

use crate::{
    disturbances::{BLOCK, Disturbances, Drawn, Noise},
    dynamics::{Pose, step},
    params::{ParamsError, RobotParams},
};

pub(crate) static FEATURES: [Feature; 3] =
    [Feature::new("x", "m"), Feature::new("y", "m"), Feature::new("theta", "rad")];

/// The nonholonomic robot with checked parameters; the default is the published experiment.
///
/// It is made from [`RobotParams`], which can be read back with [`params`](Self::params), and it is
/// serialised as them; parameters that are out of range are refused when it is deserialised.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "RobotParams", into = "RobotParams")]
pub struct Robot {
    params: RobotParams,
    inputs: Inputs,
}

impl Default for Robot {
    fn default() -> Self {
        Self::new(RobotParams::default()).expect("default parameters are valid")
    }
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
        Ok(Self { params, inputs: params.inputs()? })
    }

    /// The parameters.
    pub fn params(&self) -> &RobotParams {
        &self.params
    }

    /// The disturbances and the change of the turn rate as inputs.
    pub(crate) fn random_inputs(&self) -> &Inputs {
        &self.inputs
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
        let mut drawn = Drawn::new(&self.params, seed, index / BLOCK as u64);
        let end = self.run(&mut drawn, |runs, noise| {
            path.poses.push(runs.pose(lane));
            path.turn_rates.push(runs.turn_rate[lane]);
            path.noise.push([noise[0][lane], noise[1][lane], noise[2][lane]]);
        });
        path.poses.push(end.pose(lane));
        path
    }

    /// The poses of the first run of a block, the start first.
    pub(crate) fn poses(&self, source: &mut impl Disturbances) -> Vec<Pose> {
        let mut poses = Vec::with_capacity(self.params.steps + 1);
        let end = self.run(source, |runs, _| poses.push(runs.pose(0)));
        poses.push(end.pose(0));
        poses
    }

    /// Simulates all runs of a block with the disturbances of `source`; before each step, `before_step` is
    /// called with the runs and the disturbances of the step.
    fn run(
        &self,
        source: &mut impl Disturbances,
        mut before_step: impl FnMut(&Runs, &Noise),
    ) -> Runs {
        let RobotParams { steps, speed, turn_rate, flip_after, .. } = self.params;
        let mut noise: Noise = [[0.0; BLOCK]; 3];
        let start = [0.0; BLOCK];
        let mut runs = Runs { x: start, y: start, theta: start, turn_rate: [turn_rate; BLOCK] };
        for i in 0..steps {
            if i == flip_after {
                for (j, rate) in runs.turn_rate.iter_mut().enumerate() {
                    *rate = if source.flips(j) { -turn_rate } else { turn_rate };
                }
            }
            source.fill(i, &mut noise);
            before_step(&runs, &noise);
            runs.step(speed, &noise);
        }
        runs
    }

    /// Simulates a block and writes the final poses of the first runs to `out`; a pose with an infinity or a
    /// NaN becomes NaN.
    pub(crate) fn finish(&self, source: &mut impl Disturbances, out: &mut [f64]) {
        let runs = self.run(source, |_, _| ());
        for (j, out) in out.chunks_exact_mut(3).enumerate() {
            let pose = runs.pose(j).to_array();
            let finished = pose.iter().all(|v| v.is_finite());
            out.copy_from_slice(&if finished { pose } else { [f64::NAN; 3] });
        }
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
        self.finish(&mut Drawn::new(&self.params, seed, block), out);
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
