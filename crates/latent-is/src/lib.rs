//! Rare-event probabilities by importance sampling, in target space or in the latent space of a normalizing flow.
//!
#![doc = include_str!("../docs/latent-space.svg")]
//!
//! Outcomes of the nonholonomic robot (left) and the same outcomes in the latent space of a flow trained on them
//! (right), failures marked: drawn by `cargo run --release -p latent-is --example latent_picture`.
//!
//! A system fails when its limit state $g(x) \le 0$. For outcomes $x \sim p$ the crate estimates
//!
//! $$ P_f = \int \mathbf 1\lbrace g(x) \le 0\rbrace p(x) \mathrm dx, $$
//!
//! with a confidence interval, a verdict that says why an estimate may be wrong, and failure samples with weights.
//!
//! ```
//! use latent_is::{Adaptive, Estimator, FnLimitState, StandardNormal};
//!
//! // Failure: the sum of ten standard normal inputs exceeds 4.5 standard deviations. P = 3.3977e-6.
//! let g = FnLimitState::new(10, |u: &[f64]| 4.5 - u.iter().sum::<f64>() / 10_f64.sqrt());
//! let estimate = Adaptive::default().estimate(&StandardNormal::new(10), &g, 7)?;
//! let interval = estimate.interval(0.95);
//! println!("{:.3e} in [{:.3e}, {:.3e}]", estimate.pf(), interval.lower(), interval.upper());
//! println!("{} evaluations. {}", estimate.counts.evaluations, estimate.verdict());
//! # assert!(estimate.interval(0.999).contains(3.3977e-6));
//! # Ok::<(), latent_is::Error>(())
//! ```
//!
//! With a simulator whose random inputs are known, [`ModelLimitState`] puts the simulator itself into the loop. With
//! outcomes alone, train a flow first: `examples/latent_space.rs` goes
//! from outcomes to a probability in some 25 lines.
//!
//! Samples are columns: a batch is a nalgebra matrix `[d, n]` of `f64`, one sample per column. Natural logarithms
//! have the prefix `ln_`. Results are functions of settings and seed, on any number of threads.
//!
//! # Estimators
//!
//! All implement the object-safe trait [`Estimator`]; [`Run`] adds budgets, observers and checkpoint files.
//!
//! | estimator | nominal density | take it |
//! | --- | --- | --- |
//! | [`Adaptive`] | any; best in standard normal (latent) space | first, up to some tens of coordinates |
//! | [`CrossEntropy`] | any | when $g$ falls towards failure |
//! | [`ImprovedCrossEntropy`] | any | the same with smooth thresholds, which use every sample |
//! | [`Sequential`] | any; conditional moves need standard normal space | many modes; with conditional moves, hundreds of coordinates |
//! | [`Certified`] | standard normal | up to hundreds of coordinates, from some 50,000 evaluations on |
//! | [`SubsetSimulation`] | standard normal | hundreds of coordinates, as a rough first estimate |
//! | [`Directional`] | standard normal | failure in all directions from the origin |
//! | [`MonteCarlo`] | any | events that are not rare; reference values |
//!
//! [`Form`] searches for design points and gives the first-order reliability index.
//!
//! # What is offered
//!
//! | room | holds |
//! | --- | --- |
//! | [`model`] | what the user brings: [`LimitState`], [`Density`], [`Transport`], their composition in [`latent`] space, a simulator's [model](model_limit_state) as limit state, the [policy for NaN](nan_policy), densities [tilted](tilt) towards failure |
//! | [`mixture`] | [`GaussianMixture`], weighted fits, defensive mixtures |
//! | [`problems`] | 21 limit states with known failure probabilities |
//! | [`result`](mod@result) | [`Estimate`], [`Interval`], [`Verdict`], [`diagnostics`] |
//! | [`method`] | [`Estimator`], [`Stepwise`], [`SearchMethod`], [`FinalStage`], [`TwoLevel`] |
//! | [`estimators`] | the estimators and their theory |
//! | [`metrics`] | density and coverage of samples, statistics of repeated runs |
//! | [`run`] | [`Run`], [`Budget`], observers, checkpoints |
//! | [`settings`] | [`Builder`]: one idiom for all settings |
//!
//! # Theory
//!
//! A search moves a Gaussian mixture $q$ towards the failure event and freezes it. Fresh draws $x_i \sim q$ then give
//!
//! $$ \hat P_f = \frac 1n \sum_i \mathbf 1\lbrace g(x_i) \le 0\rbrace \frac{p(x_i)}{q(x_i)}, $$
//!
//! without bias, because no draw of the search enters the sum. A share of $p$ in $q$ bounds every weight. With an
//! invertible map $x = T(u)$ that carries $u \sim \mathcal N(0, I)$ to $x \sim p$, the same search runs in $u$ on
//! $g(T(u))$ ([`latent::ComposedLimitState`]): failure regions that are curved and separate in $x$ are simpler there.
//!
//! # Limits
//!
//! - With a flow as $T$ the probability is that of the *flow*. Where its tails differ from those of the simulator, so
//!   does the probability; no diagnostic of this crate sees that without outcomes or runs of the simulator.
//! - A failure mode that no draw came near leaves no trace in the estimate or its interval.
//! - Searches for a mixture become unreliable above some tens of coordinates; conditional moves and subset simulation
//!   do not, but converge slowly.
//!
//! # Features
//!
//! `flow` (default): trained flows of `flow-core` as transport maps, which brings burn. `flex` (default), `ndarray`
//! and `wgpu`: burn's backends. Without default features the crate needs neither burn nor `flow-core`.
//!
//! # References
//!
//! - L. Kruse, A. Tzikas, H. Delecki, M. Arief, M. Kochenderfer: Enhanced importance sampling through latent space
//!   exploration in normalizing flows. *AAAI* (2025).
//! - S. Geyer, I. Papaioannou, D. Straub: Cross entropy-based importance sampling using Gaussian densities revisited.
//!   *Structural Safety* 76 (2019), 15–27.
//! - I. Papaioannou, C. Papadimitriou, D. Straub: Sequential importance sampling for structural reliability analysis.
//!   *Structural Safety* 62 (2016), 66–75.

pub mod error;
pub mod estimators;
pub mod math;
pub mod method;
pub mod metrics;
pub mod mixture;
pub mod model;
pub mod problems;
pub mod result;
pub mod run;
mod search;
pub mod settings;

pub use estimators::{
    adaptive, certified, cross_entropy, directional, form, improved_cross_entropy, monte_carlo,
    sequential, subset,
};
pub use math::{rng, special};
pub use method::{final_stage, two_level};
#[cfg(feature = "flow")]
pub use model::flow;
pub use model::{
    counting, density, latent, limit_state, model_limit_state, nan_policy, tilt, tilted, transport,
};
pub use result::{diagnostics, ensemble, estimate, interval, support, verdict};

pub use adaptive::Adaptive;
pub use certified::Certified;
pub use counting::CountingTransport;
pub use cross_entropy::CrossEntropy;
pub use density::{Density, StandardNormal};
pub use directional::Directional;
pub use ensemble::{Ensemble, MemberEstimate};
pub use error::{Error, EvalError};
pub use estimate::{Estimate, LevelRecord, StopReason};
pub use final_stage::FinalStage;
#[cfg(feature = "flow")]
pub use flow::{FlowTransport, Units};
pub use form::{DesignPoint, DesignPoints, Form};
pub use improved_cross_entropy::ImprovedCrossEntropy;
pub use interval::{Interval, IntervalKind};
pub use limit_state::{FnLimitState, LimitState};
pub use method::estimator::{Estimator, Stepper};
pub use method::search_method::SearchMethod;
pub use method::search_outcome::SearchOutcome;
pub use method::search_settings::SearchSettings;
pub use method::stepwise::{SteppedSearch, Stepwise};
pub use mixture::defensive::Proposal;
pub use mixture::{Components, Family, GaussianMixture, MixtureFit};
pub use model::judge::{Judge, Judgement};
pub use model::transport_inputs::TransportInputs;
pub use model_limit_state::{Failures, ModelLimitState};
pub use monte_carlo::MonteCarlo;
pub use nan_policy::{NanPolicy, WithNanPolicy};
pub use result::text::scientific;
pub use run::{Budget, Run};
pub use sequential::{Moves, Sequential};
pub use settings::Builder;
pub use subset::SubsetSimulation;
pub use support::Support;
pub use tilt::Tilt;
pub use tilted::{Tilted, TiltedLimitState};
pub use transport::Transport;
pub use two_level::{Correction, TwoLevel};
pub use verdict::{Reason, Status, Verdict};
