//! Ten million rows pass through a flow in constant memory. The peak of memory is that of the process, so
//! this test has its own file.

use std::fs;

use flow_core::{Flow, FlowConfig, Mapped, Precision, bijection::Standardise, default_device};
use nalgebra::DMatrix;

/// Largest memory of this process so far, in bytes; `None` where the system does not report it.
fn peak() -> Option<usize> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(1024 * line.trim().strip_suffix(" kB")?.parse::<usize>().ok()?)
}

#[test]
fn ten_million_rows_take_the_memory_of_one_block() {
    const ROWS: usize = 10_000_000;
    const BLOCK: usize = 100_000;
    let config = FlowConfig::builder(2).hidden(8).steps(1).build().unwrap();
    let moments = Standardise::new(vec![1.0, -1.0], vec![2.0, 0.5]).unwrap();
    let flow = Flow::init(&config, moments, 1, Precision::F32, &default_device()).unwrap();

    let mut u = DMatrix::zeros(2, BLOCK);
    let (mut x, mut back) = (Mapped::default(), Mapped::default());
    let (mut after_first, mut worst) = (None, 0.0_f64);
    for block in 0..ROWS / BLOCK {
        u.iter_mut().enumerate().for_each(|(i, v)| *v = 2.0 * ((block * BLOCK + i) as f64).sin());
        flow.decode_into(u.as_view(), &mut x).unwrap();
        flow.encode_into(x.points.as_view(), &mut back).unwrap();
        worst = worst.max((&back.points - &u).amax()).max((&back.ln_det + &x.ln_det).amax());
        after_first = after_first.or(peak());
    }
    assert!(worst < 1e-3, "the error of a round trip is {worst}");
    assert_eq!(x, flow.decode(u.as_view()).unwrap());
    if let (Some(first), Some(last)) = (after_first, peak()) {
        // The points and log-determinants of all rows would be 240 MB.
        let grown = last - first;
        assert!(grown < 16 << 20, "{grown} bytes more than after the first block");
    }
}
