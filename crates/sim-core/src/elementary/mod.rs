//! Polynomials, sine and cosine, exponential and logarithm.
//!
//! All are made of operations that exist as vector instructions, without a table and without a branch
//! per lane. Their results do not depend on the mathematical library of the machine. Each function
//! states the arguments that it accepts and its error.

mod exponential;
mod polynomial;
mod trigonometric;

pub use exponential::{exp_nonpositive, ln_below_two};
pub use polynomial::{horner, poly};
pub use trigonometric::{MAX_ANGLE, sin_cos, sin_cos_any, sin_cos_reduced};
