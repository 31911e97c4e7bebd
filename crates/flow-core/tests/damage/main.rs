//! Damaged and edited files: each is read or refused, without a panic and within a bound on memory.

mod checkpoints;
mod edit;
mod flow_files;
mod state_dicts;

use std::sync::{Mutex, PoisonError};

use flow_core::{Flow, FlowConfig};
use nalgebra::DMatrix;
use peak_alloc::PeakAlloc;
use proptest::{prelude::*, test_runner::RngSeed};

/// Counts the memory of all threads.
#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;
/// Tests that count run one after the other.
static TURN: Mutex<()> = Mutex::new(());

/// What reading a file of `length` bytes may take: copies of it, each number as `f64` and the packed
/// weights, and the libraries' own memory.
fn bound(length: usize) -> usize {
    16 * length + (1 << 20)
}

/// The result of `work`, which must not take more than `bytes` of memory at once.
fn within<T>(bytes: usize, work: impl FnOnce() -> T) -> T {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    MEMORY.reset_peak_usage();
    let before = MEMORY.current_usage();
    let result = work();
    let taken = MEMORY.peak_usage().saturating_sub(before);
    assert!(taken <= bytes, "{taken} bytes, allowed are {bytes}");
    result
}

/// The same cases each time.
fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        failure_persistence: None,
        rng_seed: RngSeed::Fixed(1),
        ..ProptestConfig::default()
    }
}

/// What happens to the bytes of a file.
#[derive(Clone, Debug)]
enum Damage {
    /// Bytes at these places, as shares of the length, are replaced.
    Bytes(Vec<(f64, u8)>),
    /// The file ends at this share of its length.
    Cut(f64),
    /// A part is removed.
    Gap(f64, f64),
}

impl Damage {
    /// Half of the places are in the first part, where headers are.
    fn any() -> impl Strategy<Value = Self> {
        let place = prop_oneof![0.0..0.1, 0.0..1.0];
        prop_oneof![
            4 => prop::collection::vec((place.clone(), any::<u8>()), 1..6).prop_map(Self::Bytes),
            1 => (0.0..1.0).prop_map(Self::Cut),
            1 => (place, 0.0..0.2).prop_map(|(at, share)| Self::Gap(at, share)),
        ]
    }

    fn of(&self, bytes: &[u8]) -> Vec<u8> {
        let at = |share: f64| ((share * bytes.len() as f64) as usize).min(bytes.len() - 1);
        match self {
            Self::Bytes(changes) => {
                let mut bytes = bytes.to_vec();
                for (share, byte) in changes {
                    bytes[at(*share)] = *byte;
                }
                bytes
            }
            Self::Cut(share) => bytes[..at(*share)].to_vec(),
            Self::Gap(begin, share) => {
                let end = at((begin + share).min(1.0));
                [&bytes[..at(*begin)], &bytes[end..]].concat()
            }
        }
    }
}

/// A coupling flow of two features, as `small.pt` holds one.
fn small() -> FlowConfig {
    FlowConfig::builder(2).hidden(4).steps(1).bins(4).batch_norm(false).build().unwrap()
}

/// Whatever the weights are, a flow computes without a panic.
fn used(flow: &Flow) {
    let u = DMatrix::from_fn(flow.features(), 40, |i, j| (i + 3 * j) as f64 / 20.0 - 3.0);
    if let Ok(mapped) = flow.decode(u.as_view()) {
        let _ = flow.ln_pdf(mapped.points.as_view());
    }
    let _ = flow.ln_pdf(u.as_view());
}
