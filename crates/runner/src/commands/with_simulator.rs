//! `reproduce --with-simulator`: the certified probability of a system, and that under the flow that its study trained.

use std::{fmt::Write as _, path::Path};

use flow_core::{Device, FlowFile};
use latent_is::Judge;

use crate::{
    commands::study::Job,
    criterion::FailureCriterion,
    models::file::ModelFile,
    output::file,
    report::{
        simulator::{SimulatorRecord, SimulatorRow, simulator},
        table::ReportTable,
    },
    reproduce::{evaluation::Evaluation, results::Results},
    study::{
        enriched::{EnrichedFlow, Training},
        folder::StudyFolder,
    },
    systems::reference::Reference,
};

/// Names of the files in the folder of a system.
pub(super) const FILES: [&str; 3] = ["simulator.json", "simulator.md", "simulator.tex"];
/// Coefficient of variation at which the runs end.
const TARGET_COV: f64 = 0.01;
/// Passes of the training.
const EPOCHS: usize = 40;

/// Studies the failure regions of the evaluation with at most `runs` runs of the simulator, writes the study and its
/// tables to the folder of the system, and returns the table.
///
/// # Errors
/// When a file cannot be written or the flow cannot be evaluated.
pub(super) fn with_simulator(
    evaluation: &Evaluation,
    results: &Results,
    (runs, seed): (u64, u64),
    device: &Device,
) -> anyhow::Result<ReportTable> {
    let folder = evaluation.folder();
    let study_folder = StudyFolder(folder.join("study"));
    let _outputs = study_folder.claim(&[])?;
    let setup = evaluation.setup();
    let names = setup.names();
    let text = regions(setup.samples(), names);
    let criterion = FailureCriterion::parse_for_model(text, "the failure regions", names)?;
    let model_path = folder.join("model.toml");
    let text = format!("[model]\nbuilt_in = \"{}\"\n", results.system);
    file::write(&model_path, &text)?;
    let file = ModelFile::parse(text, &model_path)?;
    let model = file.open(Some(&study_folder.store()))?;
    let study = Job {
        file: &file,
        model: &model,
        criterion: &criterion,
        folder: &study_folder,
        runs,
        target_cov: TARGET_COV,
        seed,
        training: Some(Training { hidden: 64, steps: 6, epochs: EPOCHS, seed }),
        device,
    }
    .run()?;
    let under_flow = match &study.flow {
        Some(flow) => {
            let stored = FlowFile::load(study_folder.flow(), device)?;
            let enriched =
                EnrichedFlow::with_mass(stored, flow.tilt.clone(), criterion.clone(), flow.mass);
            Some(enriched.estimate(&criterion, TARGET_COV, 1_000_000, seed)?.pf())
        }
        None => None,
    };
    let mut rows = Vec::new();
    let certified = &study.certified.estimate;
    for (k, (mode, region)) in certified.modes.iter().zip(&results.flow_quality.regions).enumerate()
    {
        let enriched = study.levels.iter().find(|l| l.mode == k && l.threshold == 0.0);
        rows.push(SimulatorRow {
            event: format!("region {}", k + 1),
            simulation: region.simulation.clone(),
            certified: mode.ln_pf.exp(),
            cov: mode.cov,
            flow: region.flow.pf,
            enriched: enriched.and_then(|level| level.flow),
        });
    }
    rows.push(SimulatorRow {
        event: if Judge::modes(&criterion) > 1 { "all regions" } else { "region 1" }.to_owned(),
        simulation: results.reference.clone(),
        certified: certified.pf(),
        cov: certified.cov,
        flow: results.flow.pf,
        enriched: under_flow,
    });
    let record = SimulatorRecord {
        system: results.system.clone(),
        runs: certified.counts.evaluations,
        sentence: study.certified.sentence.clone(),
        doubts: study.doubts(),
        rows,
    };
    let table = simulator(&record);
    let [json, markdown, latex] = FILES.map(|name| folder.join(name));
    file::write(&json, serde_json::to_string_pretty(&record)? + "\n")?;
    file::write(&markdown, table.markdown())?;
    file::write(&latex, table.latex())?;
    Ok(table)
}

/// The failure regions of a reference as the text of a criterion, in the units of the features.
fn regions(reference: &Reference, names: &[String]) -> String {
    let (mean, sd) = (&reference.facts.mean, &reference.facts.sd);
    let names: Vec<String> = names.iter().map(|name| format!("{name:?}")).collect();
    let mut text = String::new();
    for points in &reference.regions {
        let point = |column: nalgebra::DVectorView<'_, f64>| {
            let values: Vec<String> = column
                .iter()
                .zip(mean.iter().zip(sd))
                .map(|(value, (mean, sd))| format!("{:?}", mean + sd * value))
                .collect();
            format!("  [{}]", values.join(", "))
        };
        let points: Vec<String> = points.column_iter().map(point).collect();
        let _ = write!(
            text,
            "[[ellipsoid]]\nfeatures = [{}]\npoints = [\n{},\n]\n\n",
            names.join(", "),
            points.join(",\n")
        );
    }
    text
}

/// The files that are written beside the others of an evaluation.
pub(super) fn files(folder: &Path) -> Vec<std::path::PathBuf> {
    FILES.iter().map(|name| folder.join(name)).collect()
}
