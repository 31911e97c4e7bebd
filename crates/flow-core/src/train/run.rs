//! The training loop.

use std::time::Instant;

use burn::tensor::Device;
use nalgebra::DMatrixView;
use rand::{RngExt, seq::SliceRandom};
use rand_distr::StandardNormal;

use crate::{
    device::is_cpu,
    error::FlowError,
    flow::Flow,
    train::{
        burn_learner::BurnLearner,
        checkpoint::Checkpoint,
        cpu_learner::CpuLearner,
        data::{Data, gather},
        learner::{Learner, Outcome},
        observer::{Epoch, TrainingObserver},
        record::{Trained, TrainingRecord},
        rng::{Purpose, stream},
        state::{Progress, State},
        weights::with_weights,
    },
};

/// Consecutive skipped steps after which the weights are reset to those of the last epoch.
const SKIPS: usize = 5;
/// Resets of the weights after which the run ends with an error.
const ROLLBACKS: usize = 3;

/// A training run between two steps.
pub(crate) struct Run<'a> {
    flow: Flow,
    data: &'a Data,
    pub(crate) state: State<'a>,
}

impl<'a> Run<'a> {
    /// A new run. On a CPU this crate takes the steps, elsewhere burn.
    pub(crate) fn new(
        flow: Flow,
        data: &'a Data,
        device: &'a Device,
        record: TrainingRecord,
    ) -> Result<Self, FlowError> {
        let (chain, config, settings) = (flow.chain(), flow.config(), &record.settings);
        let learner: Box<dyn Learner> = if is_cpu(device) {
            Box::new(CpuLearner::new(chain, config, settings)?)
        } else {
            Box::new(BurnLearner::new(chain, config, settings, device))
        };
        Self::with_learner(flow, data, learner, record)
    }

    fn with_learner(
        flow: Flow,
        data: &'a Data,
        learner: Box<dyn Learner + 'a>,
        record: TrainingRecord,
    ) -> Result<Self, FlowError> {
        let start = learner.weights()?;
        let (last, best) = (start.clone(), start);
        let progress = Progress::default();
        Ok(Self { flow, data, state: State { learner, last, best, progress, record } })
    }

    /// Runs to the end.
    pub(crate) fn finish(
        mut self,
        observer: &mut dyn TrainingObserver,
        checkpoint: Option<&Checkpoint>,
    ) -> Result<Trained, FlowError> {
        let settings = self.state.record.settings.clone();
        let batches = self.data.rows() / settings.batch_size();
        let steps = batches * settings.epochs();
        let (begin, first) = (Instant::now(), self.state.progress.step);
        let before = self.state.record.seconds;
        let mut saved = Instant::now();
        observer.start(steps);
        if first > 0 {
            observer.resume(first);
        }
        let mut order = (usize::MAX, Vec::new());
        while self.state.progress.step < steps && !self.settled() {
            let step = self.state.progress.step;
            let (epoch, batch) = (step / batches, step % batches);
            if order.0 != epoch {
                order = (epoch, self.order(epoch));
            }
            let rows = &order.1[batch * settings.batch_size()..][..settings.batch_size()];
            self.step(rows, steps, observer)?;
            let done = self.state.progress.step;
            self.state.record.seconds = before + begin.elapsed().as_secs_f64();
            if done.is_multiple_of(batches) {
                let rows = ((done - first) * settings.batch_size()) as f64;
                let rows_per_second = rows / begin.elapsed().as_secs_f64();
                let left = ((steps - done) * settings.batch_size()) as f64;
                let epoch = self.end_epoch(epoch + 1)?;
                observer.epoch(&Epoch {
                    rows_per_second,
                    seconds_left: left / rows_per_second,
                    ..epoch
                });
            }
            let stop = observer.stop();
            if let Some(checkpoint) = checkpoint
                && (stop || saved.elapsed() >= checkpoint.every)
            {
                checkpoint.save(self.flow.config(), &self.state)?;
                saved = Instant::now();
            }
            if stop {
                return Err(FlowError::Interrupted { steps: done });
            }
        }
        self.end()
    }

    /// Whether the held-out likelihood has stopped increasing.
    fn settled(&self) -> bool {
        let State { progress, record, .. } = &self.state;
        match (record.settings.patience(), progress.best) {
            (Some(patience), Some((_, best))) => record.losses.len() >= best + patience,
            _ => false,
        }
    }

    /// Order of the rows in an epoch.
    fn order(&self, epoch: usize) -> Vec<usize> {
        let mut rows: Vec<usize> = (0..self.data.rows()).collect();
        rows.shuffle(&mut stream(self.state.record.settings.seed(), Purpose::Shuffle, epoch));
        rows
    }

    /// One step of `steps`, on `rows`; it is skipped if its loss or gradient is not finite.
    fn step(
        &mut self,
        rows: &[usize],
        steps: usize,
        observer: &mut dyn TrainingObserver,
    ) -> Result<(), FlowError> {
        let state = &mut self.state;
        let settings = &state.record.settings;
        let step = state.progress.step;
        let d = self.data.features;
        let mut batch = gather(&self.data.train, d, rows);
        if settings.jitter().any() {
            let mut rng = stream(settings.seed(), Purpose::Jitter, step);
            let factor = settings.noise_factor(step, steps);
            let noise: Vec<f64> = (0..d).map(|j| factor * settings.jitter().of(j)).collect();
            for row in batch.chunks_exact_mut(d) {
                for (v, noise) in row.iter_mut().zip(&noise) {
                    *v += noise * rng.sample::<f64, _>(StandardNormal);
                }
            }
        }
        let mut rng = stream(settings.seed(), Purpose::Dropout, step);
        // Every reset of the weights halves the rate.
        let rate = settings.rate(step, steps) * 0.5_f64.powi(state.record.rollbacks as i32);
        let Outcome { loss, moved } = state.learner.step(&batch, rate, step, &mut rng)?;
        state.progress.step += 1;
        if !moved {
            observer.skipped(step);
            return self.skip(step, loss);
        }
        state.progress.sum += loss;
        state.progress.counted += 1;
        state.progress.skips = 0;
        observer.step(loss);
        Ok(())
    }

    /// Counts a skipped step; after several consecutive ones the weights are reset.
    fn skip(&mut self, step: usize, loss: f64) -> Result<(), FlowError> {
        let State { learner, last, progress, record, .. } = &mut self.state;
        record.skipped += 1;
        progress.skips += 1;
        if progress.skips < SKIPS {
            return Ok(());
        }
        if record.rollbacks == ROLLBACKS {
            return Err(FlowError::Diverged { step, loss });
        }
        record.rollbacks += 1;
        progress.skips = 0;
        learner.restart(last)
    }

    /// Stores the weights at the end of an epoch, counted from 1, and evaluates their likelihood.
    fn end_epoch(&mut self, epoch: usize) -> Result<Epoch, FlowError> {
        let state = &mut self.state;
        // After a skipped step the weights may be damaged.
        if state.progress.skips == 0 {
            state.last = state.learner.weights()?;
        }
        let loss = state.progress.sum / state.progress.counted as f64;
        state.record.losses.push(loss);
        (state.progress.sum, state.progress.counted) = (0.0, 0);
        let mut held_out = None;
        if !self.data.held_out.is_empty() {
            let averaged = state.learner.averaged()?;
            self.flow.set_chain(with_weights(self.flow.chain(), &averaged));
            let value = held_out_ln_pdf(&self.flow, self.data)?;
            held_out = Some(value);
            state.record.held_out.push(value);
            let better = state.progress.best.is_none_or(|(best, _)| value > best);
            if better && value.is_finite() {
                state.progress.best = Some((value, epoch));
                state.best = averaged;
            }
        }
        let total = state.record.settings.epochs();
        Ok(Epoch { done: epoch, total, loss, held_out, rows_per_second: 0.0, seconds_left: 0.0 })
    }

    fn end(self) -> Result<Trained, FlowError> {
        let Self { mut flow, state, .. } = self;
        let State { learner, best, progress, mut record, .. } = state;
        record.epoch = record.losses.len();
        let weights = match (record.settings.patience(), progress.best) {
            (Some(_), Some((_, epoch))) => {
                record.epoch = epoch;
                best
            }
            _ => learner.averaged()?,
        };
        flow.set_chain(with_weights(flow.chain(), &weights));
        Ok(Trained { flow, record })
    }
}

/// Mean log-likelihood of the held-out rows in standardised units.
fn held_out_ln_pdf(flow: &Flow, data: &Data) -> Result<f64, FlowError> {
    let Data { features, held_out, .. } = data;
    let x_std = DMatrixView::from_slice(held_out, *features, held_out.len() / features);
    Ok(flow.standardised().ln_pdf(x_std)?.mean())
}

#[cfg(test)]
mod tests {
    use nalgebra::DMatrix;

    use super::*;
    use crate::{
        bijection::standardise::Standardise,
        config::FlowConfig,
        device::{Precision, default_device},
        train::{schedule::Schedule, settings::TrainSettings},
    };

    fn data() -> Data {
        let mut rng = stream(1, Purpose::Split, 0);
        let mut normals = |n: usize| (0..2 * n).map(|_| rng.sample(StandardNormal)).collect();
        Data { features: 2, train: normals(300), held_out: normals(100) }
    }

    fn run<'a>(data: &'a Data, device: &'a Device, settings: TrainSettings) -> Run<'a> {
        let config = FlowConfig::builder(2).hidden(8).steps(2).build().unwrap();
        let same = Standardise::from_data(DMatrix::<f64>::identity(2, 2).as_view()).unwrap();
        let flow = Flow::init(&config, same, 1, Precision::F32, device).unwrap();
        Run::new(flow, data, device, TrainingRecord { settings, ..TrainingRecord::default() })
            .unwrap()
    }

    #[test]
    fn damaged_weights_are_reset_and_training_continues() {
        let (data, device) = (data(), default_device());
        let settings = TrainSettings::builder().epochs(4).batch_size(100).build().unwrap();
        let mut run = run(&data, &device, settings);
        let mut damaged = run.state.learner.weights().unwrap();
        for tensor in &mut damaged {
            tensor.fill(f32::NAN);
        }
        run.state.learner.restart(&damaged).unwrap();
        let trained = run.finish(&mut (), None).unwrap();
        assert_eq!((trained.record.skipped, trained.record.rollbacks), (5, 1));
        // Three steps per epoch: the weights are reset in the second.
        assert!(trained.record.losses[1..].iter().all(|v| v.is_finite()), "{:?}", trained.record);
        assert!(trained.record.held_out[1..].iter().all(|v| v.is_finite()), "{:?}", trained.record);
    }

    #[test]
    fn the_flow_has_the_weights_of_the_best_epoch() {
        let (data, device) = (data(), default_device());
        // The rate is so large that the flow soon overfits 300 rows.
        let settings = TrainSettings::builder()
            .epochs(200)
            .batch_size(50)
            .learning_rate(1e-2)
            .patience(Some(3))
            .average(0.5)
            .build()
            .unwrap();
        let trained = run(&data, &device, settings).finish(&mut (), None).unwrap();
        let record = &trained.record;
        let best = record.held_out.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        assert!(record.losses.len() < 200, "training did not stop early");
        assert_eq!(record.losses.len(), record.epoch + 3);
        assert!(record.held_out[record.epoch - 1] >= best);
        let x_std = DMatrixView::from_slice(&data.held_out, 2, 100);
        let again = trained.flow.standardised().ln_pdf(x_std).unwrap().mean();
        assert!((again - best).abs() < 1e-6, "{again} against {best}");
    }

    #[test]
    fn the_rate_rises_then_falls() {
        let settings =
            TrainSettings::builder().warm_up(0.1).schedule(Schedule::Cosine).build().unwrap();
        let noise = settings.to_builder().jitter_start(16.0).build().unwrap();
        assert!((noise.noise_factor(49, 100) - 4.0).abs() < 1e-12);
        assert!((noise.noise_factor(99, 100) - 1.0).abs() < 1e-12);
        let rate = |step| settings.rate(step, 100) / settings.learning_rate();
        let cosine = |p: f64| 0.5 * (1.0 + (std::f64::consts::PI * p).cos());
        for (step, expected) in [(0, 0.0), (5, 0.5 * cosine(0.05)), (10, cosine(0.1)), (50, 0.5)] {
            assert!((rate(step) - expected).abs() < 1e-12, "{step}: {}", rate(step));
        }
    }
}
