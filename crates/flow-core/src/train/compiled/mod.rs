//! Training on the CPU without burn: the forward pass, the way back and Adam as plain loops.
//!
//! A training step of a flow is a few hundred products of small matrices with cheap passes between
//! them; a tensor library pays for memory, copies and passes of its own at each. Here the products
//! are packed and blocked, the spline has its derivatives by hand, and the memory of a step serves
//! the next. The meaning is that of the burn modules, to which the tests hold every gradient.
//!
//! Results do not depend on the number of threads.

#![expect(clippy::inline_always, reason = "vector code works only where all of it is inlined")]

mod flow;
mod linear;
mod net;
mod norm;
mod product;
mod rows;
mod spline;
mod tensors;

pub(super) use flow::Compiled;

#[cfg(test)]
mod tests;
