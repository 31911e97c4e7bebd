//! Rare-event probabilities by importance sampling, in target space or in the latent space of a
//! normalizing flow.
//!
//! Samples are columns: a batch is a nalgebra matrix `[d, n]` of `f64`, one sample a column.

pub mod density;
pub mod error;
#[cfg(feature = "flow")]
pub mod flow;
pub mod limit_state;
pub mod rng;
pub mod simulator;
pub mod transport;

pub use density::{Density, StandardNormal};
pub use error::EvalError;
#[cfg(feature = "flow")]
pub use flow::{FlowTransport, Units};
pub use limit_state::{FnLimitState, LimitState};
pub use simulator::{Feature, Simulator};
pub use transport::Transport;
