#![no_main]

use latent_is_runner::report::{
    html::{estimate::page_of_estimate, evaluation::page_of_evaluation},
    input::ReportInput,
};

libfuzzer_sys::fuzz_target!(|text: &str| {
    let _ = ReportInput::parse(text).and_then(|input| match input {
        ReportInput::Estimate(record) => page_of_estimate(&record),
        ReportInput::Evaluation(results) => page_of_evaluation(&results, None),
    });
});
