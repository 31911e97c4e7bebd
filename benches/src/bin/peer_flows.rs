//! The counterpart of `benches/peers/flows.py`: rows per second of inference and of training, with the
//! same architectures and batches, on `RAYON_NUM_THREADS` threads and the device `PEER_DEVICE`. A GPU also
//! gets batches of 8192 rows.
//!
//! The notes give rows per second of processor time, on which other programs of the machine have less
//! influence. With a first argument, only cases whose name contains it are run.

use std::{hint::black_box, time::Instant};

use benches::{
    cpu_seconds,
    flows::{ARCHITECTURES, config, flow, one_epoch, points},
    report,
};
use flow_core::{
    DEVICES, device, fit,
    train::{Epoch, TrainingObserver},
};

/// Time by the clock and processor time.
#[derive(Clone, Copy)]
struct Seconds {
    wall: f64,
    cpu: f64,
}

impl Seconds {
    fn of(start: Instant, cpu_before: f64) -> Self {
        Self { wall: start.elapsed().as_secs_f64(), cpu: cpu_seconds() - cpu_before }
    }
}

/// Reports the best of several runs on `rows` rows.
fn case(name: &str, rows: usize, mut run: impl FnMut() -> Seconds) {
    if std::env::args().nth(1).is_some_and(|only| !name.contains(&only)) {
        return;
    }
    let (mut wall, mut cpu) = (f64::INFINITY, f64::INFINITY);
    run();
    for _ in 0..4 {
        let seconds = run();
        wall = wall.min(seconds.wall);
        cpu = cpu.min(seconds.cpu);
    }
    let note = format!("{:.0} rows per CPU second", rows as f64 / cpu);
    report(name, rows as f64 / wall, "1/s", &note);
}

fn timed<T>(run: impl FnOnce() -> T) -> Seconds {
    let (start, before) = (Instant::now(), cpu_seconds());
    black_box(run());
    Seconds::of(start, before)
}

/// Measures the steps of an epoch without the preparation, as the peer does.
struct Steps {
    start: Instant,
    before: f64,
    seconds: Option<Seconds>,
}

impl TrainingObserver for Steps {
    fn start(&mut self, _: usize) {
        (self.start, self.before) = (Instant::now(), cpu_seconds());
    }

    fn epoch(&mut self, _: &Epoch) {
        self.seconds = Some(Seconds::of(self.start, self.before));
    }
}

fn main() {
    let name = std::env::var("PEER_DEVICE").unwrap_or_else(|_| DEVICES[0].to_owned());
    let device = device(&name).expect("a device of this build");
    let large = (name == "wgpu").then_some((8192, 4));
    for (name, d, hidden, steps) in ARCHITECTURES {
        let config = config(d, hidden, steps);
        let flow = flow(&config, &device);
        for n in [10_000, 100_000] {
            let x = points(d, n);
            case(&format!("{name} ln_pdf, {n} rows"), n, || timed(|| flow.ln_pdf(x.as_view())));
            case(&format!("{name} decode, {n} rows"), n, || timed(|| flow.decode(x.as_view())));
        }
        for (batch, steps) in [(128, 16), (1024, 4)].into_iter().chain(large) {
            let rows = steps * batch;
            let x = points(d, rows);
            let settings = one_epoch(batch);
            case(&format!("{name} training, batch {batch}"), rows, || {
                let mut steps = Steps { start: Instant::now(), before: 0.0, seconds: None };
                fit(x.as_view(), &config, &settings, &device, &mut steps).expect("a trained flow");
                steps.seconds.expect("one epoch")
            });
        }
    }
}
