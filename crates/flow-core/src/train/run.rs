//! The training loop.

use std::time::Instant;

use burn::tensor::Device;
use rand::{RngExt, seq::SliceRandom};
use rand_distr::StandardNormal;

use crate::{
    device::is_cpu,
    error::FlowError,
    flow::Flow,
    train::{
        burn_learner::BurnLearner,
        checkpoint::{Checkpoint, finite},
        cpu_learner::CpuLearner,
        data::{Data, gather},
        held_out::{held_out_ln_pdf, is_usable},
        learner::{Learner, Outcome},
        observer::{Epoch, TrainingObserver},
        record::{Trained, TrainingRecord},
        resample::resample,
        rng::{Purpose, stream},
        state::{Progress, ROLLBACKS, SKIPS, State},
        weights::with_weights,
    },
};

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

    /// A new run whose steps `learner` takes.
    pub(super) fn with_learner(
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

    /// Rows per step, steps per epoch and steps in total.
    fn sizes(&self) -> [usize; 3] {
        let settings = &self.state.record.settings;
        let size = settings.batch_size().min(self.data.rows());
        let batches = self.data.rows() / size;
        [size, batches, batches * settings.epochs()]
    }

    /// Continues the run of `checkpoint`, if its file exists.
    pub(crate) fn resume(&mut self, checkpoint: &Checkpoint) -> Result<(), FlowError> {
        let [_, batches, steps] = self.sizes();
        checkpoint.resume(self.flow.config(), [batches, steps], &mut self.state)
    }

    /// Runs to the end.
    pub(crate) fn finish(
        mut self,
        observer: &mut dyn TrainingObserver,
        checkpoint: Option<&Checkpoint>,
    ) -> Result<Trained, FlowError> {
        let [size, batches, steps] = self.sizes();
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
            let rows = &order.1[batch * size..][..size];
            self.step(rows, steps, observer)?;
            let done = self.state.progress.step;
            self.state.record.seconds = before + begin.elapsed().as_secs_f64();
            if done.is_multiple_of(batches) {
                let rows = ((done - first) * size) as f64;
                let rows_per_second = rows / begin.elapsed().as_secs_f64();
                let left = (steps - done) as f64 * size as f64;
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

    /// The rows of the steps of an epoch, one step after the other: in random order, or drawn by weight.
    fn order(&self, epoch: usize) -> Vec<usize> {
        let mut rows: Vec<usize> = (0..self.data.rows()).collect();
        let mut rng = stream(self.state.record.settings.seed(), Purpose::Shuffle, epoch);
        rows.shuffle(&mut rng);
        match &self.data.weights {
            None => rows,
            Some([weights, _]) => {
                let [size, batches, _] = self.sizes();
                resample(&rows, weights, [size, batches], rng.random())
            }
        }
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
            return self.skip(loss);
        }
        // The marginal maps come before the chain.
        let loss = loss - self.data.ln_det[0];
        state.progress.sum += loss;
        state.progress.counted += 1;
        state.progress.skips = 0;
        observer.step(loss);
        Ok(())
    }

    /// The run has diverged in the step before this one.
    fn diverged(&self, quantity: &'static str, value: f64) -> FlowError {
        let [_, batches, _] = self.sizes();
        let step = self.state.progress.step.saturating_sub(1);
        FlowError::Diverged { epoch: step / batches + 1, step, quantity, value }
    }

    /// Counts a skipped step; after several consecutive ones the weights are reset.
    fn skip(&mut self, loss: f64) -> Result<(), FlowError> {
        if self.state.record.rollbacks == ROLLBACKS && self.state.progress.skips + 1 == SKIPS {
            let (quantity, value) = if loss.is_finite() {
                ("the norm of the gradient", f64::NAN)
            } else {
                ("the loss", loss)
            };
            return Err(self.diverged(quantity, value));
        }
        let State { learner, last, progress, record, .. } = &mut self.state;
        record.skipped += 1;
        progress.skips += 1;
        if progress.skips < SKIPS {
            return Ok(());
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
            let weights = state.learner.weights()?;
            if finite(&weights) {
                state.last = weights;
            }
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

    /// Gives the flow its weights, unless the run has diverged.
    fn end(mut self) -> Result<Trained, FlowError> {
        let State { learner, best, progress, record, .. } = &self.state;
        let mut epoch = record.losses.len();
        let weights = match (record.settings.patience(), progress.best) {
            (Some(_), Some((_, of_best))) => {
                epoch = of_best;
                best.clone()
            }
            _ => learner.averaged()?,
        };
        let (quantity, value, usable) = match record.held_out.get(epoch - 1) {
            Some(value) => ("the held-out log-likelihood", *value, is_usable(*value, self.data)),
            None => ("the loss", record.losses[epoch - 1], record.losses[epoch - 1].is_finite()),
        };
        if !usable {
            return Err(self.diverged(quantity, value));
        }
        if let Some(bad) = weights.iter().flatten().find(|v| !v.is_finite()) {
            return Err(self.diverged("a weight", f64::from(*bad)));
        }
        self.flow.set_chain(with_weights(self.flow.chain(), &weights));
        if let Err(FlowError::Weights(_)) = self.flow.evaluator.inference() {
            return Err(self.diverged("the inverse of a linear layer", f64::NAN));
        }
        let Self { flow, state: State { mut record, .. }, .. } = self;
        record.epoch = epoch;
        Ok(Trained { flow, record })
    }
}
