//! How properties are tried.

use proptest::{prelude::ProptestConfig, test_runner::RngSeed};

/// `cases` cases, the same ones in each run. `PROPTEST_CASES` and `PROPTEST_RNG_SEED` ask for others.
pub(crate) fn cases(cases: u32) -> ProptestConfig {
    let asked = ProptestConfig::default();
    let given = std::env::var_os("PROPTEST_CASES").is_some();
    ProptestConfig {
        cases: if given { asked.cases } else { cases },
        rng_seed: match asked.rng_seed {
            RngSeed::Random => RngSeed::Fixed(1),
            seed @ RngSeed::Fixed(_) => seed,
        },
        failure_persistence: None,
        ..asked
    }
}
