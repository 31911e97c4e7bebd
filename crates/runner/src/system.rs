//! The systems of the paper.

use flow_core::{Device, FlowFile};
use latent_is::Simulator;
use nalgebra::DMatrix;

use crate::{experiment::Experiment, simulators};

/// A system: its simulator, its failure regions and what is shipped for it.
pub struct System {
    /// Short name, as used on the command line.
    pub name: &'static str,
    failure_regions: fn() -> Vec<DMatrix<f64>>,
    experiment: &'static str,
    flow: &'static [u8],
}

/// All systems.
const SYSTEMS: &[System] = &[System {
    name: "robot",
    failure_regions: || sim_toy::failure_regions().to_vec(),
    experiment: include_str!("../experiments/robot.toml"),
    flow: include_bytes!("../assets/robot.safetensors"),
}];

impl System {
    /// The system of that name.
    ///
    /// # Errors
    /// When there is none; the message lists those there are.
    pub fn by_name(name: &str) -> anyhow::Result<&'static Self> {
        SYSTEMS.iter().find(|system| system.name == name).ok_or_else(|| {
            let names: Vec<&str> = SYSTEMS.iter().map(|system| system.name).collect();
            anyhow::anyhow!("no system is called `{name}`; there is {}", names.join(", "))
        })
    }

    /// Its simulator.
    ///
    /// # Panics
    /// When no simulator has the system's name, which a test rules out.
    pub fn simulator(&self) -> Box<dyn Simulator> {
        simulators::by_name(self.name).expect("every system has a simulator of its name")
    }

    /// Points around which the failure ellipsoids are laid, one set a region, in standardised
    /// units, each `[d, n]`.
    pub fn failure_regions(&self) -> Vec<DMatrix<f64>> {
        (self.failure_regions)()
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
