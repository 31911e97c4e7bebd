//! What the user brings: limit states, densities, transport maps and their composition.

pub mod counted;
pub mod density;
#[cfg(feature = "flow")]
pub mod flow;
pub mod latent;
pub mod limit_state;
pub mod on_nan;
pub mod simulator;
pub mod transport;
