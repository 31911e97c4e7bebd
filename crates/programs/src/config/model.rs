//! The table `[model]`.

use std::{
    num::{NonZeroU32, NonZeroUsize},
    path::Path,
};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::error::ProgramError;

use super::{limit::Limit, run::OnFailure, run::RunConfig};

/// The table `[model]`: what is evaluated, and how it is run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Table", into = "Table")]
#[non_exhaustive]
pub struct ModelConfig {
    /// What is evaluated.
    pub source: Source,
    /// How it is run.
    pub run: RunConfig,
}

/// What is evaluated.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Source {
    /// A program.
    Program {
        /// The program and its arguments.
        command: Vec<String>,
        /// How it gets its inputs.
        mode: Mode,
    },
    /// A model of a UM-Bridge server.
    UmBridge {
        /// The address of the server.
        url: String,
        /// The name of the model on the server.
        name: String,
        /// Settings that are sent with each evaluation.
        config: Map<String, Value>,
    },
    /// A system of the program that reads the file.
    BuiltIn {
        /// Its name.
        name: String,
    },
}

/// How a program gets its inputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Mode {
    /// One JSON line per sample, to a program that is started once per worker.
    Stream,
    /// A file per start.
    File {
        /// Samples per start.
        batch: NonZeroUsize,
    },
}

impl Source {
    /// A digest of what decides the outcomes, for [`store::Identity::settings`]: of the entries, and of the
    /// contents of all files that `command` names, seen from `folder`. A script that was changed gets
    /// another store; files that a script reads by itself are not known here.
    pub fn digest(&self, folder: &Path) -> String {
        let entries = serde_json::to_vec(self).unwrap_or_default();
        let mut parts = vec![entries];
        if let Self::Program { command, .. } = self {
            let files = command.iter().map(|part| folder.join(part));
            parts.extend(files.filter(|path| path.is_file()).filter_map(|p| std::fs::read(p).ok()));
        }
        let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
        safe_file::digest(&parts)
    }
}

/// The entries as they are written.
#[derive(Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Table {
    command: Option<Vec<String>>,
    mode: Option<ModeName>,
    batch: Option<NonZeroUsize>,
    um_bridge: Option<String>,
    name: Option<String>,
    config: Option<Map<String, Value>>,
    built_in: Option<String>,
    workers: Option<NonZeroU32>,
    timeout: Option<Limit>,
    retries: Option<u32>,
    crash_limit: Option<NonZeroU32>,
    on_failure: Option<OnFailure>,
}

#[derive(Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum ModeName {
    Stream,
    File,
}

impl TryFrom<Table> for ModelConfig {
    type Error = ProgramError;

    fn try_from(table: Table) -> Result<Self, ProgramError> {
        let run = RunConfig {
            workers: table.workers,
            timeout: table.timeout,
            retries: table.retries,
            crash_limit: table.crash_limit,
            on_failure: table.on_failure.unwrap_or_default(),
        };
        let without = |key: &'static str, present: bool, needed: &str| {
            if !present {
                return Ok(());
            }
            Err(ProgramError::Config { key, reason: format!("belongs only beside `{needed}`") })
        };
        let program = table.command.is_some();
        let server = table.um_bridge.is_some();
        if u8::from(program) + u8::from(server) + u8::from(table.built_in.is_some()) != 1 {
            let reason = "give exactly one of `command`, `um_bridge` and `built_in`".to_owned();
            return Err(ProgramError::Config { key: "model", reason });
        }
        without("mode", table.mode.is_some() && !program, "command")?;
        without(
            "batch",
            table.batch.is_some() && table.mode != Some(ModeName::File),
            "mode = \"file\"",
        )?;
        without("name", table.name.is_some() && !server, "um_bridge")?;
        without("config", table.config.is_some() && !server, "um_bridge")?;
        let source = if let Some(command) = table.command {
            let mode = match table.mode.unwrap_or(ModeName::Stream) {
                ModeName::Stream => Mode::Stream,
                ModeName::File => Mode::File { batch: table.batch.unwrap_or(NonZeroUsize::MIN) },
            };
            Source::Program { command, mode }
        } else if let Some(url) = table.um_bridge {
            let name = table.name.unwrap_or_else(|| "forward".to_owned());
            Source::UmBridge { url, name, config: table.config.unwrap_or_default() }
        } else {
            Source::BuiltIn { name: table.built_in.unwrap_or_default() }
        };
        Ok(Self { source, run })
    }
}

impl From<ModelConfig> for Table {
    fn from(config: ModelConfig) -> Self {
        let mut table = Self {
            workers: config.run.workers,
            timeout: config.run.timeout,
            retries: config.run.retries,
            crash_limit: config.run.crash_limit,
            on_failure: Some(config.run.on_failure),
            ..Self::default()
        };
        match config.source {
            Source::Program { command, mode } => {
                table.command = Some(command);
                table.mode = Some(ModeName::Stream);
                if let Mode::File { batch } = mode {
                    (table.mode, table.batch) = (Some(ModeName::File), Some(batch));
                }
            }
            Source::UmBridge { url, name, config } => {
                (table.um_bridge, table.name, table.config) = (Some(url), Some(name), Some(config));
            }
            Source::BuiltIn { name } => table.built_in = Some(name),
        }
        table
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn read(text: &str) -> Result<ModelConfig, String> {
        toml::from_str(text).map_err(|error| error.to_string())
    }

    #[test]
    fn the_entries_of_all_sources_are_read() {
        let config = read("command = ['python3', 'a.py']\nworkers = 8\ntimeout = '90s'\nretries = 2\non_failure = 'abort'").unwrap();
        let Source::Program { command, mode: Mode::Stream } = &config.source else { panic!() };
        assert_eq!(command, &["python3", "a.py"]);
        assert_eq!((config.run.workers(), config.run.retries()), (8, 2));
        assert_eq!(config.run.timeout(), Some(Duration::from_secs(90)));
        assert_eq!(config.run.on_failure(), OnFailure::Abort);
        let back: ModelConfig = toml::from_str(&toml::to_string(&config).unwrap()).unwrap();
        assert_eq!(back, config);

        let config = read("command = ['./a', '{in}']\nmode = 'file'\nbatch = 10").unwrap();
        assert!(
            matches!(config.source, Source::Program { mode: Mode::File { batch }, .. } if batch.get() == 10)
        );
        assert_eq!((config.run.retries(), config.run.crash_limit()), (1, 5));
        assert!(config.run.workers() >= 1 && config.run.timeout().is_none());

        let config = read("um_bridge = 'http://localhost:4242'\nconfig = { grid = 3 }").unwrap();
        let Source::UmBridge { name, config, .. } = config.source else { panic!() };
        assert_eq!((name.as_str(), &config["grid"]), ("forward", &Value::from(3)));
        let config = read("built_in = 'gcas'").unwrap();
        assert_eq!(config.source, Source::BuiltIn { name: "gcas".to_owned() });
    }

    #[test]
    fn entries_that_do_not_fit_are_refused_with_their_name() {
        for (text, part) in [
            ("", "exactly one"),
            ("command = ['a']\nbuilt_in = 'gcas'", "exactly one"),
            ("command = ['a']\ntimout = '9s'", "timout"),
            ("command = ['a']\ntimeout = 9", "string"),
            ("command = ['a']\ntimeout = '9'", "as in"),
            ("command = ['a']\nworkers = 0", "nonzero"),
            ("command = ['a']\nbatch = 2", "`batch`"),
            ("command = ['a']\nmode = 'files'", "files"),
            ("built_in = 'gcas'\nmode = 'file'", "`mode`"),
            ("built_in = 'gcas'\nname = 'x'", "`name`"),
            ("command = ['a']\non_failure = 'ignore'", "ignore"),
        ] {
            let error = read(text).unwrap_err();
            assert!(error.contains(part), "{text}: {error}");
        }
    }

    #[test]
    fn a_changed_script_has_another_digest() {
        let folder = tempfile::tempdir().unwrap();
        let command = vec!["sh".to_owned(), "run.sh".to_owned()];
        let source = Source::Program { command, mode: Mode::Stream };
        let digest = |text: &str| {
            std::fs::write(folder.path().join("run.sh"), text).unwrap();
            source.digest(folder.path())
        };
        assert_ne!(digest("one"), digest("two"));
        assert_eq!(digest("one"), digest("one"));
    }
}
