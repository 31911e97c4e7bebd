#![doc = include_str!("../README.md")]

mod builder;
mod change;
mod check;
mod copula;
mod correlation;
mod distribution;
mod error;
mod input;
mod nataf;
mod sample;
mod set;
mod special;
mod text;
mod transform;
mod univariate;

pub use builder::InputsBuilder;
pub use correlation::Correlation;
pub use distribution::Distribution;
pub use error::InputsError;
pub use input::Input;
pub use set::Inputs;
pub use transform::Transform;
pub use univariate::{
    Univariate, beta::Beta, constant::Constant, discrete::Discrete, exponential::Exponential,
    gamma::Gamma, gumbel::Gumbel, log_normal::LogNormal, normal::Normal, student_t::StudentT,
    table::Table, triangular::Triangular, truncated_normal::TruncatedNormal, uniform::Uniform,
    weibull::Weibull,
};
