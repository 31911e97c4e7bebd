//! Model predictive path integral control (MPPI): a sampling-based controller for any model.
//!
//! The controller keeps a plan of actions $P_t$, $t < T$. At every step it draws $K$ perturbations
//! $n_{kt} \sim \mathcal N(0, \Sigma)$, computes with the model the cost $c_k$ of each plan
//! $\mathrm{clamp}(P_t + n_{kt}, -1, 1)$, and moves the plan to the weighted mean
//!
//! $$ Q_t = P_t + \sum_k w_k n_{kt}, \qquad
//!    w_k \propto \exp\bigl(-(c_k - \min_j c_j) / \lambda\bigr). $$
//!
//! It applies the action $\mathrm{clamp}(Q_0, -1, 1)$ and keeps $Q_1, \dots, Q_{T-1}, 0$ as the plan for the
//! next step. Only actions are limited to [-1, 1], perturbations and plan are not.
//!
//! # References
//! - G. Williams et al.: Information-theoretic model predictive control: theory and applications to
//!   autonomous driving. *IEEE Transactions on Robotics* 34(6), 2018. Here without the control cost.

pub(crate) mod actions;
pub(crate) mod batch;
pub(crate) mod dynamics;
pub(crate) mod settings;

pub use actions::Actions;
pub use batch::Controllers;
pub use dynamics::Dynamics;
pub use settings::{Mppi, MppiError, MppiSettings};
