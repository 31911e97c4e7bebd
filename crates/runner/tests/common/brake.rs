//! A car that brakes, as a model that is a program.

use std::path::Path;

use latent_is_runner::report::model_estimate::ModelEstimateRecord;

/// The braking distance of a car: a model in mode `file`, with the program `brake.sh`.
pub(crate) const BRAKE: &str = r#"[model]
command = ["sh", "brake.sh", "{in}", "{out}"]
mode = "file"
batch = 300
workers = 2

[inputs]
speed = { normal = { mean = 20.0, sd = 2.5 }, unit = "m/s" }
brake = { normal = { mean = 7.5, sd = 0.8 }, unit = "m/s2" }
delay = { log_normal = { ln_mean = -0.5, ln_sd = 0.25 }, unit = "s" }

[outputs]
names = ["distance"]
units = ["m"]
"#;

/// Reads the samples in `$1`, a CSV file with the columns seed, speed, brake and delay; writes `$2`.
pub(crate) const PROGRAM: &str = r#"awk -F, '
NR == 1 { print "distance"; next }
{ brake = $3 < 3 ? 3 : $3; printf "%.17g\n", $2 * $4 + $2 * $2 / (2 * brake) }
' "$1" > "$2"
"#;

/// Writes a file.
pub(crate) fn write(folder: &Path, name: &str, text: &str) {
    std::fs::write(folder.join(name), text).unwrap();
}

/// Writes the braking model and criteria for three distances of the wall.
pub(crate) fn brake(folder: &Path) {
    write(folder, "brake.toml", BRAKE);
    write(folder, "brake.sh", PROGRAM);
    for limit in ["75", "85", "95"] {
        let text =
            format!("[[half_space]]\nfeatures = {{ distance = 1.0 }}\nat_least = {limit}.0\n");
        write(folder, &format!("c{limit}.toml"), &text);
    }
}

/// What `--json r.json` wrote.
pub(crate) fn record(folder: &Path) -> ModelEstimateRecord {
    serde_json::from_slice(&std::fs::read(folder.join("r.json")).unwrap()).unwrap()
}
