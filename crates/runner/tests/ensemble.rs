//! `train --ensemble` and what estimates say about the error of the flow.

use std::{
    fmt::Write as _,
    path::Path,
    process::{Command, Output},
};

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;
use serde_json::Value;

fn run(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_latent-is"));
    command.args(arguments).current_dir(folder).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

const TRAIN: [&str; 9] =
    ["train", "--data", "table.csv", "--hidden", "16", "--steps", "3", "--epochs", "10"];

#[test]
fn an_ensemble_widens_the_interval_and_goes_on_after_an_interruption() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let mut table = "a,b\n".to_owned();
    for _ in 0..2_000 {
        let [a, b]: [f64; 2] = std::array::from_fn(|_| rng.sample(StandardNormal));
        writeln!(table, "{a},{}", 0.5 * a + b).unwrap();
    }
    std::fs::write(folder.join("table.csv"), table).unwrap();
    std::fs::write(
        folder.join("event.toml"),
        "[[half_space]]\nfeatures = { a = 1.0, b = 1.0 }\nat_least = 4.0\n",
    )
    .unwrap();
    let trained = |out: &str, more: &[&str]| {
        let output = run(folder, &[&TRAIN[..], &["-o", out], more].concat());
        assert!(matches!(output.status.code(), Some(0 | 2)), "{}", text(&output.stderr));
        text(&output.stdout) + &text(&output.stderr)
    };
    // Five members by themselves for so short a training; three in one go and in two.
    assert!(trained("usual.safetensors", &[]).contains("an ensemble of 5 flows"));
    trained("once.safetensors", &["--ensemble", "3"]);
    trained("twice.safetensors", &["--ensemble", "2"]);
    let printed = trained("twice.safetensors", &["--ensemble", "3", "--resume"]);
    assert!(
        printed.contains("is trained already") && printed.contains("member 3 of 3"),
        "{printed}"
    );
    assert!(!printed.contains("member 2 of"), "{printed}");
    let inspected = text(&run(folder, &["inspect", "twice.safetensors"]).stdout);
    assert!(inspected.contains("has an ensemble of 3 flows"), "{inspected}");

    let estimated = |flow: &str| {
        let arguments =
            ["estimate", "--flow", flow, "--criterion", "event.toml", "--json", "out.json"];
        let output = run(folder, &arguments);
        let json = std::fs::read_to_string(folder.join("out.json")).unwrap();
        (serde_json::from_str::<Value>(&json).unwrap(), text(&output.stdout))
    };
    let (once, printed) = estimated("once.safetensors");
    let (twice, _) = estimated("twice.safetensors");
    assert_eq!(once["ensemble"], twice["ensemble"]);
    assert_eq!(once["ensemble"]["members"].as_array().unwrap().len(), 3);
    assert!(printed.contains("95 % interval of the flow"), "{printed}");
    let ends = |name: &str| ["ln_lower", "ln_upper"].map(|key| once[name][key].as_f64().unwrap());
    let [search, flow, outcomes, all] =
        ["interval", "interval_of_flow", "interval_of_outcomes", "interval_of_all"].map(ends);
    // 2,000 rows leave more open than the search.
    assert!(flow[1] - flow[0] > search[1] - search[0], "{once}");
    assert!((all[0] - search[0].min(flow[0]).min(outcomes[0])).abs() < 1e-12, "{once}");
    assert!((all[1] - search[1].max(flow[1]).max(outcomes[1])).abs() < 1e-12, "{once}");
    let page = run(folder, &["report", "out.json", "-o", "page.html"]);
    assert_eq!(page.status.code(), Some(0), "{}", text(&page.stderr));
    let page = std::fs::read_to_string(folder.join("page.html")).unwrap();
    assert!(page.contains("95 % interval of the flow"));

    // Without an ensemble there is no interval of the flow.
    trained("none.safetensors", &["--ensemble", "0"]);
    let (none, printed) = estimated("none.safetensors");
    assert!(none["interval_of_flow"].is_null() && !printed.contains("interval of the flow"));
    for wrong in ["1", "51"] {
        let output = run(folder, &[&TRAIN[..], &["--ensemble", wrong]].concat());
        let message = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{message}");
        assert!(message.contains("between 2 and 50 members"), "{message}");
    }
}

/// Outcomes on a curved surface, and a feature that is nearly a function of another.
#[test]
fn dependence_is_reported_before_training() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    let mut surface = "a,b,c,d\n".to_owned();
    let mut nearly = "a,b,c\n".to_owned();
    for _ in 0..1_000 {
        let [a, b, c]: [f64; 3] = std::array::from_fn(|_| rng.sample(StandardNormal));
        writeln!(surface, "{a},{b},{},{}", a * b, (a - b).sin() + b).unwrap();
        writeln!(nearly, "{a},{b},{}", 2.0 * a + 0.01 * c).unwrap();
    }
    for (data, expected) in [
        (surface, "the outcomes are near a surface of fewer dimensions than features"),
        (nearly, "`c` is nearly a linear function of a, which leave"),
    ] {
        std::fs::write(folder.join("table.csv"), data).unwrap();
        let output = run(folder, &[&TRAIN[..], &["--ensemble", "0"]].concat());
        let message = text(&output.stderr);
        assert!(message.contains(expected), "{message}");
    }
}

/// Three features of which two determine the third: P(c >= 5) with c = a + b^2 by the flow of a and b.
#[test]
fn a_flow_of_free_features_estimates_criteria_on_all() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let mut rng = ChaCha8Rng::seed_from_u64(9);
    let mut table = "a,c,b\n".to_owned();
    let mut failures = 0;
    let n = 20_000;
    for _ in 0..n {
        let [a, b]: [f64; 2] = std::array::from_fn(|_| rng.sample(StandardNormal));
        failures += usize::from(a + b * b >= 5.0);
        writeln!(table, "{a},{},{b}", a + b * b).unwrap();
    }
    std::fs::write(folder.join("table.csv"), table).unwrap();
    let event = "[[half_space]]\nfeatures = { c = 1.0 }\nat_least = 5.0\n";
    std::fs::write(folder.join("event.toml"), event).unwrap();
    let output = run(folder, &[&TRAIN[..], &["--free", "a,b", "--ensemble", "2"]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let printed = text(&output.stdout);
    assert!(printed.contains("c: follows from the free features within"), "{printed}");
    let flow = "flow.safetensors";
    let inspected = text(&run(folder, &["inspect", flow]).stdout);
    assert!(inspected.contains("other features follow from these: c"), "{inspected}");
    for space in ["latent", "target"] {
        let output = run(
            folder,
            &[
                "estimate",
                "--flow",
                flow,
                "--criterion",
                "event.toml",
                "--space",
                space,
                "--json",
                "out.json",
                "--samples",
                "failures.csv",
            ],
        );
        let json = std::fs::read_to_string(folder.join("out.json")).unwrap();
        let record: Value = serde_json::from_str(&json).unwrap();
        let pf = record["probability"].as_f64().unwrap();
        // Some 4 % of the outcomes fail, so that their share has a standard error of 3.5 %; the flow is given 10 %.
        let share = f64::from(u32::try_from(failures).unwrap()) / f64::from(n);
        assert!((pf / share - 1.0).abs() < 0.2, "{space}: {pf} {share} {}", text(&output.stdout));
        assert_eq!(record["features"].as_array().unwrap().len(), 3);
        let failures = std::fs::read_to_string(folder.join("failures.csv")).unwrap();
        assert!(failures.starts_with("a,c,b,weight\n"), "{space}");
        for line in failures.lines().skip(1) {
            let v: Vec<f64> = line.split(',').map(|v| v.parse().unwrap()).collect();
            assert!(v[1] >= 5.0 - 1e-6, "{line}");
            // Beyond the outcomes the regression is an extrapolation.
            let within = v[0].abs() < 3.0 && v[2].abs() < 3.0;
            assert!(!within || (v[1] - v[0] - v[2] * v[2]).abs() < 1e-3, "{line}");
        }
    }
    for (wrong, expected) in [
        ("a,d", "--free: there is no feature `d`; the features are a, c, b"),
        ("a,a", "--free: `a` is there twice"),
        ("a,b,c", "--free names all features"),
    ] {
        let output = run(folder, &[&TRAIN[..], &["--free", wrong]].concat());
        let message = text(&output.stderr);
        assert!(output.status.code() == Some(1) && message.contains(expected), "{message}");
    }
}
