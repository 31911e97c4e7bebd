//! Evaluates a model with inputs `a` and `b` and outputs `sum` and `product` at a few points. The argument holds
//! the entries of `[model]`.
//!
//! `cargo run -p programs --example ask "um_bridge = 'http://localhost:4242'"`

use std::error::Error;

use inputs::{Inputs, Normal};
use programs::{ModelConfig, OutputsConfig, ProgramModel, Source, UmBridgeModel};
use sim_core::{Feature, Model};

fn main() -> Result<(), Box<dyn Error>> {
    let entries = std::env::args().nth(1).ok_or("give the entries of [model]")?;
    let config: ModelConfig = toml::from_str(&entries)?;
    let normal = Normal::new(0.0, 1.0)?;
    let inputs = Inputs::builder().input("a", "1", normal).input("b", "1", normal).build()?;
    let features = ["sum", "product"].map(|name| Feature::new(name, "1")).to_vec();
    let outputs = OutputsConfig::new(features)?;
    let model: Box<dyn Model> = match config.source {
        Source::UmBridge { .. } => {
            Box::new(UmBridgeModel::connect("asked", &config, inputs, outputs)?)
        }
        _ => Box::new(ProgramModel::new("asked", &config, None, inputs, outputs)?),
    };
    let w = nalgebra::dmatrix![0.5, 1.0, -1.0, 1e-300; 0.25, 3.0, 2.0, 1e300];
    let done = model.evaluate(w.as_view(), &[1, 2, 3, u64::MAX])?;
    for (i, status) in done.statuses.iter().enumerate() {
        println!(
            "{:?} -> {:?} {status:?}",
            w.column(i).as_slice(),
            done.outputs.column(i).as_slice()
        );
    }
    Ok(())
}
