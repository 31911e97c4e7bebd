//! Draws target space and latent space of the robot side by side, failures marked.
//!
//!     cargo run --release -p latent-is --example latent_picture -- FILE.svg
//!
//! The flow and the failures are those of the example `latent_space`.

mod panel;

use flow_core::{FlowConfig, TrainSettings, default_device, fit};
use nalgebra::DMatrix;
use panel::{Mark, Panel};
use sim_core::Simulator;
use sim_toy::Robot;

/// Centres of the obstacles, in m, and their radius.
const OBSTACLES: [(f64, f64); 2] = [(-60.0, -30.0), (110.0, -70.0)];
const RADIUS: f64 = 20.0;
/// Outcomes shown in grey.
const SHOWN: usize = 1500;
/// Outcomes simulated to find failures, and failures shown per obstacle.
const SEARCHED: usize = 200_000;
const FAILURES: usize = 60;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let path = std::env::args().nth(1).unwrap_or_else(|| "latent-space.svg".to_owned());
    let outcomes = Robot::default().simulate(20_000, 1);
    let config = FlowConfig::builder(3).hidden(32).steps(6).build()?;
    let settings = TrainSettings::builder().epochs(12).learning_rate(2e-3).build()?;
    let flow = fit(outcomes.as_view(), &config, &settings, &default_device(), &mut ())?.flow;

    let plain: DMatrix<f64> = outcomes.columns(0, SHOWN).into();
    let more = Robot::default().simulate(SEARCHED, 2);
    let mut target =
        Panel::new("target space", ("x (m)", "y (m)"), (-170.0, 210.0), (-150.0, 230.0));
    let mut latent = Panel::new("latent space", ("u₁", "u₂"), (-4.5, 4.5), (-4.5, 4.5));
    target.points(&plain, Mark::Outcome);
    latent.points(&flow.encode(plain.as_view())?.points, Mark::Outcome);
    for (centre, mark) in OBSTACLES.into_iter().zip([Mark::FirstFailure, Mark::SecondFailure]) {
        let failing: Vec<usize> = (0..SEARCHED)
            .filter(|j| (more[(0, *j)] - centre.0).hypot(more[(1, *j)] - centre.1) <= RADIUS)
            .take(FAILURES)
            .collect();
        let failures = more.select_columns(&failing);
        target.circle(centre, RADIUS);
        target.points(&failures, mark);
        latent.points(&flow.encode(failures.as_view())?.points, mark);
    }
    for radius in [1.0, 2.0, 3.0, 4.0] {
        latent.circle((0.0, 0.0), radius);
    }
    safe_file::write(path.as_ref(), panel::side_by_side(&[target, latent]))?;
    println!("{path}");
    Ok(())
}
