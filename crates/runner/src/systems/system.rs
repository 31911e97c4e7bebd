//! The systems by name. All commands use this list.

use flow_core::{Device, FlowFile, bijection::Standardise};
use nalgebra::{DMatrix, DMatrixView};
use sim_core::{Model, Simulator};
use sim_gcas::Gcas;
use sim_racing::Racing;
use sim_toy::Robot;

use crate::systems::{experiment::Experiment, reference::Reference};

/// A system: its simulator, its failure regions, and the experiment, flow and reference that are
/// shipped with this program.
pub struct System {
    /// Short name, as used on the command line.
    pub name: &'static str,
    /// An older name that the command line still accepts.
    alias: Option<&'static str>,
    simulator: fn() -> Box<dyn Simulator>,
    model: fn() -> Box<dyn Model>,
    regions: Regions,
    experiment: &'static str,
    flow: &'static [u8],
    reference: Option<&'static [u8]>,
}

/// Where the points come from that the failure ellipsoids enclose.
enum Regions {
    /// Fixed points, in standardised units.
    Given(fn() -> Vec<DMatrix<f64>>),
    /// For each condition, those of the first `rows` training outcomes that meet it, in standardised
    /// units.
    Selected { rows: usize, conditions: &'static [fn(&[f64]) -> bool] },
}

/// All systems.
const SYSTEMS: &[System] = &[
    System {
        name: "robot",
        alias: None,
        simulator: || Box::new(Robot::default()),
        model: || Box::new(Robot::default()),
        regions: Regions::Given(|| sim_toy::failure_regions().to_vec()),
        experiment: include_str!("../../experiments/robot.toml"),
        flow: include_bytes!("../../assets/robot.safetensors"),
        reference: None,
    },
    System {
        name: "racecar",
        alias: Some("racing"),
        simulator: || Box::new(Racing::default()),
        model: || Box::new(Racing::default()),
        regions: Regions::Selected {
            rows: 50_000,
            conditions: &[
                // Far ahead with the heading turned far left; steering hard right and far ahead.
                |x_std| x_std[0] > 0.0 && x_std[2] > 2.75,
                |x_std| x_std[6] < -2.25 && x_std[0] > 1.5,
            ],
        },
        experiment: include_str!("../../experiments/racecar.toml"),
        flow: include_bytes!("../../assets/racecar.safetensors"),
        reference: Some(include_bytes!("../../assets/racecar-reference.safetensors")),
    },
    System {
        name: "f16",
        alias: Some("gcas"),
        simulator: || Box::new(Gcas::default()),
        model: || Box::new(Gcas::default()),
        regions: Regions::Selected {
            rows: 10_000,
            // Nose too high; too low.
            conditions: &[|x_std| x_std[3] > 1.45, |x_std| x_std[10] < -2.45],
        },
        experiment: include_str!("../../experiments/f16.toml"),
        flow: include_bytes!("../../assets/f16.safetensors"),
        reference: Some(include_bytes!("../../assets/f16-reference.safetensors")),
    },
];

impl System {
    /// Names of all systems.
    pub fn names() -> impl Iterator<Item = &'static str> {
        SYSTEMS.iter().map(|system| system.name)
    }

    /// The system called `name`.
    ///
    /// # Errors
    /// When there is no such system; the message lists all names.
    pub fn by_name(name: &str) -> anyhow::Result<&'static Self> {
        let found = |system: &&System| system.name == name || system.alias == Some(name);
        SYSTEMS.iter().find(found).ok_or_else(|| {
            let names: Vec<&str> = Self::names().collect();
            anyhow::anyhow!("no system is called `{name}`; the systems are {}", names.join(", "))
        })
    }

    /// The simulator with its default parameters.
    pub fn simulator(&self) -> Box<dyn Simulator> {
        (self.simulator)()
    }

    /// The system as a function of named random inputs, with its default parameters.
    pub fn model(&self) -> Box<dyn Model> {
        (self.model)()
    }

    /// Names of the features, `[d]`.
    pub fn feature_names(&self) -> Vec<String> {
        self.simulator().features().iter().map(|feature| feature.name().to_owned()).collect()
    }

    /// The points that the failure ellipsoids enclose, one set `[d, n]` per region, in standardised
    /// units.
    ///
    /// # Shapes
    /// - `training`: `[d, n]`, training outcomes in physical units; fixed regions need none
    ///
    /// # Errors
    /// When too few training outcomes lie in a region to enclose them.
    pub fn failure_regions(
        &self,
        training: DMatrixView<'_, f64>,
        moments: &Standardise,
    ) -> anyhow::Result<Vec<DMatrix<f64>>> {
        match &self.regions {
            Regions::Given(points) => Ok(points()),
            Regions::Selected { rows, conditions } => {
                let rows = moments.apply(training.columns(0, (*rows).min(training.ncols())));
                let select = |condition: &fn(&[f64]) -> bool| {
                    let inside = |j: &usize| condition(rows.column(*j).as_slice());
                    let columns: Vec<usize> = (0..rows.ncols()).filter(inside).collect();
                    anyhow::ensure!(
                        columns.len() > rows.nrows(),
                        "only {} of {} training outcomes lie in a failure region of `{}`; an \
                         ellipsoid in {} dimensions needs more",
                        columns.len(),
                        rows.ncols(),
                        self.name,
                        rows.nrows()
                    );
                    Ok(rows.select_columns(&columns))
                };
                conditions.iter().map(select).collect()
            }
        }
    }

    /// The shipped reference; `None` for a system whose reference is simulated in every run.
    ///
    /// # Errors
    /// When the shipped file is damaged.
    pub fn shipped_reference(&self) -> anyhow::Result<Option<Reference>> {
        let read = |bytes| Reference::from_bytes(bytes, &format!("reference of {}", self.name));
        self.reference.map(read).transpose()
    }

    /// The shipped experiment.
    ///
    /// # Panics
    /// When the shipped file is invalid; a test excludes that.
    pub fn experiment(&self) -> Experiment {
        Experiment::parse(self.experiment, self.name).expect("the shipped experiment is valid")
    }

    /// The shipped flow.
    ///
    /// # Errors
    /// When the device cannot hold it.
    pub fn shipped_flow(&self, device: &Device) -> Result<FlowFile, flow_core::FlowError> {
        FlowFile::from_bytes(self.flow, format!("shipped flow of {}", self.name), device)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_and_alias_finds_its_system() {
        for (name, expected) in [
            ("robot", "robot"),
            ("racecar", "racecar"),
            ("racing", "racecar"),
            ("f16", "f16"),
            ("gcas", "f16"),
        ] {
            assert_eq!(System::by_name(name).unwrap().name, expected);
        }
        let error = System::by_name("rocket").err().unwrap().to_string();
        assert!(error.contains("`rocket`") && error.contains("robot, racecar, f16"), "{error}");
    }
}
