//! Rare-event probabilities by importance sampling, in target space or in the latent space of a
//! normalizing flow.
//!
//! Samples are columns: a batch is a nalgebra matrix `[d, n]` of `f64`, one sample a column.

pub mod adaptive;
mod conditional;
pub mod counted;
pub mod cross_entropy;
pub mod density;
pub mod diagnostics;
pub mod directional;
mod draws;
pub mod error;
pub mod estimate;
mod explore;
pub mod final_stage;
#[cfg(feature = "flow")]
pub mod flow;
pub mod form;
pub mod improved_cross_entropy;
pub mod interval;
pub mod latent;
mod level_size;
pub mod limit_state;
pub mod method;
pub mod metrics;
pub mod mixture;
pub mod monte_carlo;
mod nonfinite;
pub mod on_nan;
mod pool;
pub mod problems;
pub mod rng;
pub mod run;
pub mod sequential;
pub mod simulator;
mod smooth;
pub mod special;
pub mod subset;
pub mod transport;
pub mod two_level;
pub mod verdict;

pub use adaptive::Adaptive;
pub use counted::Counted;
pub use cross_entropy::CrossEntropy;
pub use density::{Density, StandardNormal};
pub use directional::Directional;
pub use error::{Error, EvalError};
pub use estimate::{Estimate, LevelRecord, StopReason};
pub use final_stage::{FinalStage, Proposal};
#[cfg(feature = "flow")]
pub use flow::{FlowTransport, Units};
pub use form::{DesignPoint, DesignPoints, Form};
pub use improved_cross_entropy::ImprovedCrossEntropy;
pub use interval::{Interval, IntervalKind};
pub use limit_state::{FnLimitState, LimitState};
pub use method::{Method, Search};
pub use mixture::{Components, Family, GaussianMixture, MixtureFit};
pub use monte_carlo::MonteCarlo;
pub use on_nan::{NanPolicy, OnNan};
pub use run::{Budget, Estimator, Run};
pub use sequential::{Moves, Sequential};
pub use simulator::{Feature, Simulator};
pub use subset::SubsetSimulation;
pub use transport::Transport;
pub use two_level::{Correction, TwoLevel};
pub use verdict::{Reason, Status, Verdict};
