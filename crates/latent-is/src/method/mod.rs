//! What every estimator is: a state carried on in steps, and the fresh draws at its end.

pub mod estimator;
pub mod final_stage;
pub mod search_method;
pub mod two_level;
