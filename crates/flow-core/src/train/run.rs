//! The training loop.

use std::time::Instant;

use burn::tensor::{Device, Tensor};
use rand::{RngExt, seq::SliceRandom};
use rand_distr::StandardNormal;

use super::{
    Checkpoint, Epoch, Observer, TrainSettings, Trained, TrainingRecord,
    fit::{Data, Purpose, gather, stream},
    learner::{BurnLearner, CompiledLearner, Learner, Outcome},
    weights::{Weights, with_weights},
};
use crate::{
    Flow, FlowError,
    bijection::{Bijection, Chain},
    device::is_cpu,
    flow::LN_2PI,
};

/// Steps in a row that may be left out before the weights go back to those of the last epoch.
const SKIPS: usize = 5;
/// Times the weights may go back before the run gives up.
const ROLLBACKS: usize = 3;

/// A training run between two steps.
pub(crate) struct Run<'a> {
    pub(crate) flow: Flow,
    data: &'a Data,
    pub(crate) state: State<'a>,
}

/// What changes from step to step; all of it is in a checkpoint.
pub(crate) struct State<'a> {
    pub(crate) learner: Box<dyn Learner + 'a>,
    /// Weights at the end of the last epoch, to go back to.
    pub(crate) last: Weights,
    /// Weights with the best held-out likelihood.
    pub(crate) best: Weights,
    pub(crate) progress: Progress,
    pub(crate) record: TrainingRecord,
}

/// Where a run is.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Progress {
    /// Steps done, those left out included.
    pub(crate) step: usize,
    /// Sum of the losses of this epoch.
    sum: f64,
    /// Steps of this epoch that were not left out.
    counted: usize,
    /// Steps left out in a row.
    skips: usize,
    /// The best held-out likelihood, and its epoch counted from 1.
    best: Option<(f64, usize)>,
}

impl<'a> Run<'a> {
    /// A run at its beginning. On a CPU the compiled path takes the steps, elsewhere burn.
    pub(crate) fn new(
        flow: Flow,
        data: &'a Data,
        device: &'a Device,
        record: TrainingRecord,
    ) -> Result<Self, FlowError> {
        let (chain, config, settings) = (flow.chain(), flow.config(), &record.settings);
        let learner: Box<dyn Learner> = if is_cpu(device) {
            Box::new(CompiledLearner::new(chain, config, settings)?)
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
        observer: &mut dyn Observer,
        checkpoint: Option<&Checkpoint>,
    ) -> Result<Trained, FlowError> {
        let settings = self.state.record.settings.clone();
        let batches = self.data.rows() / settings.batch_size;
        let steps = batches * settings.epochs;
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
            let rows = &order.1[batch * settings.batch_size..][..settings.batch_size];
            self.step(rows, steps, observer)?;
            let done = self.state.progress.step;
            self.state.record.seconds = before + begin.elapsed().as_secs_f64();
            if done.is_multiple_of(batches) {
                let rows = ((done - first) * settings.batch_size) as f64;
                let rows_per_second = rows / begin.elapsed().as_secs_f64();
                let left = ((steps - done) * settings.batch_size) as f64;
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
                checkpoint.save(&self)?;
                saved = Instant::now();
            }
            if stop {
                return Err(FlowError::Interrupted { steps: done });
            }
        }
        self.end()
    }

    /// Whether the held-out likelihood has stopped rising.
    fn settled(&self) -> bool {
        let State { progress, record, .. } = &self.state;
        match (record.settings.patience, progress.best) {
            (Some(patience), Some((_, best))) => record.losses.len() >= best + patience,
            _ => false,
        }
    }

    /// Order of the rows in an epoch.
    fn order(&self, epoch: usize) -> Vec<usize> {
        let mut rows: Vec<usize> = (0..self.data.rows()).collect();
        rows.shuffle(&mut stream(self.state.record.settings.seed, Purpose::Shuffle, epoch));
        rows
    }

    /// One step of `steps`, on `rows`; one whose loss or gradient is not finite is left out.
    fn step(
        &mut self,
        rows: &[usize],
        steps: usize,
        observer: &mut dyn Observer,
    ) -> Result<(), FlowError> {
        let state = &mut self.state;
        let settings = &state.record.settings;
        let step = state.progress.step;
        let d = self.data.features;
        let mut batch = gather(&self.data.train, d, rows);
        if settings.jitter.any() {
            let mut rng = stream(settings.seed, Purpose::Jitter, step);
            let factor = settings.noise_factor(step, steps);
            let noise: Vec<f64> = (0..d).map(|j| factor * settings.jitter.of(j)).collect();
            for row in batch.chunks_exact_mut(d) {
                for (v, noise) in row.iter_mut().zip(&noise) {
                    *v += noise * rng.sample::<f64, _>(StandardNormal);
                }
            }
        }
        let mut rng = stream(settings.seed, Purpose::Dropout, step);
        // Every time the weights went back the rate was halved.
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

    /// Counts a step that was left out; after several in a row the weights go back.
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

    /// Measures the weights at the end of an epoch, counted from 1, and remembers them.
    fn end_epoch(&mut self, epoch: usize) -> Result<Epoch, FlowError> {
        let state = &mut self.state;
        // Weights under suspicion are nothing to go back to.
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
            let value = self.flow.mean_log_prob(&self.data.held_out)?;
            held_out = Some(value);
            state.record.held_out.push(value);
            let better = state.progress.best.is_none_or(|(best, _)| value > best);
            if better && value.is_finite() {
                state.progress.best = Some((value, epoch));
                state.best = averaged;
            }
        }
        let total = state.record.settings.epochs;
        Ok(Epoch { done: epoch, total, loss, held_out, rows_per_second: 0.0, seconds_left: 0.0 })
    }

    fn end(self) -> Result<Trained, FlowError> {
        let Self { mut flow, state, .. } = self;
        let State { learner, best, progress, mut record, .. } = state;
        record.epoch = record.losses.len();
        let weights = match (record.settings.patience, progress.best) {
            (Some(_), Some((_, epoch))) => {
                record.epoch = epoch;
                best
            }
            _ => learner.averaged()?,
        };
        flow.set_chain(with_weights(flow.chain(), &weights));
        Ok(Trained { flow, record })
    }

    /// Settings of the run.
    pub(crate) fn settings(&self) -> &TrainSettings {
        &self.state.record.settings
    }
}

/// The training loss: mean of $-\log p$ over a batch of standardised features.
///
/// # Shapes
/// - `x`: `[n, d]`; returns `[1]`
pub fn negative_log_likelihood(chain: &Chain, x: Tensor<2>) -> Tensor<1> {
    let d = x.dims()[1] as f64;
    let (z, ln_det) = chain.encode(x);
    let squares = z.square().sum_dim(1).squeeze_dim::<1>(1);
    (squares.mul_scalar(0.5) - ln_det).mean().add_scalar(0.5 * d * LN_2PI)
}

#[cfg(test)]
mod tests {
    use nalgebra::DMatrix;

    use super::*;
    use crate::{FlowConfig, Precision, bijection::Standardize, default_device};

    fn data() -> Data {
        let mut rng = stream(1, Purpose::Split, 0);
        let mut normals = |n: usize| (0..2 * n).map(|_| rng.sample(StandardNormal)).collect();
        Data { features: 2, train: normals(300), held_out: normals(100) }
    }

    fn run<'a>(data: &'a Data, device: &'a Device, settings: TrainSettings) -> Run<'a> {
        let config = FlowConfig { hidden: 8, steps: 2, ..FlowConfig::new(2) };
        let same = Standardize::from_data(DMatrix::<f64>::identity(2, 2).as_view()).unwrap();
        let flow = Flow::init(&config, same, 1, Precision::F32, device).unwrap();
        Run::new(flow, data, device, TrainingRecord { settings, ..TrainingRecord::default() })
            .unwrap()
    }

    #[test]
    fn spoilt_weights_go_back_and_training_goes_on() {
        let (data, device) = (data(), default_device());
        let settings = TrainSettings { epochs: 4, batch_size: 100, ..TrainSettings::default() };
        let mut run = run(&data, &device, settings);
        let mut spoilt = run.state.learner.weights().unwrap();
        for tensor in &mut spoilt {
            tensor.fill(f32::NAN);
        }
        run.state.learner.restart(&spoilt).unwrap();
        let trained = run.finish(&mut (), None).unwrap();
        assert_eq!((trained.record.skipped, trained.record.rollbacks), (5, 1));
        // Three steps an epoch: the weights go back in the second.
        assert!(trained.record.losses[1..].iter().all(|v| v.is_finite()), "{:?}", trained.record);
        assert!(trained.record.held_out[1..].iter().all(|v| v.is_finite()), "{:?}", trained.record);
    }

    #[test]
    fn the_flow_has_the_weights_of_the_best_epoch() {
        let (data, device) = (data(), default_device());
        // So steep that it overfits 300 rows before long.
        let settings = TrainSettings {
            epochs: 200,
            batch_size: 50,
            learning_rate: 1e-2,
            patience: Some(3),
            average: 0.5,
            ..TrainSettings::default()
        };
        let trained = run(&data, &device, settings).finish(&mut (), None).unwrap();
        let record = &trained.record;
        let best = record.held_out.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        assert!(record.losses.len() < 200, "never settled");
        assert_eq!(record.losses.len(), record.epoch + 3);
        assert!(record.held_out[record.epoch - 1] >= best);
        let again = trained.flow.mean_log_prob(&data.held_out).unwrap();
        assert!((again - best).abs() < 1e-6, "{again} against {best}");
    }

    #[test]
    fn the_rate_rises_then_falls() {
        let settings = TrainSettings {
            warm_up: 0.1,
            schedule: crate::train::Schedule::Cosine,
            ..TrainSettings::default()
        };
        let noise = TrainSettings { jitter_start: 16.0, ..settings.clone() };
        assert!((noise.noise_factor(49, 100) - 4.0).abs() < 1e-12);
        assert!((noise.noise_factor(99, 100) - 1.0).abs() < 1e-12);
        let rate = |step| settings.rate(step, 100) / settings.learning_rate;
        let cosine = |p: f64| 0.5 * (1.0 + (std::f64::consts::PI * p).cos());
        for (step, expected) in [(0, 0.0), (5, 0.5 * cosine(0.05)), (10, cosine(0.1)), (50, 0.5)] {
            assert!((rate(step) - expected).abs() < 1e-12, "{step}: {}", rate(step));
        }
    }
}
