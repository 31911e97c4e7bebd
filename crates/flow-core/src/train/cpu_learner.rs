//! Training on a CPU without burn.

use rand_chacha::ChaCha8Rng;

use crate::{
    bijection::chain::Chain,
    config::FlowConfig,
    cpu::training::{flow::TrainingFlow, tensors::Weights},
    error::FlowError,
    train::{
        learner::{Learner, OTHER_MOMENTS, Outcome, Saved},
        settings::TrainSettings,
        weights::{decay, weights},
    },
};

/// Training without burn.
pub(crate) struct CpuLearner {
    flow: TrainingFlow,
    average: Option<Weights>,
    settings: TrainSettings,
    config: FlowConfig,
}

impl CpuLearner {
    pub(crate) fn new(
        chain: &Chain,
        config: &FlowConfig,
        settings: &TrainSettings,
    ) -> Result<Self, FlowError> {
        let start = weights(chain)?;
        let average = (settings.average() > 0.0).then(|| start.clone());
        let flow = TrainingFlow::new(config, start, settings.clip_norm());
        Ok(Self { flow, average, settings: settings.clone(), config: config.clone() })
    }
}

impl Learner for CpuLearner {
    fn step(
        &mut self,
        batch: &[f64],
        rate: f64,
        index: usize,
        rng: &mut ChaCha8Rng,
    ) -> Result<Outcome, FlowError> {
        let batch: Vec<f32> = batch.iter().map(|v| *v as f32).collect();
        let Self { flow, average, settings, .. } = self;
        // Inside the thread pool, parallel loops start without delay.
        let (loss, moved) = rayon::scope(|_| flow.step(batch, rate, rng));
        if let (Some(average), true) = (average, moved) {
            let share = 1.0 - decay(settings.average(), index) as f32;
            for (average, new) in average.iter_mut().zip(flow.weights()) {
                average.iter_mut().zip(new).for_each(|(a, n)| *a += (*n - *a) * share);
            }
        }
        Ok(Outcome { loss, moved })
    }

    fn weights(&self) -> Result<Weights, FlowError> {
        Ok(self.flow.weights().clone())
    }

    fn averaged(&self) -> Result<Weights, FlowError> {
        Ok(self.average.as_ref().unwrap_or_else(|| self.flow.weights()).clone())
    }

    fn restart(&mut self, weights: &Weights) -> Result<(), FlowError> {
        self.flow = TrainingFlow::new(&self.config, weights.clone(), self.settings.clip_norm());
        if let Some(average) = &mut self.average {
            average.clone_from(weights);
        }
        Ok(())
    }

    fn save(&self) -> Result<Saved, FlowError> {
        let (first, second, steps) = self.flow.moments();
        Ok(Saved {
            average: self.average.clone().unwrap_or_default(),
            moments: [first.clone(), second.clone()],
            steps,
        })
    }

    fn restore(&mut self, weights: Weights, saved: Saved) -> Result<(), String> {
        let Saved { average, moments: [first, second], steps } = saved;
        let lengths = |list: &Weights| list.iter().map(Vec::len).collect::<Vec<_>>();
        let expected = lengths(self.flow.moments().0);
        if lengths(&first) != expected || lengths(&second) != expected {
            return Err(OTHER_MOMENTS.to_owned());
        }
        self.flow = TrainingFlow::new(&self.config, weights, self.settings.clip_norm());
        self.flow.set_moments(first, second, steps);
        if let Some(old) = &mut self.average {
            *old = average;
        }
        Ok(())
    }

    fn name(&self) -> &'static str {
        "cpu"
    }
}
