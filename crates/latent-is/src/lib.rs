//! Rare-event probabilities by importance sampling, in target space or in the latent space of a
//! normalizing flow.
//!
//! Samples are columns: a batch is a nalgebra matrix `[d, n]` of `f64`, one sample a column.

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

pub use estimators::{
    adaptive, cross_entropy, directional, form, improved_cross_entropy, monte_carlo, sequential,
    subset,
};
pub use math::{rng, special};
pub use method::{final_stage, two_level};
#[cfg(feature = "flow")]
pub use model::flow;
pub use model::{counting, density, latent, limit_state, nan_policy, simulator, transport};
pub use result::{diagnostics, estimate, interval, verdict};

pub use adaptive::Adaptive;
pub use counting::CountingTransport;
pub use cross_entropy::CrossEntropy;
pub use density::{Density, StandardNormal};
pub use directional::Directional;
pub use error::{Error, EvalError};
pub use estimate::{Estimate, LevelRecord, StopReason};
pub use final_stage::FinalStage;
#[cfg(feature = "flow")]
pub use flow::{FlowTransport, Units};
pub use form::{DesignPoint, DesignPoints, Form};
pub use improved_cross_entropy::ImprovedCrossEntropy;
pub use interval::{Interval, IntervalKind};
pub use limit_state::{FnLimitState, LimitState};
pub use method::estimator::Estimator;
pub use method::search_method::{Method, Search};
pub use mixture::defensive::Proposal;
pub use mixture::{Components, Family, GaussianMixture, MixtureFit};
pub use monte_carlo::MonteCarlo;
pub use nan_policy::{NanPolicy, WithNanPolicy};
pub use run::{Budget, Run};
pub use sequential::{Moves, Sequential};
pub use simulator::{Feature, Simulator};
pub use subset::SubsetSimulation;
pub use transport::Transport;
pub use two_level::{Correction, TwoLevel};
pub use verdict::{Reason, Status, Verdict};
