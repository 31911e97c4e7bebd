//! The estimators, one module each.

pub mod adaptive;
pub mod certified;
pub mod cross_entropy;
pub mod directional;
pub mod form;
pub mod improved_cross_entropy;
pub mod monte_carlo;
pub mod sequential;
pub mod subset;
