//! The nonholonomic robot: a unicycle with random disturbances whose turn rate may change its sign once.
//!
#![doc = include_str!("../docs/poses.svg")]
//!
//! Forty paths of seed 0 and the final positions of 2000 runs, failures in red: drawn by
//! `cargo run --release -p sim-toy --example poses`.
//!
//! A small simulator with a curved outcome distribution of several lobes in three dimensions: small enough
//! for exact checks, hard for Gaussian proposals. It takes microseconds per run.
//!
//! ```
//! use sim_core::Simulator;
//! use sim_toy::Robot;
//!
//! let robot = Robot::default();
//! let poses = robot.simulate(1000, 7); // [3, 1000], a function of the seed alone
//! let path = robot.rollout(7, 123); // the whole path of column 123
//! assert_eq!(path.outcome().to_array().as_slice(), poses.column(123).as_slice());
//! ```
//!
//! # What is offered
//!
//! | item | what it is |
//! | --- | --- |
//! | [`Robot`] | the simulator `robot`: outcomes by seed ([`Simulator`](sim_core::Simulator)) or by 121 named inputs ([`Model`](sim_core::Model)), whole paths ([`Robot::rollout`]) |
//! | [`RobotParams`] | its parameters; the default is the published experiment |
//! | [`Pose`], [`step`] | position and heading; one step of the dynamics |
//! | [`Path`] | one run: poses, turn rates, disturbances |
//! | [`failure_regions`], [`REFERENCE_MEAN`], [`REFERENCE_SD`] | the published failure regions and the moments that standardise them |
//!
//! # The model
//!
//! From the pose $(x, y, \theta) = (0, 0, 0)$ the robot takes 40 steps of one second,
//!
//! $$ x \leftarrow x + s \cos\theta + u, \qquad
//!    y \leftarrow y + s \sin\theta + v, \qquad
//!    \theta \leftarrow \theta + \alpha + \omega, \qquad
//!    (u, v, \omega) \sim \mathcal N(0, \Sigma), \tag{1} $$
//!
//! with speed $s$ = 5 m/s, turn rate $\alpha$ = 0.1 rad/s and $\Sigma = \mathrm{diag}(0.1, 0.1, 0.01)$. After 16
//! steps $\alpha$ changes its sign with probability 1/2. The outcome is the final pose. A pose is a failure when it
//! lies in one of two balls in standardised coordinates ([`failure_regions`]); with the reference moments the
//! probability of failure is 7.21e-3.
//!
//! # Limits
//!
//! - The heading is not wrapped: headings that differ by a full turn are different outcomes.
//! - The failure regions are fixed in standardised coordinates. Their probability depends on the moments by
//!   up to 5 % for moments of 10,000 runs, so comparisons must use the same moments.
//! - Parameters for which the heading may exceed $10^6$ rad are refused.
//!
//! # References
//! - L. A. Kruse et al.: Enhanced Importance Sampling through Latent Space Exploration in
//!   Normalizing Flows. *AAAI* 2025; dynamics and constants from its public data generator.

mod disturbances;
mod dynamics;
mod model;
mod params;
mod regions;
mod robot;

pub use dynamics::{Pose, step};
pub use params::{ParamsError, RobotParams};
pub use regions::{REFERENCE_MEAN, REFERENCE_SD, failure_regions};
pub use robot::{Path, Robot};
