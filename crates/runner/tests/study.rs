//! `study` and `estimate --study`, as a user runs them.
#![cfg(unix)]

#[path = "common/brake.rs"]
mod brake;
mod common;

use std::path::Path;

use brake::{BRAKE, brake, record, write};
use common::{data, refused, run, stdout};
use latent_is_runner::report::study::{StudyEstimateRecord, StudyRecord, StudySource};
use store::Reader;

/// Probabilities of the braking distances by quadrature.
const EXACT: [(&str, f64); 3] = [("82", 2.7316e-4), ("85", 1.3755e-4), ("95", 1.3416e-5)];

const STUDY: [&str; 9] = [
    "study",
    "--model",
    "brake.toml",
    "--runs",
    "50000",
    "--target-cov",
    "0.001",
    "--epochs",
    "12",
];

fn study(folder: &Path) -> StudyRecord {
    StudyRecord::load(&folder.join("study/study.json")).unwrap()
}

fn stored(folder: &Path) -> usize {
    Reader::open(folder.join("study/store")).unwrap().map(Result::unwrap).count()
}

fn asked(folder: &Path) -> StudyEstimateRecord {
    serde_json::from_slice(&std::fs::read(folder.join("a.json")).unwrap()).unwrap()
}

/// Five intervals of 99.9 %: a false alarm once in 200 choices of the seed.
#[test]
fn a_study_is_certified_and_answers_for_other_criteria() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    brake(folder);
    let command = [&STUDY[..], &["--criterion", "c85.toml"]].concat();
    let output = run(folder, &command);
    let text = stdout(&output);
    // All diagnostics passed, but no 50,000 runs give a coefficient of variation of 0.1 %.
    assert_eq!(output.status.code(), Some(3), "{text}");
    let first = study(folder);
    let (_, exact) = EXACT[1];
    assert!(first.certified.estimate.interval(0.999).contains(exact), "{text}");
    assert!(first.certified.estimate.cov < 0.03, "{text}");
    let rows = first.rows;
    assert!((rows.mean_weight - 1.0).abs() < 4.5 * rows.standard_error + 1e-3, "{rows:?}");
    // Powers of ten down to failure, and their masses are those of the distance.
    assert_eq!(first.levels.len(), 4);
    assert!(first.levels.windows(2).all(|l| l[1].threshold < l[0].threshold));
    assert!(first.levels.iter().take(3).zip([0.1_f64, 0.01, 0.001]).all(|(level, p)| {
        (level.ln_p - p.ln()).abs() < 0.05 && level.interval.contains(level.ln_p.exp())
    }));
    // The flow has learnt its density and the tail.
    let flow = first.flow.as_ref().unwrap();
    assert!((flow.mass - 1.0).abs() < 0.05, "{}", flow.mass);
    for level in &first.levels {
        let ratio = level.flow.unwrap().ln() - level.ln_p;
        assert!(ratio.abs() < 0.15, "{level:?}");
    }
    let evaluations = stored(folder);

    // Nothing is evaluated again, and the answer is the same.
    run(folder, &command);
    assert_eq!(stored(folder), evaluations);
    assert_eq!(study(folder).certified.estimate, first.certified.estimate);

    for (limit, exact) in EXACT {
        let fails = format!("distance >= {limit}");
        let ask = ["estimate", "--study", "study", "--fails-if", &fails, "--json", "a.json"];
        let output = run(folder, &ask);
        let text = stdout(&output);
        let answer = asked(folder);
        let certified = answer.source == StudySource::Rows;
        assert_eq!(output.status.code(), Some(if certified { 0 } else { 2 }), "{text}");
        // The others are near enough to the event of the study.
        assert!(certified || limit == "95", "{text}");
        if certified {
            assert!(answer.estimate.interval(0.999).contains(exact), "{limit}: {text}");
        }
        assert!(text.contains("no new run"), "{text}");
        // Nothing was evaluated.
        assert_eq!(stored(folder), evaluations);
    }

    // A region that the study did not look for: its rows do not certify the union, though the other region has many.
    let low = "\n[[half_space]]\nfeatures = { distance = 1.0 }\nat_most = 14.0\n";
    let both = std::fs::read_to_string(folder.join("c85.toml")).unwrap() + low;
    write(folder, "both.toml", &both);
    let ask = ["estimate", "--study", "study", "--criterion", "both.toml", "--json", "a.json"];
    let output = run(folder, &ask);
    assert_eq!(output.status.code(), Some(2), "{}", stdout(&output));
    // Hidden in one expression: the few nominal rows there have too large a share.
    let hidden = "max(distance - 85, 19 - distance) >= 0";
    let ask = ["estimate", "--study", "study", "--fails-if", hidden, "--json", "a.json"];
    let output = run(folder, &ask);
    assert_eq!(output.status.code(), Some(2), "{}", stdout(&output));

    // An event far beyond the study: the flow answers, and says that this is not certified.
    let ask = ["estimate", "--study", "study", "--fails-if", "distance >= 110", "--json", "a.json"];
    let output = run(folder, &ask);
    let text = stdout(&output);
    assert!(output.status.code() >= Some(2), "{text}");
    assert_eq!(asked(folder).source, StudySource::Flow);
    assert!(text.contains("not certified") && text.contains("--runs N"), "{text}");

    // With runs: the model itself.
    let ask = [
        "estimate",
        "--study",
        "study",
        "--fails-if",
        "distance >= 95",
        "--json",
        "r.json",
        "--runs",
        "50000",
    ];
    let output = run(folder, &ask);
    let text = stdout(&output);
    // With 50,000 runs the chains of so rare an event may descend from few draws.
    assert!(matches!(output.status.code(), Some(0 | 2)), "{text}");
    assert!(record(folder).estimate.interval(0.999).contains(EXACT[2].1), "{text}");
    // The nominal draws are those of the study.
    assert!(record(folder).looked_up >= 10_000, "{text}");
    assert!(stored(folder) > evaluations);

    let error = refused(folder, &["report", "a.json"]);
    assert!(error.contains("which has no page"), "{error}");
    let output = run(folder, &["report", "study/study.json"]);
    assert_eq!(output.status.code(), Some(0));
    let page = std::fs::read_to_string(folder.join("study/study.html")).unwrap();
    for part in ["Study of brake", "Levels", "under the flow", "masses of the levels"] {
        assert!(page.contains(part), "{part}");
    }
}

#[test]
fn what_a_study_cannot_do_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    brake(folder);
    let small = ["study", "--model", "brake.toml", "--runs", "5000", "--epochs", "2"];
    let output = run(folder, &[&small[..], &["--criterion", "c75.toml"]].concat());
    assert!(output.status.code() != Some(1), "{}", stdout(&output));
    let other = refused(folder, &[&small[..], &["--criterion", "c85.toml"]].concat());
    assert!(other.contains("another model or criterion"), "{other}");
    write(folder, "other.toml", &BRAKE.replace("2.5", "2.6"));
    let other = refused(
        folder,
        &["study", "--model", "other.toml", "--criterion", "c75.toml", "--runs", "5000"],
    );
    assert!(other.contains("not the one whose evaluations are stored"), "{other}");
    let few =
        ["study", "--model", "brake.toml", "--runs", "10", "-o", "few", "--criterion", "c75.toml"];
    assert!(refused(folder, &few).contains("--runs"), "{}", refused(folder, &few));

    let flow = ["estimate", "--flow", "study/flow.safetensors", "--fails-if", "distance >= 80"];
    assert!(refused(folder, &flow).contains("use `estimate --study`"));
    let ask = |study: &str| {
        refused(folder, &["estimate", "--study", study, "--fails-if", "distance >= 80"])
    };
    data(folder, 20);
    assert!(ask("data.csv").contains("cannot read data.csv/study.json"));
    assert!(ask("nothing").contains("cannot read nothing/study.json"));
    for file in ["study/study.json", "study/rows.safetensors", "study/flow.safetensors"] {
        let over = ["estimate", "--study", "study", "--fails-if", "distance >= 80", "--json", file];
        assert!(refused(folder, &over).contains("would overwrite the input"));
    }
    let unknown = ["estimate", "--study", "study", "--fails-if", "speed >= 80"];
    assert!(refused(folder, &unknown).contains("the features are distance"));
    let both =
        ["estimate", "--study", "study", "--model", "brake.toml", "--fails-if", "distance >= 80"];
    assert!(refused(folder, &both).contains("cannot be used with"));

    // A model file that has changed is another model.
    write(folder, "brake.toml", &BRAKE.replace("0.25", "0.26"));
    let runs = ["estimate", "--study", "study", "--fails-if", "distance >= 80", "--runs", "5000"];
    assert!(refused(folder, &runs).contains("has changed since the study"));

    let path = folder.join("study/rows.safetensors");
    let bytes = std::fs::read(&path).unwrap();
    std::fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    assert!(ask("study").contains("truncated or not a file of rows"));
    std::fs::write(folder.join("study/study.json"), "{}").unwrap();
    assert!(ask("study").contains("is not a study of this program"));
}
