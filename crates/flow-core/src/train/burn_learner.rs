//! Training with burn on any device.

use burn::{
    module::Module,
    optim::GradientsParams,
    tensor::{Device, Tensor, TensorData},
};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use crate::{
    bijection::chain::Chain,
    config::FlowConfig,
    cpu::training::tensors::Weights,
    device::Precision,
    error::FlowError,
    train::{
        adam::GlobalAdam,
        learner::{Learner, OTHER_MOMENTS, Outcome, Saved},
        loss::negative_log_likelihood,
        settings::TrainSettings,
        weights::{Average, decay, host, trained, weights, with_weights},
    },
};

/// Training with burn.
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
        let average = (settings.average() > 0.0).then(|| Average::new(&chain));
        let adam = GlobalAdam::new(settings.clip_norm());
        let (features, dropout) = (config.features(), config.dropout() > 0.0);
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
            // Dropout draws from the generator of the device.
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
            average.update(&self.chain, decay(self.settings.average(), index));
        }
        Ok(Outcome { loss, moved: true })
    }

    fn weights(&self) -> Result<Weights, FlowError> {
        weights(&self.chain)
    }

    fn averaged(&self) -> Result<Weights, FlowError> {
        self.average.as_ref().map_or_else(|| Learner::weights(self), Average::weights)
    }

    fn restart(&mut self, weights: &Weights) -> Result<(), FlowError> {
        self.chain = with_weights(&self.chain, weights).train();
        self.adam = GlobalAdam::new(self.settings.clip_norm());
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
        let mut adam = GlobalAdam::new(self.settings.clip_norm());
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
