//! What takes the steps of a run: burn on its device, or the compiled path on the CPU.

use burn::{
    module::Module,
    optim::GradientsParams,
    tensor::{Device, Tensor, TensorData},
};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::{
    GlobalAdam, TrainSettings,
    compiled::Compiled,
    run::negative_log_likelihood,
    weights::{Average, Weights, decay, host, trained, weights, with_weights},
};
use crate::{FlowConfig, FlowError, Precision, bijection::Chain};

/// What is wrong with moments that do not fit.
const OTHER_MOMENTS: &str = "Adam's moments have other shapes than the weights";

/// What a step came to.
pub(crate) struct Outcome {
    /// Mean negative log-likelihood of the batch.
    pub(crate) loss: f64,
    /// Whether the weights moved; they do not if the loss or its gradient is not finite.
    pub(crate) moved: bool,
}

/// Weights that are being trained.
pub(crate) trait Learner {
    /// Takes a step on a batch of standardised rows, `[n, d]`; `index` counts the steps and `rng`
    /// decides which units dropout leaves out.
    fn step(
        &mut self,
        batch: &[f64],
        rate: f64,
        index: usize,
        rng: &mut ChaCha8Rng,
    ) -> Result<Outcome, FlowError>;

    /// The weights.
    fn weights(&self) -> Result<Weights, FlowError>;

    /// The average of the weights, or without one the weights.
    fn averaged(&self) -> Result<Weights, FlowError>;

    /// Begins anew from `weights`, with moments and average forgotten.
    fn restart(&mut self, weights: &Weights) -> Result<(), FlowError>;

    /// The state beside the weights.
    fn save(&self) -> Result<Saved, FlowError>;

    /// Takes a run up again from its weights and what [`save`](Self::save) gave.
    ///
    /// # Errors
    /// What is wrong with `saved`.
    fn restore(&mut self, weights: Weights, saved: Saved) -> Result<(), String>;

    /// Name of the path, which a checkpoint must share.
    fn name(&self) -> &'static str;
}

/// State of a learner beside its weights.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Saved {
    /// The average of the weights; empty without one.
    pub(crate) average: Weights,
    /// Adam's first and second moments, in the learner's own order.
    pub(crate) moments: [Weights; 2],
    /// Adam's steps.
    pub(crate) steps: u32,
}

/// Training through burn.
pub(crate) struct BurnLearner<'a> {
    chain: Chain,
    adam: GlobalAdam,
    average: Option<Average>,
    settings: TrainSettings,
    features: usize,
    dropout: bool,
    device: &'a Device,
}

impl<'a> BurnLearner<'a> {
    pub(crate) fn new(
        chain: &Chain,
        config: &FlowConfig,
        settings: &TrainSettings,
        device: &'a Device,
    ) -> Self {
        let chain = chain.clone().train();
        let average = (settings.average > 0.0).then(|| Average::new(&chain));
        let adam = GlobalAdam::new(settings.clip_norm);
        let (features, dropout) = (config.features, config.dropout > 0.0);
        Self { chain, adam, average, settings: settings.clone(), features, dropout, device }
    }
}

impl Learner for BurnLearner<'_> {
    fn step(
        &mut self,
        batch: &[f64],
        rate: f64,
        index: usize,
        rng: &mut ChaCha8Rng,
    ) -> Result<Outcome, FlowError> {
        if self.dropout {
            // Dropout draws from the device's own generator.
            self.device.seed(rng.random());
        }
        let options = Precision::F32.on(&self.device.clone().autodiff());
        let d = self.features;
        let data = TensorData::new(batch.to_vec(), [batch.len() / d, d]);
        let loss = negative_log_likelihood(&self.chain, Tensor::from_data(data, options));
        let grads = GradientsParams::from_grads(loss.backward(), &self.chain);
        let loss = loss.into_scalar::<f64>();
        let step = || self.adam.step(rate, &self.chain, &grads);
        let Some(chain) = loss.is_finite().then(step).flatten() else {
            return Ok(Outcome { loss, moved: false });
        };
        self.chain = chain;
        if let Some(average) = &mut self.average {
            average.update(&self.chain, decay(self.settings.average, index));
        }
        Ok(Outcome { loss, moved: true })
    }

    fn weights(&self) -> Result<Weights, FlowError> {
        weights(&self.chain)
    }

    fn averaged(&self) -> Result<Weights, FlowError> {
        self.average.as_ref().map_or_else(|| self.weights(), Average::weights)
    }

    fn restart(&mut self, weights: &Weights) -> Result<(), FlowError> {
        self.chain = with_weights(&self.chain, weights).train();
        self.adam = GlobalAdam::new(self.settings.clip_norm);
        if let Some(average) = &mut self.average {
            *average = Average::new(&self.chain);
        }
        Ok(())
    }

    fn save(&self) -> Result<Saved, FlowError> {
        let average = self.average.as_ref().map_or_else(|| Ok(Weights::new()), Average::weights)?;
        let [first, second] = match self.adam.moments.clone() {
            Some([first, second]) => [vec![host(first)?], vec![host(second)?]],
            None => Default::default(),
        };
        Ok(Saved { average, moments: [first, second], steps: self.adam.steps })
    }

    fn restore(&mut self, weights: Weights, saved: Saved) -> Result<(), String> {
        let Saved { average, moments, steps } = saved;
        let mut adam = GlobalAdam::new(self.settings.clip_norm);
        adam.steps = steps;
        if moments.iter().any(|list| !list.is_empty()) {
            let expected = trained(&self.chain);
            if moments.iter().any(|list| list.len() != 1 || list[0].len() != expected) {
                return Err(OTHER_MOMENTS.to_owned());
            }
            let options = Precision::F32.on(self.device);
            let moments = moments.map(|mut list| list.swap_remove(0));
            adam.moments = Some(moments.map(|moment| {
                Tensor::from_data(TensorData::new(moment, [expected]), options.clone())
            }));
        }
        if let Some(old) = &mut self.average {
            *old = Average::new(&with_weights(&self.chain, &average));
        }
        self.chain = with_weights(&self.chain, &weights).train();
        self.adam = adam;
        Ok(())
    }

    fn name(&self) -> &'static str {
        "burn"
    }
}

/// Training through the compiled path.
pub(crate) struct CompiledLearner {
    flow: Compiled,
    average: Option<Weights>,
    settings: TrainSettings,
    config: FlowConfig,
}

impl CompiledLearner {
    pub(crate) fn new(
        chain: &Chain,
        config: &FlowConfig,
        settings: &TrainSettings,
    ) -> Result<Self, FlowError> {
        let start = weights(chain)?;
        let average = (settings.average > 0.0).then(|| start.clone());
        let flow = Compiled::new(config, start, settings.clip_norm);
        Ok(Self { flow, average, settings: settings.clone(), config: config.clone() })
    }
}

impl Learner for CompiledLearner {
    fn step(
        &mut self,
        batch: &[f64],
        rate: f64,
        index: usize,
        rng: &mut ChaCha8Rng,
    ) -> Result<Outcome, FlowError> {
        let batch: Vec<f32> = batch.iter().map(|v| *v as f32).collect();
        let Self { flow, average, settings, .. } = self;
        // Inside a pool of threads, its loops start at once.
        let (loss, moved) = rayon::scope(|_| flow.step(batch, rate, rng));
        if let (Some(average), true) = (average, moved) {
            let share = 1.0 - decay(settings.average, index) as f32;
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
        self.flow = Compiled::new(&self.config, weights.clone(), self.settings.clip_norm);
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
        self.flow = Compiled::new(&self.config, weights, self.settings.clip_norm);
        self.flow.set_moments(first, second, steps);
        if let Some(old) = &mut self.average {
            *old = average;
        }
        Ok(())
    }

    fn name(&self) -> &'static str {
        "compiled"
    }
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;
    use crate::{
        BaseKind, Flow, default_device,
        testing::{normals, shaken},
    };

    fn flow(config: &FlowConfig) -> Flow {
        let (state, moments) = shaken(config);
        Flow::from_state_dict(config, moments, state, Precision::F32, &default_device()).unwrap()
    }

    fn rng() -> ChaCha8Rng {
        ChaCha8Rng::seed_from_u64(1)
    }

    fn steps(learner: &mut dyn Learner, from: usize, to: usize) -> Vec<f64> {
        let step = |i: usize| {
            let outcome = learner.step(normals(4, 64, i as u64).as_slice(), 1e-3, i, &mut rng());
            let Outcome { loss, moved } = outcome.unwrap();
            assert!(moved);
            loss
        };
        (from..to).map(step).collect()
    }

    fn configs() -> [FlowConfig; 2] {
        let coupling = FlowConfig { hidden: 16, steps: 2, ..FlowConfig::new(4) };
        [FlowConfig { base: BaseKind::Autoregressive, ..coupling.clone() }, coupling]
    }

    /// Adam divides by the size of a gradient, so where one is zero but for rounding the weight moves by up
    /// to the rate either way. Before batch normalisation biases are such weights; without it few are.
    #[test]
    fn burn_and_the_compiled_path_take_the_same_steps() {
        let settings = TrainSettings { average: 0.9, ..TrainSettings::default() };
        let device = default_device();
        for config in configs() {
            for batch_norm in [false, true] {
                let config = FlowConfig { batch_norm, ..config.clone() };
                let flow = flow(&config);
                let mut burn = BurnLearner::new(flow.chain(), &config, &settings, &device);
                let mut compiled = CompiledLearner::new(flow.chain(), &config, &settings).unwrap();
                let (a, b) = (steps(&mut burn, 0, 5), steps(&mut compiled, 0, 5));
                for (a, b) in a.iter().zip(&b) {
                    assert!((a - b).abs() < 1e-4 * (1.0 + a.abs()), "{a} against {b}");
                }
                for pair in [
                    (burn.weights().unwrap(), compiled.weights().unwrap()),
                    (burn.averaged().unwrap(), compiled.averaged().unwrap()),
                ] {
                    let (a, b) = (pair.0.concat(), pair.1.concat());
                    let apart = a.iter().zip(&b).filter(|(a, b)| (*a - *b).abs() > 1e-4).count();
                    assert!(batch_norm || apart * 100 < a.len(), "{apart} of {} differ", a.len());
                }
            }
        }
    }

    #[test]
    fn a_learner_goes_on_from_what_it_saved() {
        let settings = TrainSettings { average: 0.9, ..TrainSettings::default() };
        let device = default_device();
        // The device's generator is one for the process, so burn's dropout cannot be compared here.
        for (compiled, dropout) in [(true, 0.1), (false, 0.0)] {
            for config in configs() {
                let config = FlowConfig { dropout, ..config };
                let flow = flow(&config);
                let make = || -> Box<dyn Learner + '_> {
                    if compiled {
                        Box::new(CompiledLearner::new(flow.chain(), &config, &settings).unwrap())
                    } else {
                        Box::new(BurnLearner::new(flow.chain(), &config, &settings, &device))
                    }
                };
                let mut first = make();
                steps(first.as_mut(), 0, 3);
                let (weights, saved) = (first.weights().unwrap(), first.save().unwrap());
                let losses = steps(first.as_mut(), 3, 6);
                let mut second = make();
                second.restore(weights, saved.clone()).unwrap();
                assert_eq!(steps(second.as_mut(), 3, 6), losses);
                assert_eq!(second.weights().unwrap(), first.weights().unwrap());
                assert_eq!(second.save().unwrap(), first.save().unwrap());

                let mut short = saved;
                short.moments[1][0].pop();
                let weights = first.weights().unwrap();
                assert_eq!(second.restore(weights, short), Err(OTHER_MOMENTS.to_owned()));
            }
        }
    }
}
