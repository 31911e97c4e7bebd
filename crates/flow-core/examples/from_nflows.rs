//! Log-densities of points under a flow that `nflows` trained.
//!
//! `cargo run -p flow-core --example from_nflows -- WEIGHTS CONFIG < POINTS`: weights as `.pt` or
//! `.safetensors`, the configuration as JSON, the coordinates of the points separated by white space.
//! Prints one log-density per line. `benches/peers/from_nflows.py` compares them with those of `nflows`.

use std::{error::Error, fs, io};

use flow_core::{Flow, FlowConfig};
use nalgebra::DMatrix;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    let [_, weights, config] = &arguments[..] else { return Err("usage: WEIGHTS CONFIG".into()) };
    let config: FlowConfig = serde_json::from_str(&fs::read_to_string(config)?)?;
    let flow = Flow::from_nflows(weights, &config)?;

    let text = io::read_to_string(io::stdin())?;
    let numbers = text.split_whitespace().map(str::parse).collect::<Result<Vec<f64>, _>>()?;
    let d = config.features();
    if numbers.len() % d != 0 {
        return Err(format!("{} numbers are not points of {d} features", numbers.len()).into());
    }
    let x = DMatrix::from_vec(d, numbers.len() / d, numbers);
    for ln_p in flow.ln_pdf(x.as_view())?.iter() {
        println!("{ln_p}");
    }
    Ok(())
}
