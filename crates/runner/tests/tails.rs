//! Events beyond the data, bounds and point masses: what the program says about features of all kinds.

use std::{
    fmt::Write as _,
    path::Path,
    process::{Command, Output},
};

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, Pareto, StandardNormal};
use serde_json::Value;

fn run(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_latent-is"));
    command.args(arguments).current_dir(folder).output().unwrap()
}

/// Trains on `data` with further arguments; the flow is `flow.safetensors`. Returns what was printed.
fn train(folder: &Path, data: &str, more: &[&str]) -> String {
    let output = run(folder, &[&["train", "--data", data, "--epochs", "30"], more].concat());
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(matches!(output.status.code(), Some(0 | 2)), "{errors}");
    String::from_utf8_lossy(&output.stdout).into_owned() + &errors
}

/// The exit code, the record and the text of an estimate.
fn estimate(folder: &Path, criterion: &str) -> (Option<i32>, Value, String) {
    std::fs::write(folder.join("event.toml"), criterion).unwrap();
    let output = run(
        folder,
        &[
            "estimate",
            "--flow",
            "flow.safetensors",
            "--criterion",
            "event.toml",
            "--json",
            "out.json",
        ],
    );
    let json = std::fs::read_to_string(folder.join("out.json")).unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    (output.status.code(), serde_json::from_str(&json).unwrap(), text)
}

fn above(feature: &str, level: f64) -> String {
    format!("[[half_space]]\nfeatures = {{ {feature} = 1.0 }}\nat_least = {level}\n")
}

fn below(feature: &str, level: f64) -> String {
    format!("[[half_space]]\nfeatures = {{ {feature} = 1.0 }}\nat_most = {level}\n")
}

/// An event of probability 1e-5 on Student t data, once given as 5.9e-73 and `converged`.
#[test]
fn an_event_beyond_heavy_tailed_data_is_an_extrapolation() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let data = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/t3.csv");
    let printed = train(folder, data, &[]);
    assert!(printed.contains("loss: quantiles; lower tail: shape 0."), "{printed}");
    let criterion = include_str!("data/t3_1e-5.toml");
    let (code, record, text) = estimate(folder, criterion);
    assert_eq!(code, Some(2), "{text}");
    assert_eq!(record["verdict"]["status"], "Extrapolated", "{text}");
    assert!(text.contains("0 of 2500 outcomes reach the event"), "{text}");
    // Within what 2,500 rows can say: the interval of the outcomes holds the truth, and the flow's answer is not
    // off by more than a factor of ten.
    let support = &record["support"]["interval"];
    let end = |key: &str| support[key].as_f64().unwrap_or(f64::NEG_INFINITY);
    assert!(end("ln_lower") < 1e-5_f64.ln() && 1e-5_f64.ln() < end("ln_upper"), "{support}");
    let pf = record["probability"].as_f64().unwrap();
    assert!(pf > 1e-6 && pf < 1e-4, "{pf}");

    // With mean and standard deviation alone, as before, the outcomes speak against the flow.
    train(folder, data, &["--marginal", "affine"]);
    let (code, record, text) = estimate(folder, criterion);
    assert_eq!((code, &record["verdict"]["status"]), (Some(2), &Value::from("Suspect")), "{text}");
    assert!(text.contains("the outcomes by themselves give"), "{text}");
    // Without outcomes in the file nothing can be compared.
    train(folder, data, &["--no-keep-data"]);
    let (code, _, text) = estimate(folder, &above("loss", 5.0));
    assert_eq!(code, Some(2), "{text}");
    assert!(text.contains("no outcomes tell whether the event is within the data"), "{text}");
}

/// Zeros, bounds, flags, angles and a heavy tail in one table.
#[test]
fn point_masses_bounds_and_angles_keep_their_probabilities() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let n = 5_000_u32;
    let mut rng = ChaCha8Rng::seed_from_u64(21);
    let mut text = "rain,share,heading,flag,loss\n".to_owned();
    let pareto = Pareto::new(1.0, 2.0).unwrap();
    for i in 0..n {
        let wet: f64 = rng.random();
        let rain = if wet < 0.17 { 0.0 } else { -((wet - 0.17) / 0.83).ln() };
        let share: f64 = rng.random();
        let heading = (350.0 + 30.0 * rng.sample::<f64, _>(StandardNormal)).rem_euclid(360.0);
        let flag = u8::from(i % 250 == 3);
        let loss: f64 = pareto.sample(&mut rng);
        writeln!(text, "{rain},{share},{heading},{flag},{loss}").unwrap();
    }
    std::fs::write(folder.join("table.csv"), &text).unwrap();
    let printed = train(folder, "table.csv", &["--marginal", "heading=periodic:360"]);
    for line in [
        "% at 0, kept as atoms; the others: lower tail: ends at its bound",
        "share: quantiles; lower tail: shape -",
        "heading: period 360, cut open at 1",
        "flag: 99.60 % at 0, 0.40 % at 1; no other values",
        "loss: quantiles; ",
    ] {
        assert!(printed.contains(line), "{line}: {printed}");
    }
    // The shares of the rows. A flow of 5,000 rows is within a quarter of them, besides three standard errors of
    // the share.
    let rows: Vec<Vec<f64>> = text
        .lines()
        .skip(1)
        .map(|line| line.split(',').map(|v| v.parse().unwrap()).collect())
        .collect();
    let share = |event: &dyn Fn(&[f64]) -> bool| {
        rows.iter().filter(|row| event(row)).count() as f64 / f64::from(n)
    };
    let sideways = "[[box]]\nfeatures = { heading = [60.0, 300.0] }\n";
    for (criterion, expected) in [
        (below("rain", 0.0), share(&|row| row[0] <= 0.0)),
        (above("flag", 0.5), 0.004),
        (sideways.to_owned(), share(&|row| (60.0..=300.0).contains(&row[2]))),
        (above("share", 0.99), share(&|row| row[1] >= 0.99)),
        (above("loss", 10.0), share(&|row| row[4] >= 10.0)),
    ] {
        let (code, record, text) = estimate(folder, &criterion);
        let pf = record["probability"].as_f64().unwrap();
        let bound = 0.25 + 3.0 * ((1.0 - expected) / (expected * f64::from(n))).sqrt();
        assert!((pf / expected - 1.0).abs() < bound, "{criterion}: {pf} {expected}");
        assert_eq!(code, Some(0), "{text}");
    }
    // What cannot happen has no probability, and says so: there is less than nothing at -0.01, and the ends of
    // a uniform feature are found from the data to a hundredth of its width.
    for criterion in [below("rain", -0.01), above("share", 1.01), below("share", -0.01)] {
        let (code, record, text) = estimate(folder, &criterion);
        let pf = record["probability"].as_f64().unwrap();
        assert!(pf < 1e-6 && matches!(code, Some(2 | 4)), "{criterion}: {pf} {text}");
    }
    // 1e-5 under the distribution of the losses.
    let (code, record, text) = estimate(folder, &above("loss", 316.2));
    let pf = record["probability"].as_f64().unwrap();
    assert_eq!(code, Some(2), "{text}");
    assert!(pf > 1e-7 && pf < 1e-3, "{pf}");

    // In target space a proposal would never hit the point mass.
    let output = run(
        folder,
        &[
            "estimate",
            "--flow",
            "flow.safetensors",
            "--criterion",
            "event.toml",
            "--space",
            "target",
        ],
    );
    let error = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert!(
        error.contains("have point masses or are whole numbers, so outcomes have no density"),
        "{error}"
    );
}

#[test]
fn choices_that_do_not_suit_are_refused_by_name() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let mut text = "day,x\n".to_owned();
    for i in 0..400 {
        writeln!(text, "{},{}", i % 7, i * i % 97).unwrap();
    }
    std::fs::write(folder.join("table.csv"), text).unwrap();
    let refused = |marginal: &str| {
        let output = run(folder, &["train", "--data", "table.csv", "--marginal", marginal]);
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let message = refused("day=bounded:1:5");
    assert!(message.contains("`day`: the value 0 is not within the bounds 1 and 5"), "{message}");
    assert!(message.contains("--marginal day=affine"), "{message}");
    assert!(refused("hour=integer").contains("--marginal: there is no feature `hour`"));
    assert!(refused("day=gauss").contains("marginal must be auto, affine"));
}
