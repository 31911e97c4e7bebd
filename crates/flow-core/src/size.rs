//! The size of a flow, known before memory is asked for.
//!
//! Sizes come from files and options. They are computed in floating point: exactly below $2^{53}$, and a
//! product of large numbers cannot wrap.

use crate::{
    config::{FlowConfig, FlowConfigBuilder, LinearKind, TransformKind},
    error::FlowError,
    words::gib,
};

/// Most trained parameters of a flow: 268 million, a hundred times as many as the largest flow of the
/// paper has. Their training takes 16 GiB.
pub(crate) const MAX_PARAMETERS: usize = 1 << 28;
/// Bytes per parameter at the peak of a training: the weights of this step, of the last epoch and of the
/// best one, their average, gradients, Adam's moments, the flow that held-out rows are evaluated with,
/// and a checkpoint. A run with 24 million parameters took 51.
const TRAINING_BYTES: f64 = 64.0;
/// Bytes of a number in training.
const NUMBER: f64 = size_of::<f32>() as f64;
/// Numbers that the training keeps together: rows are padded to a multiple of it.
const PANEL: f64 = 16.0;

/// The conditioners of one kind in a flow.
struct Conditioners {
    count: f64,
    inputs: f64,
    outputs: f64,
}

impl FlowConfigBuilder {
    /// The conditioners of the even and of the odd steps.
    fn conditioners(&self) -> [Conditioners; 2] {
        let (d, steps) = (self.features, self.steps);
        let each = 3.0 * self.bins as f64 - 1.0;
        let counts = [steps.div_ceil(2) as f64, (steps / 2) as f64];
        let halves = [d.div_ceil(2) as f64, (d / 2) as f64];
        let of = |i: usize| {
            let (inputs, transformed) = match self.transform {
                TransformKind::Coupling => (halves[1 - i], halves[i]),
                TransformKind::Autoregressive => (d as f64, d as f64),
            };
            Conditioners { count: counts[i], inputs, outputs: transformed * each }
        };
        [of(0), of(1)]
    }

    /// Number of trained parameters.
    fn parameters(&self) -> f64 {
        let (h, d) = (self.hidden as f64, self.features as f64);
        // Two blocks of two square layers, each with two normalisations that have two numbers per unit.
        let norms = if self.batch_norm { 8.0 * h } else { 0.0 };
        let net = |inputs: f64, outputs: f64| {
            h * (inputs + 1.0) + 4.0 * h * (h + 1.0) + norms + outputs * (h + 1.0)
        };
        let nets: f64 =
            self.conditioners().map(|c| c.count * net(c.inputs, c.outputs)).iter().sum();
        let linear = match self.linear {
            LinearKind::Lu => (self.steps as f64 + 1.0) * d * (d + 1.0),
            LinearKind::Permutation => 0.0,
        };
        nets + linear
    }

    /// Bytes that the training takes, with `rows` rows per step.
    fn training_bytes(&self, rows: f64) -> f64 {
        let panels = |n: f64| (n / PANEL).ceil() * PANEL;
        // What the backward pass needs: the inputs of the layers, nine hidden ones, the outputs.
        let row = |c: Conditioners| {
            let net = panels(c.inputs) + 9.0 * panels(self.hidden as f64) + panels(c.outputs);
            c.count * (net + 2.0 * self.features as f64)
        };
        let kept: f64 = self.conditioners().map(row).iter().sum();
        TRAINING_BYTES * self.parameters() + NUMBER * rows * kept
    }

    /// Refuses more parameters than a flow may have.
    pub(crate) fn check_size(&self) -> Result<(), FlowError> {
        let parameters = self.parameters();
        if parameters > MAX_PARAMETERS as f64 {
            let limit = format!("a flow has at most {MAX_PARAMETERS}");
            return Err(FlowError::TooLarge { parameters, bytes: self.training_bytes(2.0), limit });
        }
        Ok(())
    }
}

impl FlowConfig {
    /// Number of trained parameters, at most $2^{28}$.
    pub fn parameters(&self) -> usize {
        self.as_builder().parameters() as usize
    }

    /// Floating-point operations of the matrix products in one pass for one sample. Decoding with an
    /// autoregressive flow takes `features` passes.
    pub fn flops(&self) -> usize {
        let hidden = self.hidden() as f64;
        // Two blocks of two square layers between the first and the last layer.
        let net = |c: Conditioners| c.count * 2.0 * hidden * (c.inputs + 4.0 * hidden + c.outputs);
        self.as_builder().conditioners().map(net).iter().sum::<f64>() as usize
    }

    /// Refuses a training with `rows` rows per step for which this machine has too little memory, where
    /// the system says how much there is.
    pub(crate) fn check_memory(&self, rows: usize) -> Result<(), FlowError> {
        let bytes = self.as_builder().training_bytes(rows as f64);
        match available_memory() {
            Some(available) if bytes > available => Err(FlowError::TooLarge {
                parameters: self.parameters() as f64,
                bytes,
                limit: format!("this machine has {} available", gib(available)),
            }),
            _ => Ok(()),
        }
    }
}

/// Memory that is not in use, in bytes.
fn available_memory() -> Option<f64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kib: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(1024.0 * kib)
}

#[cfg(test)]
mod tests {
    use burn::module::Module;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::{
        bijection::chain::Chain,
        device::{Precision, default_device},
        testing::configs,
        train::weights::trained,
    };

    #[test]
    fn parameters_are_those_that_are_trained() {
        let one = FlowConfig::builder(1).hidden(5).steps(3).build().unwrap();
        for config in configs().into_iter().chain([one]) {
            let mut rng = ChaCha8Rng::seed_from_u64(0);
            let options = Precision::F32.on(&default_device());
            let chain = Chain::init(&config, &mut rng, &options).train();
            assert_eq!(config.parameters(), trained(&chain), "{config:?}");
        }
    }

    #[test]
    fn the_race_cars_flow_takes_the_operations_of_its_specification() {
        let config = FlowConfig::builder(8).hidden(256).steps(10).build().unwrap();
        // 5.73 million multiplications and additions; `flops` leaves out the small ones.
        assert!((config.flops() as f64 / 5.73e6 - 1.0).abs() < 0.1, "{}", config.flops());
    }

    #[test]
    fn what_no_machine_holds_is_refused_with_its_size() {
        let refused = |builder: FlowConfigBuilder| {
            let error = builder.build().unwrap_err();
            assert!(matches!(error, FlowError::TooLarge { .. }), "{error}");
            error.to_string()
        };
        let two = || FlowConfig::builder(2);
        let text = refused(two().hidden(100_000).steps(6).batch_norm(false));
        // 6 (1e5 (1 + 1) + 4e5 (1e5 + 1) + 23 (1e5 + 1)) + 7 * 6.
        assert!(text.contains("240017400180 parameters"), "{text}");
        assert!(text.contains("GiB of memory") && text.contains("at most 268435456"), "{text}");
        refused(two().steps(1_000_000_000));
        refused(two().steps(usize::MAX).hidden(usize::MAX).bins(999));
        refused(FlowConfig::builder(usize::MAX));
        refused(FlowConfig::builder(usize::MAX).linear(LinearKind::Permutation).hidden(1));
        let many = two().hidden(1).steps(1_000_000).build().unwrap_err().to_string();
        assert!(many.contains("steps must be in 1..=1000, got 1000000"), "{many}");
    }

    #[test]
    fn a_batch_that_does_not_fit_this_machine_is_refused() {
        let config = FlowConfig::builder(2).build().unwrap();
        config.check_memory(256).unwrap();
        if available_memory().is_some() {
            let error = config.check_memory(1 << 50).unwrap_err().to_string();
            assert!(error.contains("this machine has"), "{error}");
        }
    }
}
