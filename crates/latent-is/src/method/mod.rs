//! What every estimator is: a state carried on in steps, a search for a proposal, fresh draws at its end.

pub mod estimator;
pub mod final_stage;
pub mod search_method;
pub mod search_outcome;
pub mod search_settings;
pub mod stepwise;
pub mod two_level;
