//! The compiled path for inference on the CPU.
//!
//! The weights are taken out of the chain once: batch normalisation becomes scales and shifts of the
//! layers around it, permutations and LU factors become one small matrix for each direction, and the
//! matrices of the networks are packed for the innermost loop. A tile of some hundred samples then
//! goes through the whole flow while it is in cache, sixteen samples to a panel, and tiles run in
//! parallel. Numbers come in and go out in double precision; in between they are single.
//!
//! The instruction set is chosen at run time (AVX-512, AVX2 with FMA, or portable). A sample's result
//! depends on that, but not on the number of threads nor on the samples beside it.

#![expect(clippy::inline_always, reason = "vector code works only where all of it is inlined")]

mod linear;
pub(crate) mod math;
mod matrix;
mod net;
mod spline;
mod tile;
mod weights;

use nalgebra::DMatrixView;
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use self::{linear::Affine, matrix::WIDTH, net::Net, spline::Spline, tile::Tile, weights::Weights};
use crate::{
    BaseKind, FlowConfig, LinearKind, StateDict,
    bijection::{Standardize, coupling_features},
};

/// Panels that go through the flow together.
const PANELS: usize = 12;
/// Samples in a tile.
const TILE: usize = PANELS * WIDTH;

/// The direction of a pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    /// From data to latent.
    Encode,
    /// From latent to data.
    Decode,
}

/// A flow ready for inference on the CPU.
#[derive(Clone, Debug)]
pub(crate) struct Engine {
    features: usize,
    affine: Vec<Affine>,
    layers: Vec<Layer>,
    spline: Spline,
    arch: Arch,
}

/// A spline layer.
#[derive(Clone, Debug)]
struct Layer {
    net: Net,
    steering: Steering,
}

/// Which features steer which.
#[derive(Clone, Debug)]
enum Steering {
    Coupling { identity: Vec<usize>, transformed: Vec<usize> },
    Autoregressive,
}

impl Engine {
    /// Compiles a flow from its weights, which must be those of `config`.
    pub(crate) fn compile(config: &FlowConfig, state: &StateDict) -> Self {
        let weights = Weights(state);
        let linear = match config.linear {
            LinearKind::Lu => 2,
            LinearKind::Permutation => 1,
        };
        let prefix = |index: usize| format!("_transform._transforms.{index}");
        let affine = (0..=config.steps)
            .map(|step| {
                let first = step * (linear + 1);
                let prefixes: Vec<_> = (first..first + linear).map(prefix).collect();
                Affine::new(&weights, config.features, &prefixes)
            })
            .collect();
        let spline = Spline { bins: config.bins, bound: config.tail_bound as f32 };
        let layer = |step: usize| {
            let place = prefix(step * (linear + 1) + linear);
            match config.base {
                BaseKind::Coupling => {
                    let (transformed, identity) = coupling_features(config.features, step);
                    // Raw widths and heights are divided by this.
                    let divisor = (config.hidden as f64).sqrt();
                    let scale = |output: usize| {
                        if output % spline.raw_len() < 2 * config.bins {
                            1.0 / divisor
                        } else {
                            1.0
                        }
                    };
                    let net = format!("{place}.transform_net");
                    Layer {
                        net: Net::new(&weights, &net, config, scale),
                        steering: Steering::Coupling { identity, transformed },
                    }
                }
                BaseKind::Autoregressive => {
                    let net = format!("{place}.autoregressive_net");
                    Layer {
                        net: Net::new(&weights, &net, config, |_| 1.0),
                        steering: Steering::Autoregressive,
                    }
                }
            }
        };
        let layers = (0..config.steps).map(layer).collect();
        Self { features: config.features, affine, layers, spline, arch: Arch::new() }
    }

    /// Sends samples through the flow: `input` is `[d, n]` and `output` holds the same, in the units
    /// of the data on the data's side; `ln_det`, `[n]`, is the log-determinant of the direction taken.
    ///
    /// Nothing but a tile for each thread is held beside these.
    pub(crate) fn run(
        &self,
        direction: Direction,
        moments: &Standardize,
        input: DMatrixView<'_, f64>,
        output: &mut [f64],
        ln_det: &mut [f64],
    ) {
        let d = self.features;
        output.par_chunks_mut(d * TILE).zip(ln_det.par_chunks_mut(TILE)).enumerate().for_each_init(
            || Tile::new(d),
            |tile, (i, (output, ln_det))| {
                tile.load(direction, moments, input.columns(i * TILE, ln_det.len()));
                self.arch.dispatch(Pass { engine: self, direction, tile: &mut *tile });
                tile.store(direction, moments, output, ln_det);
            },
        );
    }

    /// Sum of the constant log-determinants of the linear parts, in encoding direction.
    fn linear_ln_det(&self) -> f64 {
        self.affine.iter().map(|affine| affine.ln_det).sum()
    }
}

/// One tile through the whole flow, compiled for each instruction set.
struct Pass<'a> {
    engine: &'a Engine,
    direction: Direction,
    tile: &'a mut Tile,
}

impl WithSimd for Pass<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { engine, direction, tile } = self;
        let sign = if direction == Direction::Encode { 1.0 } else { -1.0 };
        tile.ln_det.fill(sign * engine.linear_ln_det());
        let steps = engine.layers.len();
        match direction {
            Direction::Encode => {
                for step in 0..steps {
                    engine.affine(step, direction, tile);
                    engine.layers[step].encode(simd, &engine.spline, tile);
                }
                engine.affine(steps, direction, tile);
            }
            Direction::Decode => {
                engine.affine(steps, direction, tile);
                for step in (0..steps).rev() {
                    engine.layers[step].decode(simd, &engine.spline, tile);
                    engine.affine(step, direction, tile);
                }
            }
        }
    }
}

impl Engine {
    #[inline(always)]
    fn affine(&self, step: usize, direction: Direction, tile: &mut Tile) {
        for panel in tile.x.chunks_exact_mut(self.features * WIDTH) {
            self.affine[step].apply(direction == Direction::Encode, panel, &mut tile.row);
        }
    }
}

impl Layer {
    #[inline(always)]
    fn encode<S: Simd>(&self, simd: S, spline: &Spline, tile: &mut Tile) {
        tile.layer_ln_det.fill(0.0);
        self.raw(simd, tile);
        match &self.steering {
            Steering::Coupling { transformed, .. } => {
                for (t, &feature) in transformed.iter().enumerate() {
                    self.bend::<true>(spline, t, feature, tile);
                }
            }
            Steering::Autoregressive => {
                for feature in 0..tile.features {
                    self.bend::<true>(spline, feature, feature, tile);
                }
            }
        }
        tile.add_ln_det();
    }

    #[inline(always)]
    fn decode<S: Simd>(&self, simd: S, spline: &Spline, tile: &mut Tile) {
        tile.layer_ln_det.fill(0.0);
        match &self.steering {
            Steering::Coupling { transformed, .. } => {
                self.raw(simd, tile);
                for (t, &feature) in transformed.iter().enumerate() {
                    self.bend::<false>(spline, t, feature, tile);
                }
            }
            // A feature needs those before it, so one pass each.
            Steering::Autoregressive => {
                for feature in 0..tile.features {
                    self.raw(simd, tile);
                    self.bend::<false>(spline, feature, feature, tile);
                }
            }
        }
        tile.add_ln_det();
    }

    /// Runs the network.
    #[inline(always)]
    fn raw<S: Simd>(&self, simd: S, tile: &mut Tile) {
        let len = tile.features * WIDTH;
        tile.raw.resize(tile.x.len() / len * self.net.outputs() * WIDTH, 0.0);
        match &self.steering {
            Steering::Coupling { identity, .. } => {
                tile.steering.clear();
                for panel in tile.x.chunks_exact(len) {
                    for &i in identity {
                        tile.steering.extend_from_slice(&panel[i * WIDTH..][..WIDTH]);
                    }
                }
                let steering = identity.len() * WIDTH;
                self.net.apply(simd, &tile.steering, steering, &mut tile.raw, &mut tile.scratch);
            }
            Steering::Autoregressive => {
                self.net.apply(simd, &tile.x, len, &mut tile.raw, &mut tile.scratch);
            }
        }
    }

    /// Sends `feature` through the spline with the `t`th parameters.
    #[inline(always)]
    fn bend<const ENCODE: bool>(&self, spline: &Spline, t: usize, feature: usize, tile: &mut Tile) {
        let x = tile.x.chunks_exact_mut(tile.features * WIDTH);
        let raw = tile.raw.chunks_exact(self.net.outputs() * WIDTH);
        for ((x, raw), ln_det) in x.zip(raw).zip(tile.layer_ln_det.chunks_exact_mut(WIDTH)) {
            let raw = &raw[t * spline.raw_len() * WIDTH..];
            let x = &mut x[feature * WIDTH..][..WIDTH];
            let x = x.try_into().expect("a row of the panel");
            let ln_det = ln_det.try_into().expect("a row of the panel");
            if ENCODE { spline.encode(raw, x, ln_det) } else { spline.decode(raw, x, ln_det) }
        }
    }
}

#[cfg(test)]
mod tests;
