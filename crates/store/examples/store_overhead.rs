//! Measures the store: appending one by one and in blocks, looking up, opening, syncing.
//!
//! `cargo run --release -p store --example store_overhead [FOLDER]`

use std::{error::Error, path::PathBuf, time::Instant};

use sim_core::Status;
use store::{Evaluation, Identity, Store};

/// Evaluations per measurement.
const N: u32 = 200_000;

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args().nth(1).map_or_else(std::env::temp_dir, PathBuf::from);
    for (m, d) in [(2, 2), (20, 5), (603, 6)] {
        let n = if m > 100 { N / 10 } else { N };
        let names = |what: &str, n: usize| (0..n).map(|i| format!("{what}{i}")).collect();
        let identity = Identity {
            model: "overhead".to_owned(),
            inputs: names("w", m),
            outputs: names("x", d),
            settings: String::new(),
        };
        let folder = folder.join(format!("overhead-{m}.store"));
        let _ = std::fs::remove_dir_all(&folder);
        let all: Vec<_> = (0..2 * n)
            .map(|i| Evaluation {
                inputs: (0..m).map(|j| f64::from(i) + j as f64).collect(),
                seed: 1,
                outputs: vec![1.0; d],
                status: Status::Done,
                seconds: 1.0,
                worker: 0,
                level: 0,
            })
            .collect();
        let (one_by_one, blocks) = all.split_at(n as usize);
        let micros = |begin: Instant| begin.elapsed().as_secs_f64() * 1e6 / f64::from(n);

        let store = Store::open(&folder, &identity)?;
        let begin = Instant::now();
        for evaluation in one_by_one {
            store.append(evaluation)?;
        }
        println!("m = {m}, d = {d}: append one by one {:.2} us", micros(begin));
        let begin = Instant::now();
        for block in blocks.chunks(100) {
            store.append_all(block)?;
        }
        println!("    append in blocks of 100 {:.2} us", micros(begin));
        let begin = Instant::now();
        store.sync()?;
        println!("    sync {:.1} ms", begin.elapsed().as_secs_f64() * 1e3);
        let begin = Instant::now();
        for evaluation in one_by_one {
            store.get(&evaluation.inputs, 1)?.ok_or("lost")?;
        }
        println!("    look up {:.2} us", micros(begin));
        let begin = Instant::now();
        for evaluation in one_by_one {
            assert!(store.get(&evaluation.inputs, 2)?.is_none());
        }
        println!("    look up what is not there {:.2} us", micros(begin));
        drop(store);
        let begin = Instant::now();
        let store = Store::open(&folder, &identity)?;
        println!("    open {:.2} us", micros(begin) / 2.0);
        assert_eq!(store.len(), u64::from(2 * n));
        drop(store);
        std::fs::remove_dir_all(&folder)?;
    }
    Ok(())
}
