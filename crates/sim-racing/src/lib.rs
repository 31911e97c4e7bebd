//! A race car on a closed track under sampling-based control, with random disturbances.
//!
#![doc = include_str!("../docs/lap.svg")]
//!
//! The track, the first lap of seed 0 coloured by speed, and the final positions of 600 runs after
//! 20.1 s: drawn by `cargo run --release -p sim-racing --example lap`.
//!
//! A single-track car with brush tyres is driven by model predictive path integral control ([`mppi`]). At
//! each of 201 steps of 0.1 s the controller draws 25 plans, simulates them over five seconds, and moves
//! its own plan towards those with low costs; then the car is displaced and turned a little at random. The
//! outcome is the final state, eight numbers: a distribution with atoms and heavy tails.
//!
//! ```
//! use sim_core::Simulator;
//! use sim_racing::{Racing, RacingParams};
//!
//! let racing = Racing::new(RacingParams { steps: 20, ..RacingParams::default() })?;
//! let outcomes = racing.simulate(20, 7); // [8, 20], a function of the seed alone
//! let drive = racing.rollout(7, 13); // the whole drive of column 13
//! assert_eq!(drive.end().as_slice(), outcomes.column(13).as_slice());
//! # Ok::<(), sim_racing::ParamsError>(())
//! ```
//!
//! # What is offered
//!
//! | item | what it is |
//! | --- | --- |
//! | [`Racing`] | the simulator `racecar`: outcomes by seed ([`Simulator`](sim_core::Simulator)) or by disturbances and seed ([`Model`](sim_core::Model)), whole drives ([`Racing::rollout`]) |
//! | [`RacingParams`], [`CarParams`], [`Reward`], [`MppiSettings`] | settings; the default is the published experiment |
//! | [`Arithmetic`], [`Registers`] | how the rollouts of the controller are computed |
//! | [`Track`], [`Place`] | closed tracks, also from CSV files ([`Track::from_csv`]); positions relative to them |
//! | [`State`], [`index`], [`Action`] | the state vector with units; steering command and pedal |
//! | [`History`], [`Record`] | a drive with its actions, disturbances, plans, costs and weights |
//! | [`step()`], [`Axle`] | one control step of the car; the tyre model |
//! | [`mppi`]: [`Mppi`], [`Controllers`], [`Dynamics`] | the controller, for any model |
//!
//! # The model
//!
//! With velocities $u$ (ahead) and $v$ (to the left), yaw rate $r$, steering angle $\delta$, mass $m$, yaw inertia
//! $I$ and the distances $a$, $b$ of the axles from the centre of mass,
//!
//! $$ m(\dot u - r v) = F_{x,f}\cos\delta - F_{y,f}\sin\delta + F_{x,r} - F_\mathrm{drag}, \tag{1} $$
//! $$ m(\dot v + r u) = F_{x,f}\sin\delta + F_{y,f}\cos\delta + F_{y,r}, \qquad
//!    I \dot r = a (F_{x,f}\sin\delta + F_{y,f}\cos\delta) - b F_{y,r}. \tag{2} $$
//!
//! The side force of an axle with cornering stiffness $C$ at slip angle $\alpha$ is that of the brush model,
//!
//! $$ F_y = -C \tan\alpha \Bigl(1 - q + \tfrac13 q^2\Bigr), \quad
//!    q = \frac{C |\tan\alpha|}{3 F_\mathrm{max}}, \quad
//!    F_\mathrm{max} = \sqrt{(\mu F_z)^2 - F_x^2}, \tag{3} $$
//!
//! and $-F_\mathrm{max} \mathrm{sign} \alpha$ where the tyre is saturated, $|\alpha| \ge \arctan(3 F_\mathrm{max} / C)$.
//! The reward of a state, whose negative is the cost of the controller, is stated at [`Reward`]; the
//! controller at [`mppi`].
//!
//! # Speed and reproducibility
//!
//! The car moves by equations (1) to (3) in this form ([`step()`]). The rollouts of the controller, nearly
//! all of the work, are vector code over the rollouts of 16 runs. Scalar, AVX2 and AVX-512 registers run the
//! same code without fused operations, so the registers change the speed and no bit of the result. One
//! core of a server processor simulates about 80 runs per second in `f64` and 120 in `f32`.
//!
//! # Limits
//!
//! - The controller doubles a rounding error about every step. After 60 steps, `f32`, `f64` and
//!   [`Arithmetic::Literal`] agree in distribution only.
//! - Nothing ends a run: neither leaving the track nor spinning.
//! - 63 % of the outcomes lie on atoms (full throttle, steering limits), so the outcome has no density.
//! - The distance from the centre line is measured by a simplified rule, see [`Track`].
//!
//! # References
//! - M. Brown, J. C. Gerdes: Coordinating tire forces to avoid obstacles using nonlinear model predictive
//!   control. *IEEE Transactions on Intelligent Vehicles* 5(1), 2020 (car and tyres).
//! - G. Williams et al.: Information-theoretic model predictive control: theory and applications to
//!   autonomous driving. *IEEE Transactions on Robotics* 34(6), 2018 (controller).
//! - D. M. Asmar et al.: Model predictive optimized path integral strategies. *ICRA* 2023 (environment).
//! - L. A. Kruse et al.: Enhanced Importance Sampling through Latent Space Exploration in Normalizing
//!   Flows. *AAAI* 2025 (the experiment).

#![expect(clippy::inline_always, reason = "vector code works only where all of it is inlined")]

mod car;
mod history;
mod model;
pub mod mppi;
mod normal;
mod params;
mod racing;
mod random_inputs;
mod reward;
mod rollout;
mod state;
mod step;
mod track;
mod tyre;

pub use car::{CarError, CarParams};
pub use history::{History, Record};
pub use model::{Arithmetic, CarModel};
pub use mppi::{Actions, Controllers, Dynamics, Mppi, MppiError, MppiSettings};
pub use params::{ParamsError, RacingParams};
pub use racing::Racing;
pub use reward::Reward;
pub use sim_core::Registers;
pub use state::{Action, State, index};
pub use step::step;
pub use track::{Place, Track, error::TrackError};
pub use tyre::Axle;
