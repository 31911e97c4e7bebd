//! What the published program measures on the robot, for comparison.
//!
//! 100 trials per row with the public program of Kruse et al. (AAAI 2025), as released and with its
//! defects corrected.

use crate::{
    estimation::method::{MethodKind, Space},
    reproduce::key::Event,
};

/// One measured row of the published program.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PublishedRow {
    /// The space in which the estimator works.
    pub space: Space,
    /// The estimator.
    pub method: MethodKind,
    /// The event that the estimate is about.
    pub event: Event,
    /// Whether the defects of the program were corrected.
    pub corrected: bool,
    /// Mean and standard deviation of the estimates.
    pub pf: (f64, f64),
    /// Mean signed relative error against simulation.
    pub rel_err: f64,
    /// Mean negative log-likelihood of draws from the proposal.
    pub nll: f64,
    /// Coverage of the reference failures.
    pub coverage: f64,
    /// Density of the failing draws.
    pub density: f64,
    /// Number of samples as that program counts them; it does not count all batches.
    pub samples: u32,
}

/// The measured rows, for the system `robot`.
pub const PUBLISHED: [PublishedRow; 8] = [
    measured(
        Space::Latent,
        MethodKind::Ce,
        false,
        (0.01064, 0.00053),
        0.464,
        [3.43, 0.789, 0.987],
        4560,
    ),
    measured(
        Space::Latent,
        MethodKind::Sis,
        false,
        (0.01067, 0.00084),
        0.467,
        [3.10, 0.703, 0.995],
        9270,
    ),
    measured(
        Space::Target,
        MethodKind::Ce,
        false,
        (0.00335, 0.00197),
        -0.540,
        [3.42, 0.384, 0.993],
        11020,
    ),
    measured(
        Space::Target,
        MethodKind::Sis,
        false,
        (0.00761, 0.00107),
        0.047,
        [7.97, 0.566, 0.639],
        12000,
    ),
    measured(
        Space::Latent,
        MethodKind::Ce,
        true,
        (0.00787, 0.00062),
        0.081,
        [3.43, 0.789, 0.987],
        4560,
    ),
    measured(
        Space::Latent,
        MethodKind::Sis,
        true,
        (0.00782, 0.00039),
        0.075,
        [3.38, 0.820, 0.993],
        9330,
    ),
    measured(
        Space::Target,
        MethodKind::Ce,
        true,
        (0.00334, 0.00198),
        -0.540,
        [3.40, 0.384, 0.993],
        11120,
    ),
    measured(
        Space::Target,
        MethodKind::Sis,
        true,
        (0.00779, 0.00028),
        0.071,
        [4.48, 0.887, 0.961],
        11220,
    ),
];

const fn measured(
    space: Space,
    method: MethodKind,
    corrected: bool,
    pf: (f64, f64),
    rel_err: f64,
    [nll, coverage, density]: [f64; 3],
    samples: u32,
) -> PublishedRow {
    // As released, the latent rows estimate the surrogate event.
    let event = match (space, corrected) {
        (Space::Latent, false) => Event::Surrogate,
        _ => Event::True,
    };
    PublishedRow { space, method, event, corrected, pf, rel_err, nll, coverage, density, samples }
}
