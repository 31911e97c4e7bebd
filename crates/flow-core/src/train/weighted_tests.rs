//! Weighted rows in the training loop: the split, the batches, the means.

use std::{cell::RefCell, rc::Rc};

use nalgebra::{DMatrix, DVector};
use rand_chacha::ChaCha8Rng;

use crate::{
    bijection::standardise::Standardise,
    config::FlowConfig,
    cpu::training::tensors::Weights,
    device::{Precision, default_device},
    error::FlowError,
    flow::Flow,
    testing::normals,
    train::{
        burn_learner::BurnLearner,
        cpu_learner::CpuLearner,
        data::Data,
        held_out::{held_out_ln_pdf, is_usable},
        learner::{Learner, Outcome, Saved},
        record::{Trained, TrainingRecord},
        run::Run,
        settings::TrainSettings,
    },
};

/// Keeps the batches that a learner receives.
struct Spy<'a> {
    learner: Box<dyn Learner + 'a>,
    batches: Rc<RefCell<Vec<Vec<f64>>>>,
}

impl Learner for Spy<'_> {
    fn step(
        &mut self,
        batch: &[f64],
        rate: f64,
        index: usize,
        rng: &mut ChaCha8Rng,
    ) -> Result<Outcome, FlowError> {
        self.batches.borrow_mut().push(batch.to_vec());
        self.learner.step(batch, rate, index, rng)
    }
    fn weights(&self) -> Result<Weights, FlowError> {
        self.learner.weights()
    }
    fn averaged(&self) -> Result<Weights, FlowError> {
        self.learner.averaged()
    }
    fn restart(&mut self, weights: &Weights) -> Result<(), FlowError> {
        self.learner.restart(weights)
    }
    fn save(&self) -> Result<Saved, FlowError> {
        self.learner.save()
    }
    fn restore(&mut self, weights: Weights, saved: Saved) -> Result<(), String> {
        self.learner.restore(weights, saved)
    }
    fn name(&self) -> &'static str {
        self.learner.name()
    }
}

/// 300 rows to train on, of weights 1, 2 and 3, and 100 held-out rows.
fn data() -> Data {
    let weights = |n: usize| (0..n).map(|i| (1 + i % 3) as f64).collect();
    Data {
        features: 2,
        train: normals(2, 300, 1).as_slice().to_vec(),
        held_out: normals(2, 100, 2).as_slice().to_vec(),
        ln_det: [0.0; 2],
        weights: Some([weights(300), weights(100)]),
    }
}

fn flow() -> Flow {
    let config = FlowConfig::builder(2).hidden(8).steps(2).batch_norm(false).build().unwrap();
    let same = Standardise::new(vec![0.0; 2], vec![1.0; 2]).unwrap();
    Flow::init(&config, same, 1, Precision::F32, &default_device()).unwrap()
}

/// Trains in four epochs of three steps on batches of 90 rows, and returns the batches.
fn batches(data: &Data, cpu: bool) -> (Vec<Vec<f64>>, TrainingRecord) {
    let settings = TrainSettings::builder().epochs(4).batch_size(90).build().unwrap();
    let (flow, device) = (flow(), default_device());
    let (chain, config) = (flow.chain().clone(), flow.config().clone());
    let learner: Box<dyn Learner> = if cpu {
        Box::new(CpuLearner::new(&chain, &config, &settings).unwrap())
    } else {
        Box::new(BurnLearner::new(&chain, &config, &settings, &device))
    };
    let batches = Rc::new(RefCell::new(Vec::new()));
    let spy = Box::new(Spy { learner, batches: batches.clone() });
    let record = TrainingRecord { settings, ..TrainingRecord::default() };
    let run = Run::with_learner(flow, data, spy, record).unwrap();
    let Trained { record, .. } = run.finish(&mut (), None).unwrap();
    (batches.take(), record)
}

#[test]
fn burn_and_the_cpu_see_the_same_batches() {
    let data = data();
    let ((a, of_burn), (b, of_cpu)) = (batches(&data, false), batches(&data, true));
    assert_eq!(a, b);
    for (a, b) in [(&of_burn.losses, &of_cpu.losses), (&of_burn.held_out, &of_cpu.held_out)] {
        for (a, b) in a.iter().zip(b) {
            assert!((a - b).abs() < 1e-3, "{a} against {b}");
        }
    }
}

#[test]
fn batches_hold_the_rows_by_their_weights() {
    let data = data();
    let (batches, _) = batches(&data, true);
    assert_eq!(batches.len(), 12);
    assert_ne!(batches[0], batches[3], "an order of its own for each epoch");
    for epoch in batches.chunks(3) {
        let rows: Vec<&[f64]> = epoch.iter().flat_map(|batch| batch.chunks(2)).collect();
        assert_eq!(rows.len(), 270);
        for (i, row) in data.train.chunks(2).enumerate() {
            // 270 draws of 300 rows with a mean weight of 2: 0.45, 0.9 or 1.35 times on average.
            let count = rows.iter().filter(|drawn| **drawn == row).count();
            let expected: &[usize] = if i % 3 == 2 { &[1, 2] } else { &[0, 1] };
            assert!(expected.contains(&count), "row {i} comes {count} times");
        }
    }
}

#[test]
fn the_split_keeps_weights_with_their_rows() {
    let n = 1_000;
    let z = DMatrix::from_fn(2, n, |i, j| (2 * j + i) as f64);
    let weights: Vec<f64> = (0..n).map(|j| (j % 5) as f64 / 4.0).collect();
    let ln_det = DVector::from_fn(n, |j, _| (j % 5) as f64);
    let settings = TrainSettings::default();
    let data = Data::split(&z, &ln_det, Some(&weights), &settings);
    // A fifth of the rows has no weight; a tenth of the others is held out.
    assert_eq!((data.rows(), data.held_out.len()), (720, 160));
    let both = data.weights.as_ref().unwrap();
    for (rows, of_rows, mean) in
        [(&data.train, &both[0], data.ln_det[0]), (&data.held_out, &both[1], data.ln_det[1])]
    {
        let (mut sum, mut total) = (0.0, 0.0);
        for (row, w) in rows.chunks(2).zip(of_rows) {
            let j = row[0] as usize / 2;
            assert!((w - weights[j]).abs() < f64::EPSILON && *w > 0.0, "row {j}: {w}");
            sum += w * ln_det[j];
            total += w;
        }
        assert!((mean - sum / total).abs() < 1e-12, "{mean} against {}", sum / total);
    }
    // The same rows without those of weight zero.
    let positive: Vec<usize> = (0..n).filter(|j| j % 5 > 0).collect();
    let (z, weights) = (z.select_columns(&positive), positive.iter().map(|&j| weights[j]));
    let weights: Vec<f64> = weights.collect();
    let ln_det = ln_det.select_rows(&positive);
    let again = Data::split(&z, &ln_det, Some(&weights), &settings);
    assert_eq!((again.train, again.held_out), (data.train, data.held_out));
}

#[test]
fn the_held_out_likelihood_is_a_weighted_mean() {
    let (flow, mut data) = (flow(), data());
    let weighted = held_out_ln_pdf(&flow, &data).unwrap();
    let x = DMatrix::from_column_slice(2, 100, &data.held_out);
    let values = flow.ln_pdf(x.as_view()).unwrap();
    let sum: f64 = values.iter().enumerate().map(|(i, v)| (1 + i % 3) as f64 * v).sum();
    // 33 rows each of weights 1, 2 and 3, and one more of weight 1.
    assert!((weighted - sum / 199.0).abs() < 1e-12, "{weighted} against {}", sum / 199.0);
    assert!((weighted - values.mean()).abs() > 1e-6);
    // Far rows lower the likelihood that independent normal features have, as far as they have weight.
    data.held_out[..2].fill(1e3);
    assert!(is_usable(-5_000.0, &data));
    data.weights.as_mut().unwrap()[1][0] = 1e-3;
    assert!(!is_usable(-5_000.0, &data));
}
