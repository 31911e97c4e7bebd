//! The table that compares a flow with its simulator.

use crate::{report::table::ReportTable, reproduce::results::Results};

/// Likelihood, probabilities, distributions of the features and health of the flow of an evaluation.
pub fn quality(results: &Results) -> ReportTable {
    let quality = &results.flow_quality;
    let mut rows = vec![vec![
        "held-out log-likelihood, standardised".to_owned(),
        String::new(),
        format!("{:.4}", quality.held_out),
        String::new(),
    ]];
    let probabilities = quality
        .regions
        .iter()
        .enumerate()
        .map(|(k, region)| (format!("P(region {})", k + 1), &region.simulation, &region.flow));
    let both = ("P_f".to_owned(), &results.reference, &results.flow);
    for (name, simulation, flow) in probabilities.chain([both]) {
        let error = 100.0 * (flow.pf / simulation.pf - 1.0);
        rows.push(vec![
            name,
            format!("{:.3e} ± {:.1e}", simulation.pf, simulation.se),
            format!("{:.3e} ± {:.1e}", flow.pf, flow.se),
            format!("{error:+.1} %"),
        ]);
    }
    for feature in &quality.features {
        rows.push(vec![
            format!("distance of the distributions of {}", feature.feature),
            String::new(),
            format!("{:.4}", feature.distance),
            String::new(),
        ]);
    }
    let record = &results.flow_training;
    let mut remarks = vec![
        format!(
            "Flow: {}, trained on {} outcomes in {} epochs ({:.0} s).",
            results.flow_origin,
            record.rows,
            record.losses.len(),
            record.seconds
        ),
        format!(
            "Distances are Kolmogorov–Smirnov distances between draws from the flow and simulated \
             outcomes. By chance alone, one of a hundred is larger than {:.4}.",
            quality.distance_bound
        ),
    ];
    remarks.extend(quality.health.iter().map(|finding| {
        format!("{}: {}", if finding.passed { "ok" } else { "FAIL" }, finding.text)
    }));
    ReportTable {
        title: format!("{}: flow and simulator", results.system),
        head: ["", "simulation", "flow", "difference"].map(str::to_owned).into(),
        text_columns: 1,
        rows,
        remarks,
    }
}
