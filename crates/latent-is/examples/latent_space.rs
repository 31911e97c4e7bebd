//! From outcomes to a failure probability: a flow, a criterion, importance sampling in latent space.
//!
//!     cargo run --release -p latent-is --example latent_space

use flow_core::{FlowConfig, TrainSettings, default_device, fit};
use latent_is::latent::ComposedLimitState;
use latent_is::{Adaptive, Estimator, FlowTransport, FnLimitState, StandardNormal, Units};
use sim_core::Simulator;
use sim_toy::Robot;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Outcomes of a simulator, one per column: final poses (x, y, theta) of a robot, in m and rad.
    let outcomes = Robot::default().simulate(20_000, 1);

    // A flow x = T(u) learns their distribution; u is standard normal.
    let config = FlowConfig::builder(3).hidden(32).steps(6).build()?;
    let settings = TrainSettings::builder().epochs(12).learning_rate(2e-3).build()?;
    let flow = fit(outcomes.as_view(), &config, &settings, &default_device(), &mut ())?.flow;

    // Failure: the robot ends within 20 m of either of two obstacles.
    let distance = |x: &[f64], a: f64, b: f64| (x[0] - a).hypot(x[1] - b);
    let g = FnLimitState::new(3, |x: &[f64]| {
        distance(x, -60.0, -30.0).min(distance(x, 110.0, -70.0)) - 20.0
    });

    // The probability, by importance sampling in the latent space of the flow.
    let latent_g = ComposedLimitState::new(&g, FlowTransport::new(flow, Units::Raw))?;
    let estimate = Adaptive::default().estimate(&StandardNormal::new(3), &latent_g, 7)?;
    let interval = estimate.interval(0.95);
    println!("P = {:.2e} [{:.2e}, {:.2e}]", estimate.pf(), interval.lower(), interval.upper());
    println!("{} evaluations. {}", estimate.counts.evaluations, estimate.verdict());
    Ok(())
}
