//! What the user brings: limit states, densities, transport maps and their composition.

pub mod counting;
pub mod density;
#[cfg(feature = "flow")]
pub mod flow;
mod guarded;
pub mod judge;
pub mod latent;
pub mod limit_state;
pub mod model_limit_state;
pub mod nan_policy;
pub mod tilt;
pub mod tilted;
pub mod transport;
pub mod transport_inputs;
