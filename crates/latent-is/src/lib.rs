//! Rare-event probabilities by importance sampling, in target space or in the latent space of a
//! normalizing flow.
//!
//! Samples are columns: a batch is a nalgebra matrix `[d, n]` of `f64`, one sample a column.

pub mod density;
pub mod error;
pub mod limit_state;
pub mod metrics;
pub mod mixture;
pub mod rng;
pub mod simulator;
pub mod special;
pub mod transport;

pub use density::{Density, StandardNormal};
pub use error::{Error, EvalError};
pub use limit_state::{FnLimitState, LimitState};
pub use mixture::{Components, GaussianMixture, MixtureFit};
pub use simulator::{Feature, Simulator};
pub use transport::Transport;
