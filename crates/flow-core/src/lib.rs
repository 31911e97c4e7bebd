//! Normalizing flows on burn.
