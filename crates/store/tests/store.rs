//! Stores on a disk: resumed, torn, damaged, shared.

use std::{fs, path::Path, thread};

use sim_core::model::{FailureKind, Status};
use store::{Columns, Evaluation, Identity, Reader, Store, StoreError};

fn identity() -> Identity {
    let names = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
    Identity {
        model: "brake".to_owned(),
        inputs: names(&["speed", "gap"]),
        outputs: names(&["distance"]),
        settings: "3".to_owned(),
    }
}

/// Every third evaluation has no outcome.
fn evaluation(i: u32) -> Evaluation {
    let failed = i % 3 == 2;
    let status = Status::failed(FailureKind::Crashed, format!("signal {i}"));
    Evaluation {
        inputs: vec![f64::from(i), 0.1],
        seed: u64::MAX - u64::from(i),
        outputs: vec![if failed { f64::NAN } else { 2.0 * f64::from(i) }],
        status: if failed { status } else { Status::Done },
        seconds: 0.5,
        worker: i % 2,
        level: i / 4,
    }
}

fn fill(folder: &Path, n: u32) {
    let store = Store::open(folder, &identity()).unwrap();
    for i in 0..n {
        store.append(&evaluation(i)).unwrap();
    }
}

fn assert_same(found: &Evaluation, i: u32) {
    let expected = evaluation(i);
    assert_eq!(found.inputs, expected.inputs);
    assert_eq!(found.outputs[0].to_bits(), expected.outputs[0].to_bits());
    assert_eq!(found.status, expected.status);
    assert_eq!((found.seed, found.seconds), (expected.seed, expected.seconds));
    assert_eq!((found.worker, found.level), (expected.worker, expected.level));
}

/// The evaluations that a reader finds, by the number in their first input.
fn read(folder: &Path) -> Vec<u32> {
    let check = |found: Evaluation| {
        let i = found.inputs[0] as u32;
        assert_same(&found, i);
        i
    };
    Reader::open(folder).unwrap().map(|found| check(found.unwrap())).collect()
}

/// The file, and where each evaluation begins and ends in it.
fn file_and_ends(folder: &Path, n: u32) -> (std::path::PathBuf, Vec<usize>) {
    let path = folder.join("evaluations.bin");
    let mut ends = Vec::new();
    for i in 0..=n {
        if i > 0 {
            Store::open(folder, &identity()).unwrap().append(&evaluation(i - 1)).unwrap();
        } else {
            fill(folder, 0);
        }
        ends.push(fs::metadata(&path).unwrap().len() as usize);
    }
    (path, ends)
}

#[test]
fn what_was_stored_is_found_after_reopening() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path().join("deep/run.store");
    fill(&folder, 10);
    let store = Store::open(&folder, &identity()).unwrap();
    assert_eq!((store.len(), store.distinct(), store.opened().evaluations), (10, 10, 10));
    assert_eq!(store.opened().cut, 0);
    for i in 0..10 {
        let one = evaluation(i);
        assert_same(&store.get(&one.inputs, one.seed).unwrap().unwrap(), i);
        assert!(store.get(&one.inputs, one.seed ^ 1).unwrap().is_none());
        assert!(store.get(&[one.inputs[0].next_up(), 0.1], one.seed).unwrap().is_none());
    }
    // The later evaluation of the same takes the place of the earlier, which stays in the file.
    store.append(&Evaluation { outputs: vec![7.0], ..evaluation(0) }).unwrap();
    assert_eq!(store.get(&[0.0, 0.1], u64::MAX).unwrap().unwrap().outputs, [7.0]);
    assert_eq!((store.len(), store.distinct()), (11, 10));
    store.sync().unwrap();
    let columns = Columns::read(&mut Reader::open(&folder).unwrap()).unwrap();
    assert_eq!((columns.inputs.shape(), columns.outputs.shape()), ((2, 11), (1, 11)));
    assert_eq!(columns.seeds[3], u64::MAX - 3);
    assert_eq!((columns.workers[3], columns.levels[9], columns.seconds[0]), (1, 2, 0.5));
    assert_eq!(columns.statuses[2], evaluation(2).status);
}

#[test]
fn a_torn_end_is_cut_wherever_it_is_torn() {
    let folder = tempfile::tempdir().unwrap();
    let (path, ends) = file_and_ends(folder.path(), 3);
    let whole = fs::read(&path).unwrap();
    for length in ends[0]..whole.len() {
        fs::write(&path, &whole[..length]).unwrap();
        let kept = ends.partition_point(|&end| end <= length) - 1;
        assert_eq!(read(folder.path()).len(), kept);
        let store = Store::open(folder.path(), &identity()).unwrap();
        assert_eq!(store.opened().evaluations, kept as u64);
        assert_eq!(store.opened().cut, (length - ends[kept]) as u64);
        store.append(&evaluation(7)).unwrap();
        drop(store);
        let mut expected: Vec<u32> = (0..kept as u32).collect();
        expected.push(7);
        assert_eq!(read(folder.path()), expected);
    }
    fs::write(&path, &whole[..ends[0] - 1]).unwrap();
    assert!(matches!(Store::open(folder.path(), &identity()), Err(StoreError::NotAStore { .. })));
}

#[test]
fn damage_in_the_middle_loses_only_what_it_hits() {
    let folder = tempfile::tempdir().unwrap();
    let (path, ends) = file_and_ends(folder.path(), 4);
    let whole = fs::read(&path).unwrap();
    let damaged = (ends[1] as u64)..(ends[2] as u64);
    for at in ends[1]..ends[2] {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x10;
        fs::write(&path, &bytes).unwrap();
        assert_eq!(read(folder.path()), [0, 2, 3], "byte {at}");
        let store = Store::open(folder.path(), &identity()).unwrap();
        assert_eq!(store.opened().damage.as_slice(), std::slice::from_ref(&damaged));
        assert_eq!((store.len(), store.opened().cut), (3, 0));
        let one = evaluation(1);
        assert!(store.get(&one.inputs, one.seed).unwrap().is_none());
    }
    // A hole that lost power leaves: zeros, longer than one reading, then sound evaluations.
    let mut bytes = whole[..ends[1]].to_vec();
    bytes.extend(std::iter::repeat_n(0, 200_000));
    bytes.extend_from_slice(&whole[ends[2]..]);
    fs::write(&path, &bytes).unwrap();
    assert_eq!(read(folder.path()), [0, 2, 3]);
    let store = Store::open(folder.path(), &identity()).unwrap();
    assert_eq!(store.opened().damage.len(), 1);
    assert_eq!(store.opened().damage[0], damaged.start..damaged.start + 200_000);
}

#[test]
fn another_model_and_another_driver_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path(), &identity()).unwrap();
    let error = Store::open(folder.path(), &identity()).unwrap_err();
    assert!(matches!(error, StoreError::Busy { .. }));
    assert!(error.to_string().contains(&format!("process {}", std::process::id())), "{error}");
    drop(store);
    let other = Identity { outputs: vec!["time".to_owned()], ..identity() };
    let error = Store::open(folder.path(), &other).unwrap_err();
    assert!(matches!(error, StoreError::OtherModel { .. }));
    assert!(error.to_string().contains("outputs of the store: distance; of this model: time"));
    fs::write(folder.path().join("evaluations.bin"), "a,b\n1,2\n").unwrap();
    let error = Store::open(folder.path(), &identity()).unwrap_err();
    assert!(matches!(error, StoreError::NotAStore { .. }), "{error}");
    assert!(matches!(Reader::open(folder.path().join("no")), Err(StoreError::Io { .. })));
}

#[test]
fn a_reader_follows_a_writer() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path(), &identity()).unwrap();
    let mut reader = Reader::open(folder.path()).unwrap();
    let found = thread::scope(|scope| {
        scope.spawn(|| {
            for i in 0..500 {
                let block: Vec<_> = (4 * i..4 * i + 4).map(evaluation).collect();
                store.append_all(&block).unwrap();
            }
        });
        let mut found = 0;
        // Ends only when all are there.
        while found < 2000 {
            for evaluation in &mut reader {
                assert_same(&evaluation.unwrap(), found);
                found += 1;
            }
        }
        found
    });
    assert_eq!((found, store.len()), (2000, 2000));
    assert!(reader.damage().is_empty());
}

#[test]
fn a_block_with_a_wrong_evaluation_is_refused_as_a_whole() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(folder.path(), &identity()).unwrap();
    let wrong = Evaluation { outputs: vec![1.0, 2.0], ..evaluation(1) };
    let error = store.append_all(&[evaluation(0), wrong]).unwrap_err();
    assert!(matches!(error, StoreError::Count { what: "outputs", expected: 1, actual: 2 }));
    assert!(store.is_empty());
    store.append(&evaluation(0)).unwrap();
    drop(store);
    assert_eq!(read(folder.path()), [0]);
}
