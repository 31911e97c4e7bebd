#![no_main]

use latent_is_runner::systems::experiment::Experiment;

libfuzzer_sys::fuzz_target!(|text: &str| {
    let _ = Experiment::parse(text, "fuzz.toml");
});
