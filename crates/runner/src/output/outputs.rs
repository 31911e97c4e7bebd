//! The files that a command will write, claimed before its work.

use std::path::Path;

use anyhow::Context;
use safe_file::{Claim, same_file};

/// The claims on the files that a command will write, held until they are written.
#[derive(Debug)]
pub struct Outputs {
    _claims: Vec<Claim>,
}

impl Outputs {
    /// Claims the files `outputs`: makes their folders, checks that they can be written and locks them
    /// against other runs.
    ///
    /// No output, and no file `beside` one (a checkpoint, a part file), may be one of the `inputs` or
    /// another output, under whatever name.
    ///
    /// # Errors
    /// Names the file and what keeps it from being written.
    pub fn claim(inputs: &[&Path], outputs: &[&Path], beside: &[&Path]) -> anyhow::Result<Self> {
        let all = [outputs, beside].concat();
        for (i, output) in all.iter().enumerate() {
            if let Some(input) = inputs.iter().find(|input| same_file(input, output)) {
                anyhow::bail!(
                    "{} would overwrite the input {}; choose another name",
                    output.display(),
                    input.display()
                );
            }
            if let Some(other) = all[..i].iter().find(|other| same_file(other, output)) {
                anyhow::bail!(
                    "{} and {} are one file; choose another name for one of them",
                    other.display(),
                    output.display()
                );
            }
        }
        let claim = |path: &&Path| {
            Claim::new(path).with_context(|| format!("cannot write {}", path.display()))
        };
        Ok(Self { _claims: outputs.iter().map(claim).collect::<anyhow::Result<_>>()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_output_is_neither_an_input_nor_another_output() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::write(at("data.csv"), "a,b\n").unwrap();
        let claim = |input: &str, outputs: [&str; 2]| {
            let [one, other] = outputs.map(at);
            Outputs::claim(&[&at(input)], &[&one], &[&other])
        };
        let refused = |input, outputs| claim(input, outputs).unwrap_err().to_string();
        let error = refused("data.csv", ["./data.csv", "x"]);
        assert!(error.contains("would overwrite the input"), "{error}");
        assert!(refused("data.csv", ["x", "data.csv"]).contains("would overwrite the input"));
        assert!(refused("data.csv", ["new/x", "./new/x"]).contains("are one file"));
        claim("data.csv", ["new/x", "new/y"]).unwrap();
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink("data.csv", at("soft")).unwrap();
            std::fs::hard_link(at("data.csv"), at("hard")).unwrap();
            for link in ["soft", "hard"] {
                assert!(refused("data.csv", [link, "x"]).contains("would overwrite the input"));
            }
        }
    }

    #[test]
    fn a_second_run_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.csv");
        let first = Outputs::claim(&[], &[&path], &[]).unwrap();
        let error = format!("{:#}", Outputs::claim(&[], &[&path], &[]).unwrap_err());
        assert!(error.contains("out.csv: process"), "{error}");
        drop(first);
        Outputs::claim(&[], &[&path], &[]).unwrap();
    }
}
