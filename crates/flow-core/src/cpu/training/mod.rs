//! Training on the CPU: forward pass, backward pass and Adam as plain loops.
//!
//! Batches are stored in the order in which matrix products read them, the derivatives of the spline
//! are written by hand, and the steps share their memory. The mathematics is that of the burn modules;
//! tests compare every gradient.

mod batch;
mod factor;
pub(crate) mod flow;
mod linear;
mod net;
mod norm;
mod product;
mod product_of_batches;
#[cfg(test)]
mod product_tests;
mod registers;
mod spline;
pub(crate) mod tensors;
#[cfg(test)]
mod tests;
