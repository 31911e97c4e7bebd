//! Runs that are interrupted, resumed, bounded and watched.

use std::fs;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use latent_is::run::{
    CheckpointError, JsonLines, Observer, Outcome, ProgressLine, Report, RunError, Stopped,
};
use latent_is::{
    Adaptive, Budget, Certified, CrossEntropy, Directional, Estimator, FinalStage, FnLimitState,
    ImprovedCrossEntropy, LimitState, MonteCarlo, NanPolicy, Run, Sequential, StandardNormal,
    StopReason, SubsetSimulation, latent::PushForward, problems,
};

/// Sets the flag after each step, so that a run ends after one.
struct Interrupter(Arc<AtomicBool>);

impl Observer for Interrupter {
    fn step(&mut self, _: &Report<'_>) -> io::Result<()> {
        self.0.store(true, Ordering::Relaxed);
        Ok(())
    }
}

fn problem() -> &'static problems::Problem {
    problems::by_name("two-mode-5").unwrap()
}

/// One step a run, each from the file that the last one left; another number of threads each time.
fn piecewise(estimator: &dyn Estimator) -> Outcome {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.json");
    for piece in 0..200 {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1 + piece % 2).build().unwrap();
        let outcome = pool.install(|| {
            let flag = Arc::new(AtomicBool::new(false));
            Run::new(estimator)
                .seed(3)
                .checkpoint(&path)
                .interrupt(flag.clone())
                .observer(Interrupter(flag))
                .resume_or_start(&StandardNormal::new(5), problem())
                .unwrap()
        });
        if outcome.stopped == Stopped::Done {
            return outcome;
        }
        assert_eq!((outcome.stopped, outcome.steps), (Stopped::Interrupted, piece as u64 + 1));
    }
    panic!("the run has no end");
}

fn assert_resumable(estimator: &dyn Estimator) -> Outcome {
    let whole = Run::new(estimator).seed(3).start(&StandardNormal::new(5), problem()).unwrap();
    let pieces = piecewise(estimator);
    assert_eq!(whole.estimate, pieces.estimate);
    assert_eq!(whole.steps, pieces.steps);
    whole
}

#[test]
fn pieces_give_the_bits_of_the_whole() {
    let nominal = StandardNormal::new(5);
    let mc = MonteCarlo::builder().budget(50_000).batch(8_000).build().unwrap();
    let outcome = assert_resumable(&mc);
    assert_eq!(outcome.estimate.unwrap(), mc.estimate(&nominal, problem(), 3).unwrap());
    let ce = CrossEntropy::default();
    let outcome = assert_resumable(&ce);
    assert_eq!(outcome.estimate.unwrap(), ce.estimate(&nominal, problem(), 3).unwrap());
    let sis = Sequential::default();
    let outcome = assert_resumable(&sis);
    assert_eq!(outcome.estimate.unwrap(), sis.estimate(&nominal, problem(), 3).unwrap());
    let adaptive = Adaptive::default();
    let outcome = assert_resumable(&adaptive);
    assert_eq!(outcome.estimate.unwrap(), adaptive.estimate(&nominal, problem(), 3).unwrap());
    let directional = Directional::builder().budget(3_000).build().unwrap();
    let outcome = assert_resumable(&directional);
    assert_eq!(outcome.estimate.unwrap(), directional.estimate(&nominal, problem(), 3).unwrap());
    let ice = ImprovedCrossEntropy::default();
    let outcome = assert_resumable(&ice);
    assert_eq!(outcome.estimate.unwrap(), ice.estimate(&nominal, problem(), 3).unwrap());
    let pcn = Sequential::conditional();
    let outcome = assert_resumable(&pcn);
    assert_eq!(outcome.estimate.unwrap(), pcn.estimate(&nominal, problem(), 3).unwrap());
    let certified = Certified::builder().budget(5_000).build().unwrap();
    let outcome = assert_resumable(&certified);
    assert_eq!(outcome.estimate.unwrap(), certified.estimate(&nominal, problem(), 3).unwrap());
    let subset = SubsetSimulation::builder().samples_per_level(500).build().unwrap();
    let outcome = assert_resumable(&subset);
    assert_eq!(outcome.estimate.unwrap(), subset.estimate(&nominal, problem(), 3).unwrap());
}

#[test]
fn a_checkpoint_of_another_run_is_refused_and_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.json");
    let nominal = StandardNormal::new(5);
    let mc = MonteCarlo::builder().budget(20_000).build().unwrap();
    let run = || Run::new(&mc).seed(3).label("flow 1").checkpoint(&path);
    let missing = run().resume(&nominal, problem()).unwrap_err();
    assert!(matches!(missing, RunError::Checkpoint(CheckpointError::Io { .. })), "{missing}");
    run().start(&nominal, problem()).unwrap();
    let again = run().start(&nominal, problem()).unwrap_err();
    assert!(matches!(again, RunError::Checkpoint(CheckpointError::Exists { .. })), "{again}");

    let differs = |outcome: Result<Outcome, RunError>| match outcome.unwrap_err() {
        RunError::Checkpoint(CheckpointError::Other { what, .. }) => what,
        error => panic!("{error}"),
    };
    assert_eq!(differs(run().seed(4).resume(&nominal, problem())), "the seed");
    assert_eq!(differs(run().label("flow 2").resume(&nominal, problem())), "the label");
    let policy = run().on_nan(NanPolicy::Abort);
    assert_eq!(differs({ policy }.resume(&nominal, problem())), "the policy for NaN");
    let two = problems::by_name("linear-2").unwrap();
    let other = run().resume(&StandardNormal::new(2), two);
    assert_eq!(differs(other), "the number of coordinates");
    let more = MonteCarlo::builder().budget(30_000).build().unwrap();
    let other =
        Run::new(&more).seed(3).label("flow 1").checkpoint(&path).resume(&nominal, problem());
    assert_eq!(differs(other), "the setting budget");
    let ce = CrossEntropy::default();
    let other = Run::new(&ce).seed(3).label("flow 1").checkpoint(&path).resume(&nominal, problem());
    assert_eq!(differs(other), "the estimator");
    let unnamed = Run::new(&mc).resume(&nominal, problem()).unwrap_err();
    assert!(matches!(unnamed, RunError::NoCheckpoint));
}

#[test]
fn truncated_foreign_and_future_files_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.json");
    let nominal = StandardNormal::new(5);
    let mc = MonteCarlo::builder().budget(20_000).build().unwrap();
    let run = || Run::new(&mc).checkpoint(&path);
    run().start(&nominal, problem()).unwrap();
    let text = fs::read_to_string(&path).unwrap();
    let resumed = |text: &str| {
        fs::write(&path, text).unwrap();
        match run().resume(&nominal, problem()) {
            Ok(outcome) => panic!("{outcome:?}"),
            Err(RunError::Checkpoint(error)) => error,
            Err(error) => panic!("{error}"),
        }
    };
    for length in [text.len() - 1, text.len() / 2, 40] {
        let error = resumed(&text[..length]);
        assert!(matches!(error, CheckpointError::Damaged { .. }), "{length}: {error}");
    }
    let future = text.replacen("\"version\":3", "\"version\":4", 1);
    assert!(matches!(resumed(&future), CheckpointError::Newer { version: 4, .. }));
    for version in [1, 2] {
        let past = text.replacen("\"version\":3", &format!("\"version\":{version}"), 1);
        assert!(
            matches!(resumed(&past), CheckpointError::Older { version: v, .. } if v == version)
        );
    }
    // Any change is noticed, also one that leaves a readable state.
    let at = text.find("\"steps\":").unwrap() + "\"steps\":".len();
    let digit = if text.as_bytes()[at] == b'9' { "8" } else { "9" };
    let tampered = format!("{}{digit}{}", &text[..at], &text[at + 1..]);
    let error = resumed(&tampered).to_string();
    assert!(error.contains("run.json") && error.contains("checksum"), "{error}");
    let changed = text.replacen("\"batches\"", "\"batch\"", 1);
    assert!(matches!(resumed(&changed), CheckpointError::Damaged { .. }));
    for foreign in ["", "{}", "[1, 2]", "weights", "{\"format\": \"other\", \"version\": 1}"] {
        assert!(matches!(resumed(foreign), CheckpointError::Foreign { .. }), "{foreign}");
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "an unfinished file stays behind");
}

#[test]
fn a_second_run_on_one_checkpoint_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.json");
    let nominal = StandardNormal::new(5);
    let mc = MonteCarlo::builder().budget(20_000).build().unwrap();
    let mut run = Run::new(&mc).checkpoint(&path);
    let first = safe_file::Claim::new(&path).unwrap();
    for outcome in [run.start(&nominal, problem()), run.resume_or_start(&nominal, problem())] {
        let error = outcome.unwrap_err().to_string();
        assert!(error.contains("run.json: process") && error.contains("works on it"), "{error}");
    }
    drop(first);
    run.resume_or_start(&nominal, problem()).unwrap();
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "the lock stays behind");
}

#[test]
fn budgets_end_a_run() {
    let nominal = StandardNormal::new(5);
    let ce = CrossEntropy::default();
    let with = |budget| Run::new(&ce).seed(1).budget(budget).start(&nominal, problem()).unwrap();
    let early = with(Budget { evaluations: Some(1_300), ..Budget::default() });
    assert_eq!((early.stopped, early.steps, early.estimate), (Stopped::Evaluations, 1, None));
    let bounded = with(Budget { evaluations: Some(5_000), ..Budget::default() });
    let estimate = bounded.estimate.unwrap();
    assert!(estimate.counts.evaluations <= 5_000 && estimate.counts.evaluations > 4_000);
    assert_eq!(estimate.stopped, StopReason::Budget);
    let rough = with(Budget { target_cov: Some(0.06), ..Budget::default() });
    let estimate = rough.estimate.unwrap();
    assert_eq!((rough.stopped, estimate.stopped), (Stopped::Target, StopReason::Converged));
    assert!(estimate.cov <= 0.06 && estimate.cov > 0.02);
    let none = with(Budget { time: Some(Duration::ZERO), ..Budget::default() });
    assert_eq!((none.stopped, none.steps), (Stopped::Time, 0));
}

#[test]
fn observers_see_every_step_and_the_end() {
    let nominal = StandardNormal::new(5);
    let (mut lines, mut json) = (Vec::new(), Vec::new());
    let sis = Sequential::default();
    let outcome = Run::new(&sis)
        .observer(ProgressLine::new(&mut lines))
        .observer(JsonLines::new(&mut json))
        .start(&nominal, problem())
        .unwrap();
    let lines = String::from_utf8(lines).unwrap();
    assert_eq!(lines.lines().count() as u64, outcome.steps + 2);
    assert!(lines.contains("threshold") && lines.contains("P = "), "{lines}");
    let values: Vec<serde_json::Value> = String::from_utf8(json)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(values.len() as u64, outcome.steps + 1);
    assert_eq!(values[0]["step"], 1);
    let estimate = outcome.estimate.unwrap();
    assert_eq!(values.last().unwrap()["pf"].as_f64().unwrap().to_bits(), estimate.pf().to_bits());
    assert_eq!(values[values.len() - 2]["evaluations"], estimate.counts.evaluations);
}

#[test]
fn unanswered_evaluations_follow_the_policy() {
    let nominal = StandardNormal::new(1);
    let g = FnLimitState::new(1, |x: &[f64]| if x[0] < -1.5 { f64::NAN } else { 1.5 - x[0] });
    let mc = MonteCarlo::builder().budget(20_000).target_cov(None).build().unwrap();
    let run = |policy| Run::new(&mc).on_nan(policy).start(&nominal, &g);
    let unknown = run(NanPolicy::Unknown).unwrap();
    assert_eq!(unknown.counted_as_failures, 0);
    let failing = run(NanPolicy::Failure).unwrap();
    let (a, b) = (unknown.estimate.unwrap(), failing.estimate.unwrap());
    assert_eq!(failing.counted_as_failures, a.counts.nan_evaluations);
    assert_eq!(b.counts.failures, a.counts.failures + a.counts.nan_evaluations);
    assert!(matches!(run(NanPolicy::Abort), Err(RunError::Estimator(_))));
}

#[test]
fn subset_simulation_refuses_another_nominal_density() {
    let problem = problems::by_name("banana-2").unwrap();
    let target = problem.target().unwrap();
    let nominal = PushForward::new(target.map);
    let subset = SubsetSimulation::default();
    let error = Run::new(&subset).start(&nominal, &target.limit_state).unwrap_err();
    assert!(error.to_string().contains("standard normal"), "{error}");
    assert_eq!(problem.dim(), 2);
    let stage = FinalStage::builder().budget(Some(100)).build().unwrap();
    let ce = CrossEntropy::builder().final_stage(stage).build().unwrap();
    // A budget below one level is kept as well: levels and final draws share it.
    let outcome = Run::new(&ce).start(&StandardNormal::new(2), problem).unwrap();
    assert!(outcome.estimate.unwrap().counts.evaluations <= 100);
}
