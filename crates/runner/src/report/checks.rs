//! The numbers of a result that was read back, checked before anything is drawn from them.
//!
//! JSON itself has neither infinite numbers nor NaN, and counts are not negative by their types. What
//! is left: the few fields that may be infinite, ranges, and lists that must be equally long.

use std::ops::RangeInclusive;

use latent_is::{Estimate, Interval};

use crate::{
    report::{estimate::EstimateRecord, model_estimate::ModelEstimateRecord, study::StudyRecord},
    reproduce::{key::RowKey, results::Results, row::Row, trial_log::TrialRecord},
    systems::probability::CountedProbability,
};

/// Largest count that a page shows: up to here, `f64` holds every integer.
const LARGEST_COUNT: u64 = 1 << 53;

/// Most regions of a criterion on a page.
const LARGEST_MODES: usize = 1_000_000;

/// Checks an estimate.
///
/// # Errors
/// Names the key of a number that is out of range and of a list of another length.
pub(super) fn estimate(record: &EstimateRecord) -> anyhow::Result<()> {
    let d = record.features.len();
    anyhow::ensure!(d > 0, "`features` is empty");
    for (key, list) in [("mean", &record.mean), ("sd", &record.sd)] {
        length(key, list.len(), d)?;
    }
    for (i, sd) in record.sd.iter().enumerate() {
        anyhow::ensure!(*sd > 0.0, "`sd[{i}]` must be positive, got {sd}");
    }
    for (key, rows) in [("draws", &record.draws), ("failures", &record.failures)] {
        for (i, row) in rows.iter().enumerate() {
            length(&format!("{key}[{i}]"), row.len(), d)?;
        }
    }
    estimated(&record.estimate, record.probability)?;
    for (key, interval) in [
        ("interval", Some(record.interval)),
        ("interval_of_flow", record.interval_of_flow),
        ("interval_of_outcomes", record.interval_of_outcomes),
        ("interval_of_all", record.interval_of_all),
        ("support.interval", record.support.map(|support| support.interval)),
    ] {
        let Some(interval) = interval else { continue };
        ordered(key, &interval)?;
    }
    not_negative("target_cov", record.target_cov)?;
    let Some(agreement) = &record.agreement else { return Ok(()) };
    anyhow::ensure!(agreement.outcomes > 0, "`agreement.outcomes` must be positive");
    count("agreement.outcomes", agreement.outcomes)?;
    for (i, level) in agreement.levels.iter().enumerate() {
        anyhow::ensure!(
            level.reached <= agreement.outcomes,
            "`agreement.levels[{i}].reached` is {}, of {} outcomes",
            level.reached,
            agreement.outcomes
        );
        probability(&format!("agreement.levels[{i}].flow"), level.flow)?;
    }
    Ok(())
}

/// Checks an estimate of a model.
///
/// # Errors
/// As [`estimate`].
pub(super) fn model_estimate(record: &ModelEstimateRecord) -> anyhow::Result<()> {
    let (m, d) = (record.inputs.len(), record.outputs.len());
    anyhow::ensure!(m > 0, "`inputs` is empty");
    for (i, row) in record.draws.iter().enumerate() {
        length(&format!("draws[{i}]"), row.len(), m)?;
    }
    for (i, failure) in record.failures.iter().enumerate() {
        length(&format!("failures[{i}].inputs"), failure.inputs.len(), m)?;
        length(&format!("failures[{i}].outputs"), failure.outputs.len(), d)?;
    }
    estimated(&record.estimate, record.probability)?;
    ordered("interval", &record.interval)?;
    not_negative("target_cov", record.target_cov)?;
    count("looked_up", record.looked_up)
}

/// Checks a study.
///
/// # Errors
/// As [`estimate`].
pub(super) fn study(record: &StudyRecord) -> anyhow::Result<()> {
    model_estimate(&record.certified)?;
    not_negative("rows.mean_weight", record.rows.mean_weight)?;
    for (i, level) in record.levels.iter().enumerate() {
        anyhow::ensure!(
            level.mode < LARGEST_MODES,
            "`levels[{i}].mode` is {}, which is too large",
            level.mode
        );
        ordered(&format!("levels[{i}].interval"), &level.interval)?;
        anyhow::ensure!(
            level.threshold.is_finite() && level.ln_p <= 0.0,
            "`levels[{i}]` has the threshold {} and the logarithm {} of a probability",
            level.threshold,
            level.ln_p
        );
    }
    Ok(())
}

/// Checks what all estimates have.
fn estimated(e: &Estimate, probability_of_record: f64) -> anyhow::Result<()> {
    probability("probability", probability_of_record)?;
    anyhow::ensure!(
        e.ln_pf <= 0.0,
        "`estimate.ln_pf` must be the logarithm of a probability, got {}",
        e.ln_pf
    );
    let difference = (probability_of_record - e.pf()).abs();
    anyhow::ensure!(
        difference <= 1e-9 * e.pf(),
        "`probability` is {}, but `estimate.ln_pf` is the logarithm of {}",
        probability_of_record,
        e.pf()
    );
    not_negative("estimate.cov", e.cov)?;
    let counts = &e.counts;
    for (key, n) in [
        ("draws", counts.draws),
        ("evaluations", counts.evaluations),
        ("surrogate_evaluations", counts.surrogate_evaluations),
        ("nan_evaluations", counts.nan_evaluations),
    ] {
        count(&format!("estimate.counts.{key}"), n)?;
    }
    anyhow::ensure!(
        counts.failures <= counts.draws,
        "`estimate.counts.failures` is {}, of {} draws",
        counts.failures,
        counts.draws
    );
    not_negative("estimate.weights.ess", e.weights.ess)?;
    range("estimate.weights.max_share", e.weights.max_share, 0.0..=1.0)?;
    length("estimate.sample.ln_w", e.sample.ln_w.len(), e.sample.points.ncols())?;
    for (i, level) in e.levels().iter().enumerate() {
        count(&format!("estimate.search.levels[{i}].evaluations"), level.evaluations)?;
    }
    Ok(())
}

fn ordered(key: &str, interval: &Interval) -> anyhow::Result<()> {
    anyhow::ensure!(
        interval.ln_lower <= interval.ln_upper && interval.ln_upper <= 0.0,
        "`{key}` must go from a probability to a larger one, got the logarithms {} and {}",
        interval.ln_lower,
        interval.ln_upper
    );
    Ok(())
}

/// Checks an evaluation.
///
/// # Errors
/// As [`estimate`].
pub(super) fn evaluation(results: &Results) -> anyhow::Result<()> {
    results.experiment.check().map_err(|error| anyhow::anyhow!("in `experiment`, {error}"))?;
    counted("reference", &results.reference)?;
    anyhow::ensure!(results.reference.pf > 0.0, "`reference.pf` must be positive");
    counted("flow", &results.flow)?;
    counted("surrogate", &results.surrogate)?;
    let quality = &results.flow_quality;
    not_negative("flow_quality.distance_bound", quality.distance_bound)?;
    for (i, feature) in quality.features.iter().enumerate() {
        range(&format!("flow_quality.features[{i}].distance"), feature.distance, 0.0..=1.0)?;
    }
    for (i, region) in quality.regions.iter().enumerate() {
        counted(&format!("flow_quality.regions[{i}].simulation"), &region.simulation)?;
        counted(&format!("flow_quality.regions[{i}].flow"), &region.flow)?;
    }
    not_negative("flow_training.seconds", results.flow_training.seconds)?;
    for (key, empty) in [("rows", results.rows.is_empty()), ("trials", results.trials.is_empty())] {
        anyhow::ensure!(!empty, "`{key}` is empty");
    }
    for (i, row) in results.rows.iter().enumerate() {
        check_row(&format!("rows[{i}]"), row, &results.trials)?;
    }
    for (i, record) in results.trials.iter().enumerate() {
        check_trial(&format!("trials[{i}]"), record)?;
    }
    Ok(())
}

fn check_row(key: &str, row: &Row, trials: &[TrialRecord]) -> anyhow::Result<()> {
    let Row { space, method, preset, event, .. } = *row;
    let own = RowKey { space, method, preset, event };
    let there = trials.iter().filter(|record| record.key == own).count();
    anyhow::ensure!(
        row.trials == there,
        "`{key}.trials` is {}, but `trials` has {there} of this row",
        row.trials
    );
    for (name, value) in [
        ("pf_mean", row.pf_mean),
        ("coverage_mean", row.coverage_mean),
        ("interval_coverage", row.interval_coverage),
        ("flagged", row.flagged),
    ] {
        range(&format!("{key}.{name}"), value, 0.0..=1.0)?;
    }
    for (name, value) in [
        ("pf_sd", row.pf_sd),
        ("rel_err_abs_mean", row.rel_err_abs_mean),
        ("rel_err_flow_abs_mean", row.rel_err_flow_abs_mean),
        ("rel_err_flow_abs_max", row.rel_err_flow_abs_max),
        ("density_mean", row.density_mean),
        ("evaluations_mean", row.evaluations_mean),
        ("seconds", row.seconds),
    ] {
        not_negative(&format!("{key}.{name}"), value)?;
    }
    Ok(())
}

fn check_trial(key: &str, record: &TrialRecord) -> anyhow::Result<()> {
    let trial = &record.outcome;
    probability(&format!("{key}.pf"), trial.pf)?;
    range(&format!("{key}.coverage"), trial.coverage, 0.0..=1.0)?;
    not_negative(&format!("{key}.density"), trial.density)?;
    not_negative(&format!("{key}.seconds"), trial.seconds)?;
    count(&format!("{key}.evaluations"), trial.evaluations)?;
    for (i, level) in trial.levels.iter().enumerate() {
        count(&format!("{key}.levels[{i}].evaluations"), level.evaluations)?;
    }
    Ok(())
}

fn counted(key: &str, value: &CountedProbability) -> anyhow::Result<()> {
    probability(&format!("{key}.pf"), value.pf)?;
    not_negative(&format!("{key}.se"), value.se)?;
    count(&format!("{key}.draws"), value.draws as u64)
}

fn probability(key: &str, value: f64) -> anyhow::Result<()> {
    range(key, value, 0.0..=1.0)
}

fn range(key: &str, value: f64, range: RangeInclusive<f64>) -> anyhow::Result<()> {
    anyhow::ensure!(
        range.contains(&value),
        "`{key}` must lie between {} and {}, got {value}",
        range.start(),
        range.end()
    );
    Ok(())
}

fn not_negative(key: &str, value: f64) -> anyhow::Result<()> {
    anyhow::ensure!(value >= 0.0, "`{key}` must not be negative, got {value}");
    Ok(())
}

fn count(key: &str, value: u64) -> anyhow::Result<()> {
    anyhow::ensure!(value <= LARGEST_COUNT, "`{key}` is {value}, more than any run counts");
    Ok(())
}

fn length(key: &str, found: usize, expected: usize) -> anyhow::Result<()> {
    anyhow::ensure!(found == expected, "`{key}` has {found} numbers, not {expected}");
    Ok(())
}
