//! Models with a store.

use std::sync::atomic::{AtomicUsize, Ordering};

use inputs::{Inputs, Normal};
use nalgebra::{DMatrix, DMatrixView, dmatrix};
use sim_core::{Evaluations, FailureKind, Feature, Model, ModelError, Status};
use store::{Columns, Identity, Memo, Reader, Store};

/// Squares its input; has no outcome for negative ones, and fails as a whole above 100.
struct Square {
    inputs: Inputs,
    outputs: [Feature; 1],
    evaluated: AtomicUsize,
}

impl Square {
    fn new() -> Self {
        let normal = Normal::new(0.0, 1.0).unwrap();
        Self {
            inputs: Inputs::builder().input("x", "1", normal).build().unwrap(),
            outputs: [Feature::new("y", "1")],
            evaluated: AtomicUsize::new(0),
        }
    }
}

impl Model for Square {
    fn name(&self) -> &'static str {
        "square"
    }
    fn inputs(&self) -> &Inputs {
        &self.inputs
    }
    fn outputs(&self) -> &[Feature] {
        &self.outputs
    }
    fn evaluate(&self, w: DMatrixView<'_, f64>, seeds: &[u64]) -> Result<Evaluations, ModelError> {
        self.check(w, seeds)?;
        if w.iter().any(|&x| x > 100.0) {
            return Err(ModelError::failed("too large"));
        }
        self.evaluated.fetch_add(seeds.len(), Ordering::Relaxed);
        let outputs = w.map(|x| if x < 0.0 { f64::NAN } else { x * x });
        Ok(Evaluations::from_outputs(outputs))
    }
}

fn open(folder: &tempfile::TempDir) -> Memo<store::Chunks<Square>> {
    let model = Square::new();
    let store = Store::open(folder.path(), &Identity::of(&model, "")).unwrap();
    Memo::new(model, store)
}

#[test]
fn nothing_is_evaluated_twice() {
    let folder = tempfile::tempdir().unwrap();
    let memo = open(&folder);
    memo.set_level(2);
    let w = dmatrix![1.0, 2.0, 1.0, -3.0, 2.0, 2.0];
    let seeds = [5, 5, 5, 5, 5, 6];
    let first = memo.evaluate(w.as_view(), &seeds).unwrap();
    // 1, 2 and -3 with seed 5, and 2 with seed 6.
    assert_eq!(memo.model().0.evaluated.load(Ordering::Relaxed), 4);
    assert_eq!((memo.evaluated(), memo.looked_up()), (4, 2));
    assert_eq!(first.outputs.columns(0, 3), dmatrix![1.0, 4.0, 1.0]);
    assert_eq!(first.outputs.columns(4, 2), dmatrix![4.0, 4.0]);
    assert!(first.outputs[3].is_nan() && !first.statuses[3].is_done());
    drop(memo);

    // After a restart everything is known, also the failure and its reason.
    let memo = open(&folder);
    let second = memo.evaluate(w.as_view(), &seeds).unwrap();
    assert_eq!(memo.evaluated(), 0);
    assert_eq!(second.statuses, first.statuses);
    assert_eq!(second.outputs.map(f64::to_bits), first.outputs.map(f64::to_bits));

    // Unless it is asked for again.
    let memo = memo.again(&[FailureKind::NotFinite]);
    memo.set_level(3);
    memo.evaluate(w.as_view(), &seeds).unwrap();
    assert_eq!(memo.evaluated(), 1);
    let columns = Columns::read(&mut Reader::open(folder.path()).unwrap()).unwrap();
    assert_eq!(columns.levels, [2, 2, 2, 2, 3]);
    assert!(matches!(&columns.statuses[4], Status::Failed { kind: FailureKind::NotFinite, .. }));
}

#[test]
fn a_model_that_fails_keeps_what_came_before() {
    let folder = tempfile::tempdir().unwrap();
    let memo = open(&folder);
    let cores = std::thread::available_parallelism().unwrap().get();
    // The first chunk has one sample per core.
    let n = 10 * cores;
    let w = DMatrix::from_fn(1, n, |_, i| if i == n - 1 { 101.0 } else { i as f64 });
    let seeds = vec![0; n];
    let error = memo.evaluate(w.as_view(), &seeds).unwrap_err();
    assert_eq!(error.to_string(), "too large");
    let stored = memo.store().len();
    assert!(stored >= cores as u64 && stored < n as u64, "{stored}");
    drop(memo);
    let memo = open(&folder);
    memo.evaluate(w.columns(0, n - 1), &seeds[1..]).unwrap();
    assert_eq!(memo.evaluated(), n as u64 - 1 - stored);
}

#[test]
fn a_batch_that_does_not_fit_and_a_store_that_does_not_fit_are_errors() {
    let folder = tempfile::tempdir().unwrap();
    let memo = open(&folder);
    assert!(matches!(memo.evaluate(dmatrix![1.0; 2.0].as_view(), &[1]), Err(ModelError::Input(_))));
    assert!(matches!(memo.evaluate(dmatrix![1.0].as_view(), &[]), Err(ModelError::Input(_))));
    let empty = memo.evaluate(DMatrix::zeros(1, 0).as_view(), &[]).unwrap();
    assert_eq!(empty.outputs.shape(), (1, 0));
    drop(memo);

    // The store has two inputs, the model one.
    let folder = tempfile::tempdir().unwrap();
    let mut identity = Identity::of(&Square::new(), "");
    identity.inputs.push("more".to_owned());
    let memo = Memo::new(Square::new(), Store::open(folder.path(), &identity).unwrap());
    let error = memo.evaluate(dmatrix![1.0].as_view(), &[1]).unwrap_err();
    assert_eq!(error.to_string(), "the model has 2 inputs, the evaluation has 1");
}
