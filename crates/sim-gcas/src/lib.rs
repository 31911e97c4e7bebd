//! An F-16 with an automatic ground-collision-avoidance system.
//!
#![doc = include_str!("../docs/flights.svg")]
//!
//! One recovery and one failure, simulated on to six seconds: drawn by
//! `cargo run --release -p sim-gcas --example flights`.
//!
//! The aircraft dives with banked wings. An autopilot rolls the wings level and pulls up; a
//! linear-quadratic controller with three integrators moves the surfaces of an airframe with six degrees of
//! freedom and a delayed engine. The random input is the initial state (five normal numbers), the outcome is
//! twelve features of the state after three seconds.
//!
//! ```
//! use sim_core::{Model, Simulator};
//! use sim_gcas::{Criterion, Gcas};
//!
//! let gcas = Gcas::default();
//! let outcomes = gcas.simulate(100, 7); // [12, 100], a function of the seed alone
//! let flight = gcas.rollout(7, 42); // the whole flight of column 42
//! assert_eq!(sim_gcas::features(&flight.end()).as_slice(), outcomes.column(42).as_slice());
//!
//! // The same as a model: outcomes of named inputs, here drawn from their distributions.
//! let w = gcas.inputs().sample(1000, 1)?; // [5, 1000]: airspeed, angle of attack, roll, pitch, altitude
//! let x = gcas.evaluate(w.as_view(), &[0; 1000])?.outputs; // [12, 1000]
//! let failures = x.column_iter().filter(|x| Criterion::Thresholds.limit(x.as_slice()) <= 0.0).count();
//! assert!(failures < 40); // the probability of failure is 0.012
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What is offered
//!
//! | item | what it is |
//! | --- | --- |
//! | [`Gcas`] | the simulator `f16`: outcomes by seed ([`Simulator`](sim_core::Simulator)) or by five named inputs ([`Model`](sim_core::Model)), flights from given states ([`Gcas::simulate_from`]), whole flights ([`Gcas::rollout`]) |
//! | [`Criterion`], [`Ellipsoids`] | the limit state of an outcome |
//! | [`Gcas::derivative`], [`Gcas::step`] | one evaluation of the model, one inner step |
//! | [`GcasParams`], [`Initial`], [`Autopilot`], [`Integrator`], [`Precision`], [`Registers`] | settings; the default is the published experiment |
//! | [`State`], [`index`], [`Command`], [`features()`], [`FEATURE_INDEX`] | the state vector with units, the command, the features |
//! | [`History`], [`Record`] | a flight with its commands, surfaces, loads and modes |
//!
//! # The model
//!
//! The state $x \in \mathbb R^{16}$ follows
//!
//! $$ \dot x = f\bigl(x, k(x, c), c\bigr), \qquad c = a(x), \qquad x(0) = x_0 + \Sigma u, \quad
//!    u \sim \mathcal N(0, I_5), \tag{1} $$
//!
//! where the autopilot $a$ gives a command $c$ every 2 ms, the controller $k$ gives throttle and surfaces,
//! and $f$ contains the equations of motion, the aerodynamic coefficients (polynomials, plus a table of rate
//! damping), the engine (thrust tables, power lag) and the standard atmosphere. The default integrates with
//! 1500 explicit Euler steps. Failure is $g(x) \le 0$, see [`Criterion`].
//!
//! # Speed and reproducibility
//!
//! The model is written once over lanes of numbers ([`sim_core::lanes`]), one flight per lane. Scalar,
//! AVX2 and AVX-512 registers, `f64` and `f32` run the same code without fused operations, so the registers
//! change the speed and no bit of the result. One core of a server processor simulates about 27,000 flights
//! per second in `f64`.
//!
//! # Limits
//!
//! - The model repeats the program that made the published data, with its peculiarities: rate damping
//!   counts twice, three polynomial coefficients lack digits, and the moments move twice with the centre of
//!   gravity.
//! - Nothing stops a flight at the ground.
//! - Five random numbers determine twelve features, so the features have no density in twelve dimensions.
//! - A flight that reaches an infinite or NaN state has NaN in all its features.
//!
//! # References
//! - B. L. Stevens, F. L. Lewis: *Aircraft Control and Simulation*, 2nd ed., Wiley (airframe,
//!   engine, atmosphere, damping; from L. T. Nguyen et al., NASA TP-1538, 1979).
//! - E. A. Morelli: Global Nonlinear Parametric Modeling with Application to F-16 Aerodynamics.
//!   *American Control Conference* 1998.
//! - P. Heidlauf, A. Collins, M. Bolender, S. Bak: Verification Challenges in F-16 Ground Collision
//!   Avoidance and Other Automated Maneuvers. *ARCH* 2018 (controller and autopilot).
//! - L. A. Kruse et al.: Enhanced Importance Sampling through Latent Space Exploration in
//!   Normalizing Flows. *AAAI* 2025 (the experiment).

#![expect(clippy::inline_always, reason = "vector code works only where all of it is inlined")]

mod aerodynamics;
mod airframe;
mod atmosphere;
mod autopilot;
mod controller;
mod criterion;
mod damping;
mod derivative;
mod engine;
mod flight;
mod gcas;
mod history;
mod model;
mod params;
mod rigid_body;
mod state;

#[cfg(test)]
mod cost;
#[cfg(test)]
mod golden;

pub use autopilot::{Autopilot, Mode};
pub use criterion::{
    ALTITUDE_THRESHOLD, Criterion, CriterionError, Ellipsoids, PITCH_THRESHOLD, REFERENCE_MEAN,
    REFERENCE_SD,
};
pub use derivative::Derivative;
pub use flight::Integrator;
pub use gcas::Gcas;
pub use history::{History, Record};
pub use params::{GcasParams, Initial, ParamsError};
pub use sim_core::{Precision, Registers};
pub use state::{Command, FEATURE_INDEX, State, features, index};
