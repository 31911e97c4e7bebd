//! The systems of the paper.

use flow_core::{Device, FlowFile};
use nalgebra::DMatrix;
use sim_core::Simulator;

use crate::{experiment::Experiment, reference::Reference, simulators};

/// A system: its simulator, its failure regions and what is shipped for it.
pub struct System {
    /// Short name, as used on the command line.
    pub name: &'static str,
    simulator: &'static str,
    regions: Regions,
    experiment: &'static str,
    flow: &'static [u8],
    reference: Option<&'static [u8]>,
}

/// Where the points come from around which the failure ellipsoids are laid.
enum Regions {
    /// Given points, in standardised units.
    Given(fn() -> Vec<DMatrix<f64>>),
    /// Those of the first `rows` training outcomes that lie in a region of standardised space.
    Selected { rows: usize, conditions: &'static [fn(&[f64]) -> bool] },
}

/// All systems.
const SYSTEMS: &[System] = &[
    System {
        name: "robot",
        simulator: "robot",
        regions: Regions::Given(|| sim_toy::failure_regions().to_vec()),
        experiment: include_str!("../experiments/robot.toml"),
        flow: include_bytes!("../assets/robot.safetensors"),
        reference: None,
    },
    System {
        name: "racecar",
        simulator: "racecar",
        regions: Regions::Selected {
            rows: 50_000,
            conditions: &[
                // Far ahead, heading turned far left; steering hard right, far ahead.
                |z| z[0] > 0.0 && z[2] > 2.75,
                |z| z[6] < -2.25 && z[0] > 1.5,
            ],
        },
        experiment: include_str!("../experiments/racecar.toml"),
        flow: include_bytes!("../assets/racecar.safetensors"),
        reference: Some(include_bytes!("../assets/racecar-reference.safetensors")),
    },
    System {
        name: "f16",
        simulator: "f16",
        regions: Regions::Selected {
            rows: 10_000,
            // Nose too high; too low.
            conditions: &[|z| z[3] > 1.45, |z| z[10] < -2.45],
        },
        experiment: include_str!("../experiments/f16.toml"),
        flow: include_bytes!("../assets/f16.safetensors"),
        reference: Some(include_bytes!("../assets/f16-reference.safetensors")),
    },
];

impl System {
    /// Names of all systems.
    pub fn names() -> impl Iterator<Item = &'static str> {
        SYSTEMS.iter().map(|system| system.name)
    }

    /// The system of that name.
    ///
    /// # Errors
    /// When there is none; the message lists those there are.
    pub fn by_name(name: &str) -> anyhow::Result<&'static Self> {
        SYSTEMS.iter().find(|system| system.name == name).ok_or_else(|| {
            let names: Vec<&str> = Self::names().collect();
            anyhow::anyhow!("no system is called `{name}`; there is {}", names.join(", "))
        })
    }

    /// Its simulator.
    ///
    /// # Panics
    /// When there is no such simulator, which a test rules out.
    pub fn simulator(&self) -> Box<dyn Simulator> {
        simulators::by_name(self.simulator).expect("every system has its simulator")
    }

    /// Points around which the failure ellipsoids are laid, one set a region, in standardised
    /// units, each `[d, n]`.
    ///
    /// # Shapes
    /// - `training`: `[d, n]`, standardised training outcomes; regions that are given need none
    ///
    /// # Errors
    /// When too few training outcomes lie in a region to enclose them.
    pub fn failure_regions(&self, training: &DMatrix<f64>) -> anyhow::Result<Vec<DMatrix<f64>>> {
        match &self.regions {
            Regions::Given(points) => Ok(points()),
            Regions::Selected { rows, conditions } => {
                let rows = training.columns(0, (*rows).min(training.ncols()));
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

    /// The shipped reference; `None` where it is simulated every time.
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
    /// When the shipped file is wrong, which a test rules out.
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
