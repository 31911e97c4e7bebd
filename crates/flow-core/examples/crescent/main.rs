//! Trains a flow on a crescent in the plane and draws the result.
//!
//! `cargo run --release -p flow-core --example crescent [FILE]` writes an SVG, by default
//! `target/flow-core/crescent.svg`. The picture in the documentation was made with it.

mod picture;

use std::path::PathBuf;

use flow_core::{
    FlowConfig, Health, TrainSettings, default_device, fit,
    train::{Epoch, Schedule, TrainingObserver},
};
use nalgebra::DMatrix;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let data = crescent(20_000, 1);
    let config = FlowConfig::builder(2).hidden(32).steps(4).tail_bound(4.0).build()?;
    let settings = TrainSettings::builder()
        .epochs(12)
        .batch_size(256)
        .learning_rate(3e-3)
        .schedule(Schedule::Cosine)
        .patience(Some(5))
        .build()?;
    let device = default_device();
    let flow = fit(data.as_view(), &config, &settings, &device, &mut Print)?.flow;
    print!("{}", Health::examine(&flow, Some(crescent(5_000, 2).as_view()))?);

    let file = std::env::args().nth(1).map_or_else(
        || {
            PathBuf::from(concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/../../target/flow-core/crescent.svg"
            ))
        },
        PathBuf::from,
    );
    safe_file::write(&file, picture::draw(&flow, &data)?)?;
    println!("drawn to {}", file.display());
    Ok(())
}

/// Noisy points along an arc whose radius increases towards its ends, `[2, n]`.
fn crescent(n: usize, seed: u64) -> DMatrix<f64> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut x = DMatrix::zeros(2, n);
    for mut point in x.column_iter_mut() {
        let angle = 0.8 * rng.sample::<f64, _>(StandardNormal);
        let radius = 2.0 + 0.15 * angle * angle + 0.25 * rng.sample::<f64, _>(StandardNormal);
        point.copy_from_slice(&[radius * angle.cos(), radius * angle.sin()]);
    }
    x
}

/// Prints one line per epoch.
struct Print;

impl TrainingObserver for Print {
    fn epoch(&mut self, epoch: &Epoch) {
        let held_out = epoch.held_out.unwrap_or(f64::NAN);
        println!(
            "epoch {:2} of {}: loss {:.4}, held-out log-likelihood {held_out:.4}, {:.0} rows/s",
            epoch.done, epoch.total, epoch.loss, epoch.rows_per_second
        );
    }
}
