//! The model file.

use std::path::{Path, PathBuf};

use anyhow::Context;
use inputs::Inputs;
use programs::{
    ModelConfig, OutputsConfig, ProgramModel, RunConfig, Source as SourceConfig, UmBridgeModel,
};
use serde::Deserialize;
use toml::Spanned;

use crate::{
    models::{
        open::OpenModel,
        other_inputs::OtherInputs,
        source::{Kind, Source},
    },
    output::toml_error::toml_error,
    systems::system::System,
};

/// The entries as they are written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entries {
    model: Spanned<ModelConfig>,
    inputs: Option<Spanned<Inputs>>,
    outputs: Option<Spanned<OutputsConfig>>,
}

/// A model file that was read. Nothing of the model runs yet.
pub struct ModelFile {
    path: PathBuf,
    text: String,
    entries: Entries,
}

impl ModelFile {
    /// Reads the file at `path`.
    ///
    /// # Errors
    /// When it cannot be read, and as [`parse`](Self::parse).
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let origin = path.display();
        let text =
            std::fs::read_to_string(path).with_context(|| format!("cannot read {origin}"))?;
        Self::parse(text, path)
    }

    /// Reads a model file from text; `path` is where it would be.
    ///
    /// # Errors
    /// Names the line of invalid TOML, of an unknown key, of a distribution with bad parameters, and of a
    /// table that does not belong there or is missing.
    pub fn parse(text: impl Into<String>, path: &Path) -> anyhow::Result<Self> {
        let text = text.into();
        let entries: Entries = toml::from_str(&text)
            .map_err(|error| toml_error(&error, &text, &format!("model {}", path.display()), ""))?;
        let file = Self { path: path.to_owned(), text, entries };
        let built_in = matches!(file.config().source, SourceConfig::BuiltIn { .. });
        let Entries { inputs, outputs, model } = &file.entries;
        for (name, span) in [
            ("inputs", inputs.as_ref().map(Spanned::span)),
            ("outputs", outputs.as_ref().map(Spanned::span)),
        ] {
            match span {
                // Its inputs may be changed.
                Some(span) if built_in && name == "outputs" => {
                    let message = "a built-in system has its own outputs; remove [outputs]";
                    return Err(file.at(span.start, message));
                }
                None if !built_in => {
                    let message =
                        format!("the model has no table [{name}]; write one with its {name}");
                    return Err(file.at(model.span().start, &message));
                }
                _ => {}
            }
        }
        Ok(file)
    }

    /// The text of the file.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The path of the file, from the root.
    pub fn absolute_path(&self) -> PathBuf {
        std::path::absolute(&self.path).unwrap_or_else(|_| self.path.clone())
    }

    /// How the model is run.
    pub fn run(&self) -> &RunConfig {
        &self.config().run
    }

    /// The table `[model]`.
    pub fn config(&self) -> &ModelConfig {
        self.entries.model.get_ref()
    }

    /// Where the evaluations are kept: in `DIR` if it is given, otherwise in `NAME.store` beside the model
    /// file. A built-in system has no store unless one is given: to run it again is as fast.
    pub fn store_folder(&self, given: Option<&Path>) -> Option<PathBuf> {
        match (given, &self.config().source) {
            (Some(folder), _) => Some(folder.to_owned()),
            (None, SourceConfig::BuiltIn { .. }) => None,
            (None, _) => Some(self.path.with_extension("store")),
        }
    }

    /// Opens the model, with a store in `store`.
    ///
    /// # Errors
    /// When the model cannot be used (no such system, no server, a command without `{in}`), or the store
    /// belongs to another model or process.
    pub fn open(&self, store: Option<&Path>) -> anyhow::Result<OpenModel> {
        let kind = self.kind()?;
        let settings = format!("{}, {}", self.config().source.digest(&self.folder()), built(&kind));
        OpenModel::new(Source::new(kind), store, settings)
    }

    fn kind(&self) -> anyhow::Result<Kind> {
        let (config, name) = (self.config(), self.name());
        let given = || {
            let Entries { inputs, outputs, .. } = &self.entries;
            let inputs = inputs.as_ref().context("the model has no [inputs]")?.get_ref().clone();
            let outputs = outputs.as_ref().context("the model has no [outputs]")?.get_ref().clone();
            anyhow::Ok((inputs, outputs))
        };
        let kind = match &config.source {
            SourceConfig::BuiltIn { name } => {
                let system = System::by_name(name).map_err(|error| self.at_model(&error))?;
                let model = system.model();
                let Some(changes) = &self.entries.inputs else { return Ok(Kind::BuiltIn(model)) };
                let changed = OtherInputs::new(model, changes.get_ref())
                    .map_err(|error| self.at(changes.span().start, &error.to_string()))?;
                return Ok(Kind::BuiltIn(Box::new(changed)));
            }
            SourceConfig::Program { .. } => {
                let (inputs, outputs) = given()?;
                ProgramModel::new(name, config, Some(&self.folder()), inputs, outputs)
                    .map(Kind::Program)
            }
            SourceConfig::UmBridge { .. } => {
                let (inputs, outputs) = given()?;
                UmBridgeModel::connect(name, config, inputs, outputs).map(Kind::Server)
            }
            other => anyhow::bail!("{}: this program has no {other:?}", self.path.display()),
        };
        kind.map_err(|error| self.at_model(&error.into()))
    }

    /// The name of the file without its ending.
    fn name(&self) -> String {
        self.path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
    }

    /// The folder of the file, in which its program runs.
    fn folder(&self) -> PathBuf {
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new("."));
        std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned())
    }

    /// An error of the table `[model]`.
    fn at_model(&self, error: &anyhow::Error) -> anyhow::Error {
        self.at(self.entries.model.span().start, &format!("{error:#}"))
    }

    /// An error at the line of byte `begin`.
    fn at(&self, begin: usize, message: &str) -> anyhow::Error {
        let line = self.text.get(..begin).unwrap_or_default().matches('\n').count() + 1;
        anyhow::anyhow!("model {}, line {line}: {message}", self.path.display())
    }
}

/// What decides the outcomes of a model besides its settings: for a built-in system, this program.
fn built(kind: &Kind) -> &'static str {
    match kind {
        Kind::BuiltIn(_) => env!("CARGO_PKG_VERSION"),
        _ => "external",
    }
}

#[cfg(test)]
mod tests {
    use sim_core::Model;

    use super::*;
    use crate::output::terminal;

    const GOOD: &str = "[model]\ncommand = [\"true\"]\n[inputs]\nspeed = { normal = { mean = 20.0, sd = 2.5 } }\n[outputs]\nnames = [\"distance\"]\n";

    #[test]
    fn a_built_in_system_needs_no_more_than_its_name() {
        for (name, inputs, outputs) in [("f16", 5, 12), ("gcas", 5, 12), ("robot", 121, 3)] {
            let text = format!("[model]\nbuilt_in = \"{name}\"\n");
            let file = ModelFile::parse(text, Path::new("m.toml")).unwrap();
            assert_eq!(file.store_folder(None), None);
            let model = file.open(None).unwrap();
            assert_eq!((model.inputs().len(), model.outputs().len()), (inputs, outputs));
        }
        let lower = "[model]\nbuilt_in = \"f16\"\n[inputs]\naltitude = { normal = { mean = 900, sd = 40 } }\n";
        let model = ModelFile::parse(lower, Path::new("m.toml")).unwrap().open(None).unwrap();
        assert!((model.inputs().mean()[4] - 900.0).abs() < 1e-9);
        let file = ModelFile::parse(GOOD, Path::new("a/m.toml")).unwrap();
        assert_eq!(file.store_folder(None).unwrap(), Path::new("a/m.store"));
        assert_eq!(file.store_folder(Some(Path::new("b"))).unwrap(), Path::new("b"));
    }

    #[test]
    fn mistakes_are_shown_with_their_line() {
        let message = |text: &str| {
            let file = ModelFile::parse(text, Path::new("m.toml"));
            let error = file.and_then(|file| file.open(None)).err().unwrap();
            terminal::message(&error, false)
        };
        let cases = [
            ("[model]\nbuilt_in = \"rocket\"\n", "line 1: no system is called `rocket`"),
            (
                "[model]\nbuilt_in = \"f16\"\n[inputs]\nx = { normal = { mean = 0, sd = 1 } }\n",
                "line 3: there is no input `x`; the inputs are airspeed, angle_of_attack, roll,",
            ),
            (
                "[model]\nbuilt_in = \"f16\"\n[inputs]\naltitude = { constant = { value = 900 }, unit = \"m\" }\n",
                "line 3: `altitude` is in ft, not in m",
            ),
            (
                "[model]\nbuilt_in = \"f16\"\n[outputs]\nnames = [\"h\"]\n",
                "line 3: a built-in system has its own outputs",
            ),
            ("\n[model]\ncommand = [\"true\"]\n", "line 2: the model has no table [inputs]"),
            ("[model]\ncomand = [\"true\"]\n", "line 2: unknown field `comand`"),
            ("[model]\ncommand = [\"true\"]\n[input]\n", "line 3: unknown field `input`"),
            (&GOOD.replace("2.5", "-2.5"), "line 4"),
            (&GOOD.replace("sd = 2.5", "sdd = 2.5"), "line 4: input `speed`: unknown field `sdd`"),
            (&GOOD.replace("normal =", "norml ="), "line 4"),
            (&GOOD.replace("[\"distance\"]", "[]"), "name at least one output"),
            (&GOOD.replace("[\"true\"]", "[\"true\"]\nmode = \"file\""), "line 1: `command`"),
            (&GOOD.replace("[\"true\"]", "[\"true\"]\ntimeout = 9"), "line 3: invalid type"),
            ("[model\n", "line 1"),
        ];
        for (text, expected) in cases {
            let message = message(text);
            assert!(message.contains("m.toml") && message.contains(expected), "{message}");
            assert!(!message.contains('\n'), "{message}");
        }
    }
}
