#![no_main]

use flow_core::bijection::Standardise;
use latent_is_runner::criterion::FailureCriterion;

libfuzzer_sys::fuzz_target!(|text: &str| {
    let names = ["a", "b", "c"].map(str::to_owned);
    let moments = Standardise::new(vec![1.0, 2.0, 0.0], vec![2.0, 0.5, 1.0]);
    let moments = moments.expect("the standard deviations are positive");
    let _ = FailureCriterion::parse(text, "fuzz.toml", &names, &moments);
});
