//! The page of an evaluation.

use maud::html;

use crate::{
    figures::evaluation::{fidelity, levels},
    report::{
        evaluation::evaluation,
        html::page::{made_by, page, pairs, picture, table},
        quality::quality,
        settings::settings,
    },
    reproduce::results::Results,
};

/// The page of an evaluation; `samples` is the figure of its samples as SVG, if there is one.
///
/// # Errors
/// When a table or a figure cannot be made.
pub fn page_of_evaluation(results: &Results, samples: Option<&str>) -> anyhow::Result<String> {
    let settings = settings(results)?;
    let pictures = [levels(results)?, fidelity(results)?];
    let record = &results.flow_training;
    Ok(page(
        &format!("Evaluation of {}", results.system),
        &html! {
            (table(&evaluation(results)))
            (table(&quality(results)))
            @if let Some(svg) = samples {
                h2 { "Samples" }
                (picture(svg))
            }
            h2 { "Levels, coverage and density" }
            @for svg in &pictures { (picture(svg)) }
            (table(&settings))
            h2 { "Provenance" }
            (pairs(record.provenance.iter().map(|(k, v)| (k.as_str(), v.clone()))))
            (made_by(&results.version))
        },
    ))
}
