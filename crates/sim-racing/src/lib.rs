//! A race car on a closed track under sampling-based control.
//!
//! A single-track car with brush tyres is driven by model predictive path integral control
//! ([`mppi`]): at each of 201 steps the controller draws 25 plans, rolls them out over five seconds and
//! moves its own plan towards the cheap ones; then the car is displaced and turned a little at random.
//! The outcome is the state at the end, eight numbers.
//!
//! ```
//! use latent_is::Simulator;
//! use sim_racing::{Racing, RacingParams};
//!
//! let racing = Racing::new(RacingParams { steps: 20, ..RacingParams::default() })?;
//! let outcomes = racing.simulate(20, 7); // [8, 20], a function of the seed alone
//! let drive = racing.rollout(7, 13); // the whole drive behind column 13
//! assert_eq!(drive.end().as_slice(), outcomes.column(13).as_slice());
//! # Ok::<(), sim_racing::ParamsError>(())
//! ```
//!
//! The car moves by the equations as they stand ([`step()`]). The controller's rollouts, nearly all of
//! the work, are vector code over the rollouts of 16 runs: scalar, AVX2 and AVX-512 registers, `f64` and
//! `f32` run the same code. No operation is fused and none mixes lanes, so the registers change the speed
//! and not one bit of the result.
//!
//! # References
//! - M. Brown, J. C. Gerdes: Coordinating tire forces to avoid obstacles using nonlinear model predictive
//!   control. *IEEE Transactions on Intelligent Vehicles* 5(1), 2020 (car and tyres).
//! - G. Williams et al.: Information-theoretic model predictive control. *IEEE Transactions on Robotics*
//!   34(6), 2018 (controller).
//! - D. M. Asmar et al.: Model predictive optimized path integral strategies. *ICRA* 2023 (environment).
//! - L. A. Kruse et al.: Enhanced Importance Sampling through Latent Space Exploration in Normalizing
//!   Flows. *AAAI* 2025 (the experiment).

#![expect(clippy::inline_always, reason = "vector code works only where all of it is inlined")]

mod car;
mod history;
mod lanes;
mod model;
pub mod mppi;
mod normal;
mod params;
mod racing;
mod reward;
mod rollout;
mod state;
mod step;
mod track;
mod tyre;

pub use car::{CarError, CarParams};
pub use history::{History, Record};
pub use model::{Arithmetic, CarModel, Registers};
pub use mppi::{Actions, Controllers, Dynamics, Mppi, MppiError, MppiSettings};
pub use params::{ParamsError, RacingParams};
pub use racing::Racing;
pub use reward::Reward;
pub use state::{Action, State, index};
pub use step::step;
pub use track::{Place, Track, TrackError};
pub use tyre::Axle;
