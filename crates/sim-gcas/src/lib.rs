//! An F-16 with an automatic ground-collision-avoidance pilot.
//!
//! A six-degree-of-freedom airframe with engine lag, a linear-quadratic inner loop with three
//! integrators, and an outer autopilot that rolls the wings level and pulls up. The random input is
//! the initial state (five normal numbers), the outcome twelve features of the state after three
//! seconds.
//!
//! ```
//! use latent_is::Simulator;
//! use sim_gcas::Gcas;
//!
//! let gcas = Gcas::default();
//! let outcomes = gcas.simulate(100, 7); // [12, 100], a function of the seed alone
//! let flight = gcas.rollout(7, 42); // the whole flight behind column 42
//! assert_eq!(sim_gcas::features(&flight.end()).as_slice(), outcomes.column(42).as_slice());
//! ```
//!
//! The model is written once over lanes of numbers: scalar, AVX2 and AVX-512 registers, `f64` and
//! `f32` run the same code. No operation is fused and none mixes lanes, so the registers change the
//! speed and not one bit of the result.
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
mod damping;
mod derivative;
mod engine;
mod flight;
mod gcas;
mod history;
mod lanes;
mod limit_state;
mod params;
mod real;
mod rigid_body;
mod state;
mod trig;

#[cfg(test)]
mod cost;
#[cfg(test)]
mod golden;

pub use autopilot::{Autopilot, Mode};
pub use derivative::Derivative;
pub use flight::{Integrator, Precision, Registers};
pub use gcas::Gcas;
pub use history::{History, Record};
pub use limit_state::{
    ALTITUDE_THRESHOLD, Criterion, CriterionError, Ellipsoids, GcasLimitState, PITCH_THRESHOLD,
    REFERENCE_MEAN, REFERENCE_SD,
};
pub use params::{GcasParams, Initial, ParamsError};
pub use state::{Command, FEATURE_INDEX, State, features, index};
