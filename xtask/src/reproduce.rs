//! `cargo xtask reproduce`: builds the program in release mode and runs its `reproduce`.

use std::process::Command;

use crate::cargo::{cargo, run};

/// Passes `options` to `latent-is reproduce`, except `--features`, which is passed to the build.
pub(crate) fn run_with(options: Vec<String>) -> anyhow::Result<()> {
    let (features, options) = split_features(options)?;
    let mut command =
        cargo(&["run", "--release", "--package", "latent-is-runner", "--bin", "latent-is"]);
    if let Some(features) = features {
        command.args(["--features", &features]);
    }
    command.args(["--", "reproduce"]).args(options);
    if let Some(commit) = commit() {
        command.env("LATENT_IS_COMMIT", commit);
    }
    run(&mut command)
}

/// The commit of the working tree, for the record of a training run; `None` outside a git repository.
fn commit() -> Option<String> {
    let git = |arguments: &[&str]| {
        let mut git = Command::new("git");
        let output = git.args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let changed = !git(&["status", "--porcelain", "--untracked-files=no"])?.is_empty();
    Some(git(&["rev-parse", "HEAD"])? + if changed { " with changes" } else { "" })
}

/// Separates `--features LIST` or `--features=LIST` from the other options.
fn split_features(options: Vec<String>) -> anyhow::Result<(Option<String>, Vec<String>)> {
    let (mut features, mut rest) = (None, Vec::new());
    let mut options = options.into_iter();
    while let Some(option) = options.next() {
        if option == "--features" {
            let list = options.next();
            features = Some(list.ok_or_else(|| anyhow::anyhow!("--features needs a list"))?);
        } else if let Some(list) = option.strip_prefix("--features=") {
            features = Some(list.to_owned());
        } else {
            rest.push(option);
        }
    }
    Ok((features, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_go_to_the_build_and_the_rest_to_the_program() {
        let split = |line: &str| split_features(line.split(' ').map(str::to_owned).collect());
        for line in
            ["--system robot --features wgpu --quick", "--features=wgpu --system robot --quick"]
        {
            let (features, rest) = split(line).unwrap();
            assert_eq!(features.as_deref(), Some("wgpu"));
            assert_eq!(rest, ["--system", "robot", "--quick"]);
        }
        assert!(split("--system robot --features").is_err());
    }
}
