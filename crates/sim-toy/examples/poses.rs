//! Draws paths and final positions of the robot: `cargo run --release -p sim-toy --example poses`.
//!
//! Writes `docs/poses.svg` of this crate, or the file named as the first argument. The picture on the
//! front page of the crate was made with it.

use std::fmt::Write;

use sim_core::Simulator;
use sim_toy::{REFERENCE_MEAN, REFERENCE_SD, Robot, failure_regions};

/// Paths drawn as lines.
const PATHS: u64 = 40;
/// Final positions drawn as points.
const POSES: usize = 2000;
/// Pixels per metre.
const SCALE: f64 = 2.0;

/// Returns whether a pose lies in one of the balls around the failure regions.
fn fails(pose: &[f64]) -> bool {
    failure_regions().iter().any(|corners| {
        let center = corners.column_mean();
        let squared = |i: usize| {
            let z = (pose[i] - REFERENCE_MEAN[i]) / REFERENCE_SD[i];
            (z - center[i]).powi(2)
        };
        (0..3).map(squared).sum::<f64>() <= 0.75
    })
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let robot = Robot::default();
    let poses = robot.simulate(POSES, 0);
    let (width, height) = (640.0, 450.0);
    let place = |x: f64, y: f64| (width / 2.0 + SCALE * (x - 45.0), height - SCALE * (y + 54.0));
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
         width=\"{width}\" height=\"{height}\" role=\"img\" \
         aria-label=\"Paths and final positions of the robot\">\n"
    );
    for i in 0..PATHS {
        let path = robot.rollout(0, i);
        svg.push_str(
            "<polyline fill=\"none\" stroke=\"#4878cf\" stroke-opacity=\"0.35\" points=\"",
        );
        for pose in &path.poses {
            let (x, y) = place(pose.x, pose.y);
            write!(svg, "{x:.0},{y:.0} ")?;
        }
        svg.push_str("\"/>\n");
    }
    let mut failures = 0;
    for pose in poses.column_iter() {
        let (x, y) = place(pose[0], pose[1]);
        let failure = fails(pose.as_slice());
        failures += usize::from(failure);
        let (radius, color) = if failure { (3, "#c4321c") } else { (1, "#777") };
        writeln!(svg, "<circle cx=\"{x:.0}\" cy=\"{y:.0}\" r=\"{radius}\" fill=\"{color}\"/>")?;
    }
    svg.push_str("</svg>\n");

    let default = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/poses.svg");
    let path = std::env::args_os().nth(1).map_or(default, Into::into);
    safe_file::write(&path, svg)?;
    println!("{failures} of {POSES} runs fail: {}", path.display());
    Ok(())
}
