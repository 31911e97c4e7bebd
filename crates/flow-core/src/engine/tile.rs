//! Some hundred samples on their way through the flow, in panels.

use nalgebra::DMatrixView;

use super::{Direction, TILE, matrix::WIDTH, net::Scratch};
use crate::bijection::Standardize;

/// Samples on their way through the flow.
pub(super) struct Tile {
    /// Panels of the features.
    pub(super) x: Vec<f32>,
    /// Panels of what steers.
    pub(super) steering: Vec<f32>,
    /// Panels of what the network supplies.
    pub(super) raw: Vec<f32>,
    pub(super) row: Vec<f32>,
    pub(super) scratch: Scratch,
    /// Log-determinants of a layer, and of all so far.
    pub(super) layer_ln_det: Vec<f32>,
    pub(super) ln_det: Vec<f64>,
    pub(super) features: usize,
}

impl Tile {
    pub(super) fn new(features: usize) -> Self {
        Self {
            x: vec![0.0; features * TILE],
            steering: Vec::new(),
            raw: Vec::new(),
            row: Vec::new(),
            scratch: Scratch::default(),
            layer_ln_det: vec![0.0; TILE],
            ln_det: vec![0.0; TILE],
            features,
        }
    }

    /// Turns rows of the batch into panels; what is left of the last panel is zero.
    pub(super) fn load(
        &mut self,
        direction: Direction,
        moments: &Standardize,
        input: DMatrixView<'_, f64>,
    ) {
        let d = self.features;
        let panels = input.ncols().div_ceil(WIDTH);
        self.x.clear();
        self.x.resize(panels * d * WIDTH, 0.0);
        for (n, sample) in input.column_iter().enumerate() {
            let panel = &mut self.x[n / WIDTH * d * WIDTH..];
            for (i, v) in sample.iter().enumerate() {
                let v = match direction {
                    Direction::Encode => (v - moments.mean()[i]) / moments.sd()[i],
                    Direction::Decode => *v,
                };
                panel[i * WIDTH + n % WIDTH] = v as f32;
            }
        }
    }

    pub(super) fn store(
        &self,
        direction: Direction,
        moments: &Standardize,
        output: &mut [f64],
        ln_det: &mut [f64],
    ) {
        let d = self.features;
        for (n, sample) in output.chunks_exact_mut(d).enumerate() {
            let panel = &self.x[n / WIDTH * d * WIDTH..];
            for (i, v) in sample.iter_mut().enumerate() {
                let z = f64::from(panel[i * WIDTH + n % WIDTH]);
                *v = match direction {
                    Direction::Encode => z,
                    Direction::Decode => z * moments.sd()[i] + moments.mean()[i],
                };
            }
        }
        let constant = match direction {
            Direction::Encode => moments.ln_det(),
            Direction::Decode => -moments.ln_det(),
        };
        ln_det.iter_mut().zip(&self.ln_det).for_each(|(out, sum)| *out = sum + constant);
    }

    /// Adds the log-determinants of a layer to those of the flow.
    #[inline(always)]
    pub(super) fn add_ln_det(&mut self) {
        let layer = self.layer_ln_det.iter().map(|v| f64::from(*v));
        self.ln_det.iter_mut().zip(layer).for_each(|(sum, v)| *sum += v);
    }
}
