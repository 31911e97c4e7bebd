#![no_main]

use latent_is_runner::report::{
    html::{
        estimate::page_of_estimate, evaluation::page_of_evaluation,
        model_estimate::page_of_model_estimate, study::page_of_study,
    },
    input::ReportInput,
};

libfuzzer_sys::fuzz_target!(|text: &str| {
    let _ = ReportInput::parse(text).and_then(|input| match input {
        ReportInput::Estimate(record) => page_of_estimate(&record),
        ReportInput::ModelEstimate(record) => page_of_model_estimate(&record),
        ReportInput::Study(study) => page_of_study(&study),
        ReportInput::Evaluation(results) => page_of_evaluation(&results, None),
    });
});
