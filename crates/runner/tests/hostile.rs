//! Files with random damage: a reader answers or refuses, soon and in little memory, and never stops.
//!
//! The allocator of this program counts, so the tests run one after the other.

#[path = "common/cases.rs"]
mod cases;
#[path = "common/damage.rs"]
mod damage;

use std::{
    path::{Path, PathBuf},
    sync::{LazyLock, Mutex, PoisonError},
    time::{Duration, Instant},
};

use cases::cases;
use damage::{damage, damaged};
use flow_core::bijection::Standardise;
use latent_is_runner::{
    criterion::FailureCriterion,
    outcomes::{options::ReadOptions, read},
    report::{
        html::{
            estimate::page_of_estimate, evaluation::page_of_evaluation,
            model_estimate::page_of_model_estimate, study::page_of_study,
        },
        input::ReportInput,
    },
    simulation::{
        part_file::{PartFile, part_path},
        simulate,
    },
    systems::experiment::Experiment,
};
use peak_alloc::PeakAlloc;
use proptest::{prelude::*, sample::Index};
use serde_json::{Value, json};
use sim_core::Simulator;
use sim_toy::Robot;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

/// What a reader may ask for beyond the size of the file.
const MOST_BYTES: usize = 100_000_000;
const LONGEST: Duration = Duration::from_secs(1);

/// Runs `read` on `input` within the bounds.
fn bounded<T>(input: &[u8], read: impl FnOnce() -> T) -> T {
    let _lock = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let before = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    let begin = Instant::now();
    let answer = read();
    let (time, memory) = (begin.elapsed(), MEMORY.peak_usage().saturating_sub(before));
    assert!(memory <= MOST_BYTES + input.len(), "{memory} bytes of memory");
    assert!(time < LONGEST, "{time:?}");
    answer
}

fn shipped(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

fn text(name: &str) -> String {
    std::fs::read_to_string(shipped(name)).unwrap()
}

/// A table may be read as another one; an error is one line.
fn read_outcomes(name: &str, bytes: &[u8]) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    for options in [ReadOptions::default(), lenient()] {
        match bounded(bytes, || read(&path, &options)) {
            Ok(table) => assert!(table.x.iter().all(|v| v.is_finite())),
            Err(error) => assert!(format!("{error:#}").len() < 4000, "{error:#}"),
        }
    }
}

fn lenient() -> ReadOptions {
    ReadOptions { missing: vec![String::new(), "NaN".to_owned()], ..ReadOptions::default() }
}

/// Files of outcomes in all formats.
const OUTCOMES: [&str; 15] = [
    "types.parquet",
    "v2.parquet",
    "waves_zstd.parquet",
    "waves_lz4.parquet",
    "waves_gzip.parquet",
    "types.arrow",
    "types_zstd.ipc",
    "waves_lz4.arrow",
    "delta.arrow",
    "frame.arrow",
    "polars.arrow",
    "fortran.npy",
    "one.npz",
    "deflated.npz",
    "small.csv",
];

proptest! {
    #![proptest_config(cases(3000))]

    #[test]
    fn outcomes(name in prop::sample::select(OUTCOMES.to_vec()), changes in damage()) {
        let good = std::fs::read(shipped(name)).unwrap();
        read_outcomes(name, &damaged(&good, &changes));
    }

    #[test]
    fn criteria_and_experiments(changes in damage()) {
        let criterion = "[[half_space]]\nfeatures = { a = 1.0, b = -0.5 }\nat_least = 3.0\n\n\
            [[box]]\nfeatures = { a = [1.0, inf], b = [-inf, 0.25] }\n";
        let names = ["a", "b"].map(str::to_owned);
        let moments = Standardise::new(vec![1.0, 2.0], vec![2.0, 0.5]).unwrap();
        let changed = damaged(criterion.as_bytes(), &changes);
        let parsed = String::from_utf8_lossy(&changed);
        bounded(&changed, || FailureCriterion::parse(&*parsed, "c.toml", &names, &moments)).ok();
        let experiment = include_str!("../experiments/robot.toml");
        let changed = damaged(experiment.as_bytes(), &changes);
        bounded(&changed, || Experiment::parse(&String::from_utf8_lossy(&changed), "e.toml")).ok();
    }

    #[test]
    fn reports(
        name in prop::sample::select(vec!["estimate.json", "model_estimate.json", "study.json", "results.json"]),
        changes in damage(),
    ) {
        let changed = damaged(text(name).as_bytes(), &changes);
        page(&String::from_utf8_lossy(&changed)).ok();
    }

    #[test]
    fn edited_reports(
        name in prop::sample::select(vec!["estimate.json", "model_estimate.json", "study.json", "results.json"]),
        edits in prop::collection::vec((any::<Index>(), any::<Index>()), 1..4),
    ) {
        let mut value: Value = serde_json::from_str(&text(name)).unwrap();
        for (place, kind) in edits {
            edit(&mut value, place, kind);
        }
        if let Err(error) = page(&value.to_string()) {
            prop_assert!(error.len() < 1000, "{}", error);
        }
    }
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn part_files(changes in damage()) {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("robot.npy");
        let robot = Robot::default();
        let changed = damaged(&PART_FILE, &changes);
        std::fs::write(part_path(&out), &changed).unwrap();
        bounded(&changed, || PartFile::open(&out, &robot, 4)).ok();
    }
}

/// A part file of one block.
static PART_FILE: LazyLock<Vec<u8>> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("robot.npy");
    let robot = Robot::default();
    let part = PartFile::open(&out, &robot, 4).unwrap();
    simulate(&robot, robot.block_len(), 4, "", Some(part)).unwrap();
    std::fs::read(part_path(&out)).unwrap()
});

/// The page of a result, or the message.
fn page(text: &str) -> Result<String, String> {
    bounded(text.as_bytes(), || match ReportInput::parse(text)? {
        ReportInput::Estimate(record) => page_of_estimate(&record),
        ReportInput::ModelEstimate(record) => page_of_model_estimate(&record),
        ReportInput::Study(study) => page_of_study(&study),
        ReportInput::Evaluation(results) => page_of_evaluation(&results, None),
    })
    .map_err(|error| format!("{error:#}"))
}

/// Changes one value of a JSON, chosen by `place`, in a way chosen by `kind`.
fn edit(value: &mut Value, place: Index, kind: Index) {
    let mut pointers = Vec::new();
    collect(value, String::new(), &mut pointers);
    let pointer = &pointers[place.index(pointers.len())];
    let changed = value.pointer_mut(pointer).unwrap();
    let values = [
        json!(null),
        json!(-1),
        json!(0),
        json!(1),
        json!(1e308),
        json!(-1e308),
        json!(5e-324),
        json!(u64::MAX),
        json!(1e15),
        json!("NaN"),
        json!("inf"),
        json!("-inf"),
        json!("<script>"),
        json!([]),
        json!({}),
        json!(true),
    ];
    match kind.index(values.len() + 2) {
        i if i < values.len() => *changed = values[i].clone(),
        // One element fewer, or one twice.
        i => match changed {
            Value::Array(list) if i == values.len() => drop(list.pop()),
            Value::Array(list) => list.extend(list.first().cloned()),
            Value::Object(entries) => {
                let first = entries.keys().next().cloned();
                first.and_then(|key| entries.remove(&key));
            }
            Value::Number(number) => *changed = json!(number.as_f64().unwrap_or(0.0) * -2.0),
            other => *other = json!(null),
        },
    }
}

fn collect(value: &Value, pointer: String, pointers: &mut Vec<String>) {
    match value {
        Value::Array(list) => {
            for (i, inner) in list.iter().enumerate() {
                collect(inner, format!("{pointer}/{i}"), pointers);
            }
        }
        Value::Object(entries) => {
            for (key, inner) in entries {
                let key = key.replace('~', "~0").replace('/', "~1");
                collect(inner, format!("{pointer}/{key}"), pointers);
            }
        }
        _ => {}
    }
    pointers.push(pointer);
}
