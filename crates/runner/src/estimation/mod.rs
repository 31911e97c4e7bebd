//! Estimates under a flow: the choice of the estimator and of the space, and the comparison of the
//! flow with data.

pub mod agreement;
pub mod flow_model;
pub mod method;
pub mod model_method;
pub mod support;
