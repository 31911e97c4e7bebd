//! Draws the track with one drive and where 600 drives end:
//! `cargo run --release -p sim-racing --example lap`.
//!
//! The drive is the first of seed 0, continued for a whole lap. Writes `docs/lap.svg` of this crate, or the
//! file named as the first argument; the front page of the crate and the book show the picture.

mod chart;

use chart::Chart;
use sim_core::Simulator;
use sim_racing::{Racing, RacingParams, index};

/// Control steps of the lap drawn.
const LAP: usize = 570;
/// Final states drawn.
const ENDS: usize = 600;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let racing = Racing::default();
    let params = RacingParams { steps: LAP, ..RacingParams::default() };
    let drive = Racing::new(params)?.rollout(0, 0);
    let ends = racing.simulate(ENDS, 0);

    let mut chart =
        Chart::new(racing.params().track.vertices(), racing.params().track.half_width());
    for end in ends.column_iter() {
        chart.dot([end[index::X], end[index::Y]], "#0b5fa5");
    }
    let mut before = drive.start;
    for (k, record) in drive.records.iter().enumerate() {
        let state = record.state;
        let speed = state[index::U].hypot(state[index::V]);
        chart.segment(
            [before[index::X], before[index::Y]],
            [state[index::X], state[index::Y]],
            &color(speed),
        );
        if (k + 1) % 100 == 0 {
            let seconds = format!("{} s", (k + 1) / 10);
            chart.label([state[index::X], state[index::Y]], &seconds);
        }
        before = state;
    }
    for speed in [10.0, 15.0, 20.0, 25.0, 30.0] {
        chart.key(&format!("{speed:.0} m/s"), &color(speed));
    }

    let manifest = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let default = manifest.join("docs/lap.svg");
    let path = std::env::args_os().nth(1).map_or(default, Into::into);
    safe_file::write(&path, chart.svg())?;
    let fastest = drive.records.iter().map(|r| r.state[index::U]).fold(0.0, f64::max);
    println!("fastest {fastest:.1} m/s, end {:.1?}: {}", drive.end(), path.display());
    Ok(())
}

/// From blue at 10 m/s over grey to red at 30 m/s.
fn color(speed: f64) -> String {
    let t = ((speed - 10.0) / 20.0).clamp(0.0, 1.0);
    let mix = |slow: f64, mean: f64, fast: f64| {
        let value = if t < 0.5 {
            slow + (mean - slow) * 2.0 * t
        } else {
            mean + (fast - mean) * (2.0 * t - 1.0)
        };
        value as u8
    };
    let [r, g, b] = [mix(20.0, 150.0, 210.0), mix(70.0, 150.0, 40.0), mix(200.0, 150.0, 20.0)];
    format!("#{r:02x}{g:02x}{b:02x}")
}
