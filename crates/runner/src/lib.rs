//! Experiments, tables and the `latent-is` program.
