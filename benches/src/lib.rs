//! What the benches of the workspace share; see `benches/benches/` and `benches/src/bin/`.

use std::time::{Duration, Instant};

/// Standard normal points, `n * d` numbers, one point after the other.
///
/// A function of (seed, position) alone that `benches/peers/mvee.py` computes as well, so that both
/// sides work on the same points: SplitMix64 of the position, then Box–Muller.
pub fn normal_points(d: usize, n: usize, seed: u64) -> Vec<f64> {
    let uniform = |k: u64| {
        let mut z = seed.wrapping_add((k + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 11) as f64 / 9_007_199_254_740_992.0 + f64::EPSILON / 4.0
    };
    (0..(n * d) as u64)
        .map(|k| {
            let (radius, angle) = (uniform(2 * k), uniform(2 * k + 1));
            (-2.0 * radius.ln()).sqrt() * (std::f64::consts::TAU * angle).cos()
        })
        .collect()
}

/// Median seconds of a call, over at least `least` calls and half a second.
pub fn median_seconds<T>(least: usize, mut call: impl FnMut() -> T) -> f64 {
    let started = Instant::now();
    let mut seconds = Vec::new();
    while seconds.len() < least || started.elapsed() < Duration::from_millis(500) {
        let start = Instant::now();
        std::hint::black_box(call());
        seconds.push(start.elapsed().as_secs_f64());
    }
    seconds.sort_by(f64::total_cmp);
    seconds[seconds.len() / 2]
}

/// Seconds of processor time that this process has used, all threads together; NaN where the system
/// does not tell (it is read from `/proc`).
pub fn cpu_seconds() -> f64 {
    let read = || {
        let text = std::fs::read_to_string("/proc/self/stat").ok()?;
        // Behind the name, which may hold spaces: fields 3 and on; user time is field 14.
        let ticks: f64 = text.rsplit_once(')')?.1.split_whitespace().nth(11)?.parse().ok()?;
        // The unit of that file is a hundredth of a second on every Linux.
        Some(ticks / 100.0)
    };
    read().unwrap_or(f64::NAN)
}

/// Prints one line of the peers' protocol, read by `cargo xtask peers`.
pub fn report(case: &str, value: f64, unit: &str, note: &str) {
    println!(r#"{{"case": "{case}", "value": {value:e}, "unit": "{unit}", "note": "{note}"}}"#);
}

pub mod flows;
