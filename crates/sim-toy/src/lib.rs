//! The nonholonomic robot: a unicycle with noisy dynamics whose turn rate may flip half way.
//!
//! From the pose $(x, y, \theta) = (0, 0, 0)$ the robot takes 40 steps of one second,
//!
//! $$ x \leftarrow x + s \cos\theta + u, \qquad
//!    y \leftarrow y + s \sin\theta + v, \qquad
//!    \theta \leftarrow \theta + \alpha + \omega, \qquad
//!    (u, v, \omega) \sim \mathcal N(0, \Sigma), \tag{1} $$
//!
//! and after 16 of them $\alpha$ changes its sign with probability 1/2. The outcome is the final
//! pose: a curved distribution in three dimensions, small enough for exact checks and hard for
//! Gaussian proposals.
//!
//! ```
//! use latent_is::Simulator;
//! use sim_toy::Robot;
//!
//! let robot = Robot::default();
//! let poses = robot.simulate(1000, 7); // [3, 1000], a function of the seed alone
//! let path = robot.rollout(7, 123);
//! assert_eq!(path.outcome().to_array().as_slice(), poses.column(123).as_slice());
//! ```
//!
//! # References
//! - L. A. Kruse et al.: Enhanced Importance Sampling through Latent Space Exploration in
//!   Normalizing Flows. *AAAI* 2025; dynamics and constants from its public data generator.

mod dynamics;
mod params;
mod regions;
mod robot;
mod trig;

pub use dynamics::{Pose, step};
pub use params::{ParamsError, RobotParams};
pub use regions::{REFERENCE_MEAN, REFERENCE_SD, failure_regions};
pub use robot::{Path, Robot};
