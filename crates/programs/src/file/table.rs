//! Samples as files, and files as outcomes.

use std::{
    fs, io,
    io::Read,
    ops::Range,
    path::{Path, PathBuf},
};

use sim_core::{FailureKind, Feature, Status};

use crate::{
    error::ProgramError,
    text::join,
    work::{Answer, Batch, finite},
};

use super::{csv, npy};

/// The format of a file, from its ending.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Csv,
    Npy,
}

/// The column of reasons in a CSV file of outcomes.
const ERROR: &str = "error";

/// Writes the inputs of a program and reads its outputs.
#[derive(Clone, Debug)]
pub(crate) struct Tables {
    inputs: Vec<String>,
    outputs: Vec<String>,
    input: Format,
    output: Format,
}

impl Tables {
    /// For a command with `{in}` and `{out}`, each perhaps with an ending.
    pub(crate) fn new<'a>(
        command: &[String],
        inputs: impl Iterator<Item = &'a str>,
        outputs: &[Feature],
    ) -> Result<Self, ProgramError> {
        let format = |mark: &str, other: &str| {
            let used = |part: &&String| part.contains(mark);
            let part = command.iter().find(used).ok_or_else(|| ProgramError::Config {
                key: "command",
                reason: format!("mode \"file\" needs `{mark}` in an argument, beside `{other}`"),
            })?;
            Ok::<_, ProgramError>(ending(part, mark))
        };
        Ok(Self {
            input: format("{in}", "{out}")?,
            output: format("{out}", "{in}")?,
            inputs: inputs.map(str::to_owned).collect(),
            outputs: outputs.iter().map(|output| output.name().to_owned()).collect(),
        })
    }

    /// An argument with the paths of the files in `folder` in it.
    pub(crate) fn replace(&self, part: &str, folder: &Path) -> String {
        let mut part = part.to_owned();
        for (mark, path) in [("{in}", self.input(folder)), ("{out}", self.output(folder))] {
            let path = path.to_string_lossy();
            for ending in [".csv", ".npy", ""] {
                part = part.replace(&format!("{mark}{ending}"), &path);
            }
        }
        part.replace("{seeds}.npy", "{seeds}").replace("{seeds}", &seeds(folder).to_string_lossy())
    }

    fn input(&self, folder: &Path) -> PathBuf {
        folder.join(if self.input == Format::Csv { "in.csv" } else { "in.npy" })
    }

    fn output(&self, folder: &Path) -> PathBuf {
        folder.join(if self.output == Format::Csv { "out.csv" } else { "out.npy" })
    }

    /// Writes the samples of a job.
    pub(crate) fn write(
        &self,
        folder: &Path,
        batch: Batch<'_>,
        job: Range<usize>,
    ) -> io::Result<()> {
        let columns = batch.w.columns(job.start, job.len()).into_owned();
        let m = columns.nrows();
        let rows = (0..job.len()).map(|i| &columns.as_slice()[i * m..(i + 1) * m]);
        let seeds_of_job = &batch.seeds[job.clone()];
        match self.input {
            Format::Csv => {
                let table = csv::write(&self.inputs, seeds_of_job.iter().copied().zip(rows));
                fs::write(self.input(folder), table)
            }
            Format::Npy => {
                fs::write(seeds(folder), npy::write_seeds(seeds_of_job))?;
                fs::write(self.input(folder), npy::write(self.inputs.len(), job.len(), rows))
            }
        }
    }

    /// Reads the outcomes of `n` samples; `Err` says why there are none.
    pub(crate) fn read(&self, folder: &Path, n: usize) -> Result<Vec<Answer>, String> {
        let path = self.output(folder);
        // A hundred characters per number, and a thousand per row for a reason.
        let most = (1 << 20) + n as u64 * (1000 + 100 * self.outputs.len() as u64);
        let mut bytes = Vec::new();
        let file = fs::File::open(&path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => "it wrote no file `{out}`".to_owned(),
            _ => format!("its file `{{out}}` cannot be read: {error}"),
        })?;
        let read = file.take(most + 1).read_to_end(&mut bytes);
        read.map_err(|error| format!("its file `{{out}}` cannot be read: {error}"))?;
        if bytes.len() as u64 > most {
            return Err(format!("its file `{{out}}` has more than {most} bytes for {n} samples"));
        }
        let rows = match self.output {
            Format::Csv => self.csv(&bytes, n),
            Format::Npy => npy::read(&bytes, n, self.outputs.len())
                .map(|rows| rows.into_iter().map(|row| finite(&self.outputs, row)).collect()),
        };
        rows.map_err(|reason| format!("its file `{{out}}`: {reason}"))
    }

    fn csv(&self, bytes: &[u8], n: usize) -> Result<Vec<Answer>, String> {
        let text = std::str::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())?;
        let mut lines = csv::read(text)?.into_iter();
        let header = lines.next().ok_or("it is empty")?;
        let header: Vec<&str> = header.iter().map(|name| name.trim()).collect();
        let place = |name: &str| header.iter().position(|&other| other == name);
        let missing = self.outputs.iter().filter(|name| place(name).is_none());
        let missing: Vec<_> = missing.map(String::as_str).collect();
        let named = |name: &&&str| self.outputs.iter().any(|output| output == **name);
        let more = header.iter().filter(|name| !named(name) && **name != ERROR);
        let more: Vec<&str> = more.copied().collect();
        if !missing.is_empty() {
            return Err(format!("no column {}; its header is {}", join(&missing), join(&header)));
        }
        if !more.is_empty() {
            return Err(format!("columns {}, which `[outputs]` does not name", join(&more)));
        }
        let columns: Vec<usize> = self.outputs.iter().filter_map(|name| place(name)).collect();
        let reason = place(ERROR).filter(|_| self.outputs.iter().all(|name| name != ERROR));
        if lines.len() != n {
            return Err(format!("{} rows for {n} samples", lines.len()));
        }
        let row = |(i, line): (usize, Vec<String>)| {
            if line.len() != header.len() {
                let (fields, names) = (line.len(), header.len());
                return Err(format!("row {i} has {fields} fields, the header has {names}"));
            }
            if let Some(text) = reason.map(|at| line[at].trim()).filter(|text| !text.is_empty()) {
                return Ok(Err(Status::failed(FailureKind::Reported, text)));
            }
            let number = |&at: &usize| match line[at].trim() {
                "" => Ok(f64::NAN),
                text => text.parse().map_err(|_| {
                    format!("row {i}, column `{}`: `{text}` is not a number", header[at])
                }),
            };
            let values = columns.iter().map(number).collect::<Result<_, String>>()?;
            Ok(finite(&self.outputs, values))
        };
        lines.enumerate().map(row).collect()
    }
}

fn ending(part: &str, mark: &str) -> Format {
    if part.contains(&format!("{mark}.npy")) { Format::Npy } else { Format::Csv }
}

fn seeds(folder: &Path) -> PathBuf {
    folder.join("seeds.npy")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tables(command: &[&str]) -> Result<Tables, ProgramError> {
        let command: Vec<String> = command.iter().map(|&part| part.to_owned()).collect();
        let outputs = [Feature::new("distance", "m"), Feature::new("speed", "m/s")];
        Tables::new(&command, ["wind"].into_iter(), &outputs)
    }

    #[test]
    fn the_ending_decides_the_format() {
        let tables = tables(&["run", "--from={in}.npy", "{out}", "{seeds}"]).unwrap();
        assert_eq!((tables.input, tables.output), (Format::Npy, Format::Csv));
        let at = |part: &str| tables.replace(part, Path::new("/f"));
        assert_eq!(at("--from={in}.npy"), "--from=/f/in.npy");
        assert_eq!(
            (at("{out}"), at("{out}.csv")),
            ("/f/out.csv".to_owned(), "/f/out.csv".to_owned())
        );
        assert_eq!((at("{seeds}"), at("run")), ("/f/seeds.npy".to_owned(), "run".to_owned()));
        let error = self::tables(&["run", "{in}"]).unwrap_err().to_string();
        assert!(error.contains("needs `{out}`"), "{error}");
    }

    #[test]
    fn outcomes_are_read_by_name_and_refused_with_a_reason() {
        let folder = tempfile::tempdir().unwrap();
        let tables = tables(&["{in}", "{out}"]).unwrap();
        let read = |text: &str, n: usize| {
            fs::write(folder.path().join("out.csv"), text).unwrap();
            tables.read(folder.path(), n)
        };
        let answers = read("speed, distance,error\n0,75.2,\n1,inf,\n,,diverged\n2,,\n", 4).unwrap();
        assert_eq!(answers[0], Ok(vec![75.2, 0.0]));
        let kind = |i: usize| match answers[i].as_ref().unwrap_err() {
            Status::Failed { kind, .. } => *kind,
            other => panic!("{other:?}"),
        };
        assert_eq!(kind(1), FailureKind::NotFinite);
        assert_eq!((kind(2), kind(3)), (FailureKind::Reported, FailureKind::NotFinite));
        for (text, part) in [
            ("", "empty"),
            ("speed,distance\n", "0 rows for 1"),
            ("speed,distance\n1,2\n1,2\n", "2 rows for 1"),
            ("speed\n1\n", "no column `distance`"),
            ("speed,distance,time\n1,2,3\n", "columns `time`"),
            ("speed,distance\n1\n", "1 fields"),
            ("speed,distance\n1,x\n", "`x` is not a number"),
        ] {
            let reason = read(text, 1).unwrap_err();
            assert!(reason.contains(part), "{text}: {reason}");
        }
        fs::remove_file(folder.path().join("out.csv")).unwrap();
        assert!(tables.read(folder.path(), 1).unwrap_err().contains("no file"));
    }
}
