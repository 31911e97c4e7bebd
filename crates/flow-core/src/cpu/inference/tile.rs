//! A tile: the samples that pass through the flow together.

use nalgebra::DMatrixView;

use crate::{
    bijection::standardise::Standardise,
    cpu::{
        inference::{direction::Direction, net::Scratch},
        kernel::WIDTH,
    },
};

/// Panels of a tile.
const PANELS: usize = 12;
/// Samples of a tile.
pub(super) const TILE: usize = PANELS * WIDTH;

/// Samples in panels, with intermediate results.
pub(super) struct Tile {
    /// Panels of the features.
    pub(super) x: Vec<f32>,
    /// Panels of the conditioner's inputs.
    pub(super) condition: Vec<f32>,
    /// Panels of the conditioner's outputs.
    pub(super) raw: Vec<f32>,
    /// A copy of one panel.
    pub(super) row: Vec<f32>,
    pub(super) scratch: Scratch,
    /// Log-determinants of the current layer.
    pub(super) layer_ln_det: Vec<f32>,
    /// Log-determinants of all layers so far.
    pub(super) ln_det: Vec<f64>,
    pub(super) features: usize,
}

impl Tile {
    pub(super) fn new(features: usize) -> Self {
        Self {
            x: vec![0.0; features * TILE],
            condition: Vec::new(),
            raw: Vec::new(),
            row: Vec::new(),
            scratch: Scratch::default(),
            layer_ln_det: vec![0.0; TILE],
            ln_det: vec![0.0; TILE],
            features,
        }
    }

    /// Copies samples into panels, standardised if they are in the units of the data. The rest of the last
    /// panel is zero.
    pub(super) fn load(
        &mut self,
        direction: Direction,
        moments: Option<&Standardise>,
        input: DMatrixView<'_, f64>,
    ) {
        let d = self.features;
        let panels = input.ncols().div_ceil(WIDTH);
        self.x.clear();
        self.x.resize(panels * d * WIDTH, 0.0);
        for (n, sample) in input.column_iter().enumerate() {
            let panel = &mut self.x[n / WIDTH * d * WIDTH..];
            for (i, v) in sample.iter().enumerate() {
                let v = match (direction, moments) {
                    (Direction::Encode, Some(m)) => (v - m.mean()[i]) / m.sd()[i],
                    _ => *v,
                };
                panel[i * WIDTH + n % WIDTH] = v as f32;
            }
        }
    }

    /// Copies the panels back into samples.
    pub(super) fn store(
        &self,
        direction: Direction,
        moments: Option<&Standardise>,
        output: &mut [f64],
    ) {
        let d = self.features;
        for (n, sample) in output.chunks_exact_mut(d).enumerate() {
            let panel = &self.x[n / WIDTH * d * WIDTH..];
            for (i, v) in sample.iter_mut().enumerate() {
                let value = f64::from(panel[i * WIDTH + n % WIDTH]);
                *v = match (direction, moments) {
                    (Direction::Decode, Some(m)) => value * m.sd()[i] + m.mean()[i],
                    _ => value,
                };
            }
        }
    }

    /// Copies the log-determinants, with that of the standardisation.
    pub(super) fn store_ln_det(
        &self,
        direction: Direction,
        moments: Option<&Standardise>,
        ln_det: &mut [f64],
    ) {
        let standardise = moments.map_or(0.0, Standardise::ln_det);
        let constant = match direction {
            Direction::Encode => standardise,
            Direction::Decode => -standardise,
        };
        ln_det.iter_mut().zip(&self.ln_det).for_each(|(out, sum)| *out = sum + constant);
    }

    /// Sets the log-determinants of the current layer to zero.
    #[inline(always)]
    pub(super) fn begin_layer<const LN_DET: bool>(&mut self) {
        if LN_DET {
            self.layer_ln_det.fill(0.0);
        }
    }

    /// Adds the log-determinants of the current layer to those of the flow.
    #[inline(always)]
    pub(super) fn end_layer<const LN_DET: bool>(&mut self) {
        if LN_DET {
            let layer = self.layer_ln_det.iter().map(|v| f64::from(*v));
            self.ln_det.iter_mut().zip(layer).for_each(|(sum, v)| *sum += v);
        }
    }
}
