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

/// The page of an evaluation; `samples` is the figure of its samples as SVG, if there is one. It may be any
/// bytes: they are an image of the page, not a part of it.
///
/// # Errors
/// When a table or a figure cannot be made.
pub fn page_of_evaluation(results: &Results, samples: Option<&[u8]>) -> anyhow::Result<String> {
    let settings = settings(results)?;
    let pictures = [("levels", levels(results)?), ("fidelity", fidelity(results)?)];
    let record = &results.flow_training;
    Ok(page(
        &format!("Evaluation of {}", results.system),
        &html! {
            (table(&evaluation(results)))
            (table(&quality(results)))
            @if let Some(svg) = samples {
                h2 { "Samples" }
                (picture(svg, "samples"))
            }
            h2 { "Levels, coverage and density" }
            @for (name, svg) in &pictures { (picture(svg.as_bytes(), name)) }
            (table(&settings))
            h2 { "Provenance" }
            (pairs(record.provenance.iter().map(|(k, v)| (k.as_str(), v.clone()))))
            (made_by(&results.version))
        },
    ))
}
