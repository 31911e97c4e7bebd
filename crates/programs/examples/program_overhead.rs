//! Measures what an evaluation costs beside the model: as a program in mode `stream`, with and without a store,
//! in mode `file`, and over UM-Bridge.
//!
//! `cargo run --release -p programs --example program_overhead`

use std::{
    error::Error,
    io::{BufRead, Write},
    thread,
    time::Instant,
};

use inputs::{Inputs, Normal};
use nalgebra::DMatrix;
use programs::{ModelConfig, OutputsConfig, ProgramModel, ServedFn, Server, UmBridgeModel};
use sim_core::{Feature, Model};
use store::{Identity, Memo, Store};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().collect();
    match &arguments[..] {
        [_, mode] if mode == "answer" => answer(),
        [_, mode, from, to] if mode == "file" => file(from, to),
        _ => measure(),
    }
}

/// The program in mode `stream`: answers 1.
fn answer() -> Result<(), Box<dyn Error>> {
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let request: serde_json::Value = serde_json::from_str(&line?)?;
        let reply = format!("{{\"id\": {}, \"outputs\": {{\"y\": 1.0}}}}\n", request["id"]);
        out.write_all(reply.as_bytes())?;
        out.flush()?;
    }
    Ok(())
}

/// The program in mode `file`.
fn file(from: &str, to: &str) -> Result<(), Box<dyn Error>> {
    let rows = std::fs::read_to_string(from)?.lines().count() - 1;
    Ok(std::fs::write(to, format!("y\n{}", "1.0\n".repeat(rows)))?)
}

fn measure() -> Result<(), Box<dyn Error>> {
    let normal = Normal::new(0.0, 1.0)?;
    let inputs = Inputs::builder().input("a", "1", normal).input("b", "1", normal).build()?;
    let outputs = OutputsConfig::new(vec![Feature::new("y", "1")])?;
    let me = std::env::current_exe()?.display().to_string();
    let time = |what: &str, model: &dyn Model, n: usize| -> Result<(), Box<dyn Error>> {
        let w = DMatrix::from_fn(2, n, |i, j| (i + 2 * j) as f64);
        let seeds = vec![1; n];
        // Starts the workers.
        model.evaluate(DMatrix::from_element(2, 16, -1.0).as_view(), &[2; 16])?;
        let begin = Instant::now();
        let done = model.evaluate(w.as_view(), &seeds)?;
        let micros = begin.elapsed().as_secs_f64() * 1e6 / n as f64;
        assert!(done.statuses.iter().all(sim_core::Status::is_done));
        println!("{what}: {micros:.1} us per evaluation");
        Ok(())
    };
    for workers in [1, 2] {
        let config = format!("command = ['{me}', 'answer']\nworkers = {workers}");
        let config: ModelConfig = toml::from_str(&config)?;
        let model = || ProgramModel::new("echo", &config, None, inputs.clone(), outputs.clone());
        time(&format!("stream, {workers} workers"), &model()?, 50_000)?;
        let folder = std::env::temp_dir().join("overhead-programs.store");
        let _ = std::fs::remove_dir_all(&folder);
        let model = model()?;
        let store = Store::open(&folder, &Identity::of(&model, ""))?;
        let memo = Memo::each(model, store);
        time(&format!("stream, {workers} workers, with a store"), &memo, 50_000)?;
        drop(memo);
        std::fs::remove_dir_all(&folder)?;
    }
    for batch in [1, 1000] {
        let config = format!(
            "command = ['{me}', 'file', '{{in}}', '{{out}}']\nmode = 'file'\nworkers = 2\nbatch = {batch}"
        );
        let config: ModelConfig = toml::from_str(&config)?;
        let model = ProgramModel::new("echo", &config, None, inputs.clone(), outputs.clone())?;
        time(&format!("file, 2 workers, batch {batch}"), &model, 1000 + 20 * batch)?;
    }
    let served = ServedFn::new("forward", vec![2], vec![1], |_, _| Ok(vec![vec![1.0]]));
    let server = Server::bind("127.0.0.1:0", vec![Box::new(served)])?;
    let (address, stop) = (server.address(), server.stop());
    let running = thread::spawn(move || server.run());
    for workers in [1, 2] {
        let config = format!("um_bridge = 'http://{address}'\nworkers = {workers}");
        let config: ModelConfig = toml::from_str(&config)?;
        let model = UmBridgeModel::connect("remote", &config, inputs.clone(), outputs.clone())?;
        time(&format!("UM-Bridge, {workers} workers"), &model, 20_000)?;
    }
    stop.stop();
    running.join().map_err(|_| "the server panicked".into())
}
