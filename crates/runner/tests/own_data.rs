//! The program on data of a user: train, inspect, estimate, and the usual mistakes.

mod common;

use std::path::Path;

use common::{data, refused, run, stdout};

const TRAIN: &[&str] = &[
    "train",
    "--data",
    "data.csv",
    "--hidden",
    "16",
    "--steps",
    "3",
    "--epochs",
    "30",
    "--patience",
    "30",
];

#[test]
fn from_a_table_to_a_probability() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    data(folder, 6_000);
    let output = run(folder, TRAIN);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(stdout(&output).contains("6000 outcomes of 2 features in data.csv: a, b"));
    assert!(!folder.join("flow.safetensors.ckpt").exists());

    let shown = stdout(&run(folder, &["inspect", "flow.safetensors", "--data", "data.csv"]));
    assert!(shown.contains("trained on 6000 outcomes") && shown.contains("b   "), "{shown}");
    assert!(!shown.contains("FAIL"), "{shown}");

    // b >= 2.2 sd(b): Φ(-2.2) = 0.0139; 6000 rows determine it to 11 %, and the flow is not more accurate.
    let level = 2.2 * 0.5_f64.sqrt();
    let text = format!("[[half_space]]\nfeatures = {{ b = 1.0 }}\nat_least = {level}\n");
    std::fs::write(folder.join("high.toml"), text).unwrap();
    let estimate = [
        "estimate",
        "--flow",
        "flow.safetensors",
        "--criterion",
        "high.toml",
        "--json",
        "out.json",
        "--samples",
        "failures.csv",
    ];
    let output = run(folder, &estimate);
    assert_eq!(output.status.code(), Some(0), "{}", stdout(&output));
    let json: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(folder.join("out.json")).unwrap()).unwrap();
    let pf = json["probability"].as_f64().unwrap();
    assert!((pf / 0.0139 - 1.0).abs() < 0.35, "{pf}");
    assert_eq!(json["seed"], 1);
    assert!(stdout(&output).contains("Comparison with the 6000 outcomes in the flow file"));
    let failures = std::fs::read_to_string(folder.join("failures.csv")).unwrap();
    assert!(failures.starts_with("a,b,weight\n"));
    for line in failures.lines().skip(1) {
        let b: f64 = line.split(',').nth(1).unwrap().parse().unwrap();
        assert!(b >= level - 1e-5, "{line}");
    }
    compare_with_data(folder, &estimate[..5]);

    // The same seed gives the same figures, target space nearly so.
    run(
        folder,
        &[
            "estimate",
            "--flow",
            "flow.safetensors",
            "--criterion",
            "high.toml",
            "--json",
            "again.json",
        ],
    );
    let again = std::fs::read_to_string(folder.join("again.json")).unwrap();
    assert_eq!(serde_json::from_str::<serde_json::Value>(&again).unwrap(), json);
    run(
        folder,
        &[
            "estimate",
            "--flow",
            "flow.safetensors",
            "--criterion",
            "high.toml",
            "--space",
            "target",
            "--json",
            "target.json",
        ],
    );
    let target: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(folder.join("target.json")).unwrap())
            .unwrap();
    // Four standard errors of 3 % each.
    assert!((target["probability"].as_f64().unwrap() / pf - 1.0).abs() < 0.17, "{target}");
}

/// Compares the flow with its own data, and with data that are wider by a third.
fn compare_with_data(folder: &Path, estimate: &[&str]) {
    let with = |name| [estimate, &["--data", name, "--json", "with.json"]].concat();
    let output = run(folder, &with("data.csv"));
    assert_eq!(output.status.code(), Some(0), "{}", stdout(&output));
    assert!(
        stdout(&output).contains("No significant difference between flow and data"),
        "{}",
        stdout(&output)
    );
    let page = run(folder, &["report", "with.json"]);
    assert!(page.status.success(), "{}", stdout(&page));
    let page = std::fs::read_to_string(folder.join("with.html")).unwrap();
    assert!(page.contains("outcomes at or below"));
    let wider: String = std::fs::read_to_string(folder.join("data.csv"))
        .unwrap()
        .lines()
        .map(|line| {
            let (a, b) = line.split_once(',').unwrap();
            match b.parse::<f64>() {
                Ok(b) => format!("{a},{}\n", 4.0 / 3.0 * b),
                Err(_) => format!("{line}\n"),
            }
        })
        .collect();
    std::fs::write(folder.join("wider.csv"), wider).unwrap();
    let output = run(folder, &with("wider.csv"));
    assert_eq!(output.status.code(), Some(2), "{}", stdout(&output));
    assert!(stdout(&output).contains("Flow and data disagree"), "{}", stdout(&output));
    // Terminal, file and page agree.
    run(folder, &["report", "with.json"]);
    for file in ["with.json", "with.html"] {
        let text = std::fs::read_to_string(folder.join(file)).unwrap();
        assert!(text.contains("At least one diagnostic failed"), "{file}");
        assert!(text.contains("flow and data disagree at"), "{file}");
    }
    columns_are_matched_by_name(folder, &with);
}

/// Columns in another order give the same figures in all commands; other columns are refused.
fn columns_are_matched_by_name<'a>(folder: &Path, with: &dyn Fn(&'a str) -> Vec<&'a str>) {
    let text = std::fs::read_to_string(folder.join("data.csv")).unwrap();
    let swapped: Vec<String> = text
        .lines()
        .filter_map(|line| line.split_once(','))
        .map(|(a, b)| format!("{b},{a}"))
        .collect();
    std::fs::write(folder.join("swapped.csv"), swapped.join("\n")).unwrap();
    let metrics = |name| {
        let arguments =
            ["metrics", "--real", name, "--samples", "failures.csv", "--criterion", "high.toml"];
        let output = run(folder, &[&arguments[..], &["--flow", "flow.safetensors"]].concat());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        stdout(&output)
    };
    assert_eq!(metrics("swapped.csv"), metrics("data.csv"));
    let inspect = |name| stdout(&run(folder, &["inspect", "flow.safetensors", "--data", name]));
    assert_eq!(inspect("swapped.csv"), inspect("data.csv"));
    let agreement = |name| {
        assert_eq!(run(folder, &with(name)).status.code(), Some(0));
        let text = std::fs::read_to_string(folder.join("with.json")).unwrap();
        serde_json::from_str::<serde_json::Value>(&text).unwrap()["agreement"].clone()
    };
    assert_eq!(agreement("swapped.csv"), agreement("data.csv"));

    std::fs::write(folder.join("nan.csv"), "a,b\n1,2\nNaN,3\n").unwrap();
    let error = refused(folder, &with("nan.csv"));
    assert!(error.contains("nan.csv: line 3: `a` is NaN"), "{error}");
    let real = ["metrics", "--real", "nan.csv", "--samples", "failures.csv"];
    assert!(refused(folder, &real).contains("nan.csv: line 3: `a` is NaN"));
    std::fs::write(folder.join("three.csv"), "a,b,c\n1,2,3\n").unwrap();
    let error = refused(folder, &with("three.csv"));
    assert!(error.contains("three.csv does not fit the flow: it has 3 features, not 2"), "{error}");
    assert!(error.contains("--columns a,b"), "{error}");
    std::fs::write(folder.join("other.csv"), "a,c\n1,2\n").unwrap();
    let error = refused(folder, &with("other.csv"));
    assert!(error.contains("there is no column `b`; the columns are a, c"), "{error}");
}

/// A feature may be called `weight`: the weights of the samples then have another name.
#[test]
fn a_feature_called_weight_is_a_feature() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    data(folder, 3_000);
    let text = std::fs::read_to_string(folder.join("data.csv")).unwrap();
    std::fs::write(folder.join("data.csv"), text.replacen("a,b", "weight,b", 1)).unwrap();
    assert!(run(folder, TRAIN).status.success());
    std::fs::write(
        folder.join("c.toml"),
        "[[half_space]]\nfeatures = { weight = 1.0 }\nat_least = 13.0\n",
    )
    .unwrap();
    let flow = ["--flow", "flow.safetensors", "--criterion", "c.toml"];
    for samples in ["failures.csv", "failures.npy", "failures.parquet", "failures.arrow"] {
        let output = run(folder, &[&["estimate"], &flow[..], &["--samples", samples]].concat());
        assert!(output.status.code() != Some(1), "{}", String::from_utf8_lossy(&output.stderr));
        let real = ["metrics", "--real", "data.csv", "--samples", samples];
        let output = run(folder, &[&real[..], &flow].concat());
        let shown = stdout(&output);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let density = shown.lines().find_map(|line| line.strip_prefix("density")).unwrap();
        assert!(density.trim().parse::<f64>().unwrap() > 0.5, "{shown}");
    }
    let failures = std::fs::read_to_string(folder.join("failures.csv")).unwrap();
    assert!(failures.starts_with("weight,b,weight_\n"));
}

#[test]
fn bad_data_are_refused_with_their_place() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let refused_data = |text: &str| {
        std::fs::write(folder.join("data.csv"), text).unwrap();
        refused(folder, TRAIN)
    };
    let rows = |n: usize, more: &str| {
        let rows: Vec<String> = (0..n).map(|i| format!("{},{}{more}\n", i % 7, i % 11)).collect();
        rows.concat()
    };
    let cases = [
        (format!("a,b\n{}3\n", rows(20, "")), "line 22 has 1 entries"),
        (format!("a,b\n{}3,\n", rows(20, "")), "line 22: `b` is missing"),
        (format!("a,b\n{}3,x\n", rows(20, "")), "line 22: `b` is `x`, not a number"),
        (format!("a,b\n{}NaN,1\n", rows(600, "")), "line 602: `a` is NaN"),
        (format!("a,b,c\n{}", rows(600, ",5")), "`c` is constant (5)"),
        ("a,b,c\n1,2,3\n4,5,6\n".to_owned(), "2 outcomes are too few for 3 features"),
        (format!("a,b\n{}", rows(15, "")), "--data data.csv has 15 outcomes, at least 20"),
        ("1,2\n3,4\n".to_owned(), "must name the features"),
        (String::new(), "cannot read data.csv: it is empty"),
        (format!(",a\n{}", rows(20, "")), "column 1 has no name"),
        (format!("a,a\n{}", rows(20, "")), "columns 1 and 2 are both called `a`"),
    ];
    for (text, expected) in cases {
        let error = refused_data(&text);
        assert!(error.contains(expected), "{error}");
        assert!(!folder.join("flow.safetensors").exists());
    }
    assert!(refused(folder, &["train", "--data", "absent.csv"]).contains("cannot read absent.csv"));
    assert!(refused(folder, &["train", "--data", "data.xlsx"]).contains("extension must be"));
    data(folder, 600);
    for (option, value, expected) in [
        ("--hidden", "0", "hidden must be positive"),
        ("--tail-bound", "0", "tail_bound must be positive"),
        ("--device", "abacus", "device `abacus` is not available"),
        ("--out", "data.csv/flow.safetensors", "cannot write data.csv/flow.safetensors"),
    ] {
        let mut arguments = TRAIN.to_vec();
        arguments.retain(|a| *a != option);
        let arguments: Vec<&str> = if option == "--hidden" {
            vec!["train", "--data", "data.csv", "--hidden", "0"]
        } else {
            arguments.into_iter().chain([option, value]).collect()
        };
        let error = refused(folder, &arguments);
        assert!(error.contains(expected), "{error}");
    }
}

#[test]
fn features_that_follow_from_others_are_reported_before_training() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    data(folder, 600);
    let text = std::fs::read_to_string(folder.join("data.csv")).unwrap();
    let twice: Vec<String> =
        text.lines().map(|line| format!("{line},{}", line.split_once(',').unwrap().0)).collect();
    let twice = twice.join("\n").replacen("a,b,a", "a,b,c", 1);
    std::fs::write(folder.join("data.csv"), twice).unwrap();
    let warning = "warning: `c` is a linear function of a, so the outcomes have no density; \
                   leave it out with --columns a,b or add noise with --jitter";
    let few = ["train", "--data", "data.csv", "--hidden", "8", "--steps", "1", "--epochs", "2"];
    let errors = |more: &[&str]| {
        let output = run(folder, &[&few[..], more].concat());
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    assert!(errors(&[]).contains(warning), "{}", errors(&[]));
    assert!(!errors(&["--columns", "a,b"]).contains("warning"));
    assert!(!errors(&["--jitter", "0.02"]).contains("warning"));
}

#[test]
fn bad_criteria_and_flows_are_refused_with_the_reason() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let criterion = |text: &str| std::fs::write(folder.join("c.toml"), text).unwrap();
    let robot = ["estimate", "--system", "robot", "--criterion", "c.toml"];
    for (text, expected) in [
        (
            "[[box]]\nfeatures = { speed = [0.0, 1.0] }\n",
            "line 2: there is no feature `speed`; the features are x, y, theta",
        ),
        ("[[box]]\nfeature = 1\n", "unknown field `feature`"),
        ("[[box\n", "cannot read criterion c.toml"),
        ("", "defines no region"),
    ] {
        criterion(text);
        let error = refused(folder, &robot);
        assert!(error.contains(expected), "{error}");
    }
    criterion("[[box]]\nfeatures = { x = [1e9, inf] }\n");
    // A criterion that is not reached: no usable estimate, and its own exit code.
    let output = run(folder, &[&robot[..], &["--budget", "3000"]].concat());
    assert!(matches!(output.status.code(), Some(2..=4)), "{}", stdout(&output));
    let samples = [&robot[..], &["--samples", "x.docx"]].concat();
    assert!(refused(folder, &samples).contains("extension must be"));

    let shipped = include_bytes!("../assets/robot.safetensors");
    std::fs::write(folder.join("cut.safetensors"), &shipped[..1000]).unwrap();
    std::fs::write(folder.join("foreign.safetensors"), b"anything").unwrap();
    let mut future = shipped.to_vec();
    let at = shipped.windows(13).position(|w| w == b"\"version\":\"2\"").unwrap();
    future[at + 11] = b'9';
    std::fs::write(folder.join("future.safetensors"), future).unwrap();
    for (flow, expected) in [
        ("cut.safetensors", "truncated"),
        ("foreign.safetensors", "truncated"),
        ("future.safetensors", "format version 9"),
        ("absent.safetensors", "cannot read absent.safetensors"),
    ] {
        assert!(refused(folder, &["inspect", flow]).contains(expected), "{flow}");
        let estimate = ["estimate", "--flow", flow, "--criterion", "c.toml"];
        assert!(refused(folder, &estimate).contains(expected), "{flow}");
    }
    // Data of another dimension.
    std::fs::write(folder.join("robot.safetensors"), shipped).unwrap();
    data(folder, 10);
    let error = refused(folder, &["inspect", "robot.safetensors", "--data", "data.csv"]);
    assert!(
        error.contains("data.csv does not fit the flow: it has 2 features, not 3: x0, x1, x2"),
        "{error}"
    );
}
