//! The table of a system with its simulator in the loop: certified, under the flow of its outcomes, and under the flow
//! of its study.

use serde::{Deserialize, Serialize};

use crate::{report::table::ReportTable, systems::probability::CountedProbability};

/// What `reproduce --with-simulator` writes to `simulator.json`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SimulatorRecord {
    /// Name of the system.
    pub system: String,
    /// Runs of the simulator.
    pub runs: u64,
    /// The verdict on the certified estimate.
    pub sentence: String,
    /// What speaks against the flow of the study.
    pub doubts: Vec<String>,
    /// One row per failure region, and one of all.
    pub rows: Vec<SimulatorRow>,
}

/// One event.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SimulatorRow {
    /// The event.
    pub event: String,
    /// Its probability by simulation: the reference.
    pub simulation: CountedProbability,
    /// The certified probability.
    pub certified: f64,
    /// Its coefficient of variation.
    pub cov: f64,
    /// The probability under the flow of the outcomes.
    pub flow: f64,
    /// The probability under the flow of the study, if there is one.
    pub enriched: Option<f64>,
}

/// The table.
pub fn simulator(record: &SimulatorRecord) -> ReportTable {
    let row = |row: &SimulatorRow| {
        let beside = |p: f64| format!("{p:.3e} ({:+.1} %)", 100.0 * (p / row.simulation.pf - 1.0));
        vec![
            row.event.clone(),
            format!(
                "{:.3e} ± {:.1} %",
                row.simulation.pf,
                100.0 * row.simulation.se / row.simulation.pf
            ),
            format!("{} ± {:.1} %", beside(row.certified), 100.0 * row.cov),
            beside(row.flow),
            row.enriched.map_or_else(|| "none".to_owned(), beside),
        ]
    };
    let mut remarks = vec![
        format!("Certified with {} runs. {}", record.runs, record.sentence),
        "In parentheses: the difference from the simulation.".to_owned(),
    ];
    if !record.doubts.is_empty() {
        remarks.push(format!(
            "The flow of the study is not to be trusted: {}.",
            record.doubts.join("; ")
        ));
    }
    let head = ["event", "simulation", "certified", "flow of the outcomes", "flow of the study"];
    ReportTable {
        title: format!("{}: with the simulator", record.system),
        head: head.map(str::to_owned).into(),
        text_columns: 1,
        rows: record.rows.iter().map(row).collect(),
        remarks,
    }
}
