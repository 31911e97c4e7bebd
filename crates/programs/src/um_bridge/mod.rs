//! UM-Bridge 1.0: models over HTTP.
//!
//! # References
//! - L. Seelinger, V. Cheng-Seelinger, A. Davis, M. Parno, A. Reinarz: UM-Bridge: uncertainty quantification
//!   and modeling bridge. *Journal of Open Source Software* 8 (2023), 4748. The protocol:
//!   <https://um-bridge-benchmarks.readthedocs.io>.

mod client;
mod connection;
mod http;
mod messages;
mod served;
mod server;

pub use client::UmBridgeModel;
pub use served::{Served, ServedError, ServedFn, ServedModel};
pub use server::{Server, Stop};
