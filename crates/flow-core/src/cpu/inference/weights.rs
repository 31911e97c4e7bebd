//! Weights by name, in the form that packing needs.

use crate::{nn::batch_norm::EPSILON, state_dict::StateDict};

/// The weights of a flow; every tensor of the configuration exists.
pub(super) struct Weights<'a>(pub(super) &'a StateDict);

impl Weights<'_> {
    pub(super) fn get(&self, name: &str) -> &[f64] {
        &self.0.get(name).expect("a flow has every weight of its configuration").data
    }

    /// Weight `[outputs, inputs]`, with its mask applied, and bias.
    pub(super) fn linear(&self, prefix: &str) -> (Vec<f64>, Vec<f64>) {
        let mut weight = self.get(&format!("{prefix}.weight")).to_vec();
        if let Some(mask) = self.0.get(&format!("{prefix}.mask")) {
            weight.iter_mut().zip(&mask.data).for_each(|(w, m)| *w *= m);
        }
        (weight, self.get(&format!("{prefix}.bias")).to_vec())
    }

    /// Batch normalisation with its running statistics, as scale and shift of each unit.
    pub(super) fn batch_norm(&self, prefix: &str) -> (Vec<f64>, Vec<f64>) {
        let of = |name: &str| self.get(&format!("{prefix}.{name}"));
        let scale: Vec<f64> = of("weight")
            .iter()
            .zip(of("running_var"))
            .map(|(w, v)| w / (v + EPSILON).sqrt())
            .collect();
        let shift = of("bias").iter().zip(of("running_mean")).zip(&scale);
        let shift = shift.map(|((b, m), s)| b - m * s).collect();
        (scale, shift)
    }

    /// Residual blocks of the network under `prefix`.
    pub(super) fn blocks(&self, prefix: &str) -> usize {
        let mut blocks = 0;
        while self.0.get(&format!("{prefix}.blocks.{blocks}.linear_layers.0.weight")).is_some() {
            blocks += 1;
        }
        blocks
    }
}
