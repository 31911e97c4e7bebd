//! Maps of single features to a standard normal scale, before the chain of a flow.
//!
//! A spline flow has the tails of a normal distribution outside the box of its splines, whatever the data. A
//! marginal map gives a feature the tails, the bounds and the point masses that it has; the chain then learns
//! the dependence between the features.
//!
//! | map | for |
//! | --- | --- |
//! | [`QuantileMap`] | continuous features with heavy tails or bounds |
//! | [`AtomicMap`] | features with values that many outcomes have exactly |
//! | [`IntegerMap`] | whole numbers |
//! | [`PeriodicMap`] | angles |
//!
//! A tail is a generalised Pareto distribution: it continues what the outer 5 % of the values show. It is an
//! extrapolation with a standard error, not knowledge.

mod atoms;
mod choice;
mod integer;
mod map;
mod marginal;
mod periodic;
mod quantile;
mod set;
mod tail;
#[cfg(test)]
mod tests;

pub use atoms::{Atom, AtomicMap};
pub use choice::MarginalChoice;
pub use integer::IntegerMap;
pub use map::{Image, MarginalMap};
pub use marginal::Marginal;
pub use periodic::PeriodicMap;
pub use quantile::QuantileMap;
pub use set::Marginals;
pub use tail::ParetoTail;
