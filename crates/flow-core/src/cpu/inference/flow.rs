//! The whole flow for inference.

use nalgebra::DMatrixView;
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use crate::{
    bijection::standardise::Standardise,
    config::{FlowConfig, LinearKind, TransformKind},
    cpu::{
        inference::{
            direction::Direction,
            layer::{Conditioning, Layer},
            linear::Affine,
            net::Net,
            spline::Spline,
            tile::{TILE, Tile},
            weights::Weights,
        },
        kernel::WIDTH,
    },
    error::FlowError,
    state_dict::StateDict,
};

/// A flow with its weights packed for inference.
#[derive(Clone, Debug)]
pub(crate) struct InferenceFlow {
    features: usize,
    affine: Vec<Affine>,
    layers: Vec<Layer>,
    spline: Spline,
    pub(super) arch: Arch,
}

impl InferenceFlow {
    /// Packs the weights of a flow, which must be those of `config`.
    ///
    /// # Errors
    /// [`FlowError::Weights`] when a linear map has no inverse in double precision.
    pub(crate) fn pack(config: &FlowConfig, state: &StateDict) -> Result<Self, FlowError> {
        let weights = Weights(state);
        let linear = match config.linear() {
            LinearKind::Lu => 2,
            LinearKind::Permutation => 1,
        };
        let prefix = |index: usize| format!("_transform._transforms.{index}");
        let affine = (0..=config.steps())
            .map(|step| {
                let first = step * (linear + 1);
                let prefixes: Vec<_> = (first..first + linear).map(prefix).collect();
                Affine::new(&weights, config.features(), &prefixes)
            })
            .collect::<Result<_, _>>()?;
        let spline = Spline { bins: config.bins(), bound: config.tail_bound() as f32 };
        let layer = |step: usize| {
            let place = prefix(step * (linear + 1) + linear);
            match config.transform() {
                TransformKind::Coupling => {
                    let (transformed, identity) = config.coupling_features(step);
                    // Raw widths and heights are scaled.
                    let scale = 1.0 / (config.hidden() as f64).sqrt();
                    let scale = |output: usize| {
                        if output % spline.raw_len() < 2 * config.bins() { scale } else { 1.0 }
                    };
                    let net = format!("{place}.transform_net");
                    Layer {
                        net: Net::new(&weights, &net, config, scale),
                        conditioning: Conditioning::Coupling { identity, transformed },
                    }
                }
                TransformKind::Autoregressive => {
                    let net = format!("{place}.autoregressive_net");
                    Layer {
                        net: Net::new(&weights, &net, config, |_| 1.0),
                        conditioning: Conditioning::Autoregressive,
                    }
                }
            }
        };
        let layers = (0..config.steps()).map(layer).collect();
        Ok(Self { features: config.features(), affine, layers, spline, arch: Arch::new() })
    }

    /// Maps samples: `input` and `output` are `[d, n]`, and `ln_det`, `[n]`, is the log-determinant of
    /// the direction taken. With `moments`, outcomes are in the units of the data, without in
    /// standardised units.
    ///
    /// Beside these, memory for one tile per thread is used.
    pub(crate) fn run(
        &self,
        direction: Direction,
        moments: Option<&Standardise>,
        input: DMatrixView<'_, f64>,
        output: &mut [f64],
        ln_det: &mut [f64],
    ) {
        let d = self.features;
        output.par_chunks_mut(d * TILE).zip(ln_det.par_chunks_mut(TILE)).enumerate().for_each_init(
            || Tile::new(d),
            |tile, (i, (output, ln_det))| {
                tile.load(direction, moments, input.columns(i * TILE, ln_det.len()));
                self.arch.dispatch(Pass::<true> { flow: self, direction, tile: &mut *tile });
                tile.store(direction, moments, output);
                tile.store_ln_det(direction, moments, ln_det);
            },
        );
    }

    /// As [`run`](Self::run), without log-determinants: they are not computed. The points are the same
    /// to the last bit.
    pub(crate) fn run_points(
        &self,
        direction: Direction,
        moments: Option<&Standardise>,
        input: DMatrixView<'_, f64>,
        output: &mut [f64],
    ) {
        let d = self.features;
        output.par_chunks_mut(d * TILE).enumerate().for_each_init(
            || Tile::new(d),
            |tile, (i, output)| {
                tile.load(direction, moments, input.columns(i * TILE, output.len() / d));
                self.arch.dispatch(Pass::<false> { flow: self, direction, tile: &mut *tile });
                tile.store(direction, moments, output);
            },
        );
    }

    /// Sum of the constant log-determinants of the linear parts, in encoding direction.
    fn linear_ln_det(&self) -> f64 {
        self.affine.iter().map(|affine| affine.ln_det).sum()
    }

    #[inline(always)]
    fn affine(&self, step: usize, direction: Direction, tile: &mut Tile) {
        for panel in tile.x.chunks_exact_mut(self.features * WIDTH) {
            self.affine[step].apply(direction == Direction::Encode, panel, &mut tile.row);
        }
    }
}

/// One tile through the whole flow, compiled for each instruction set; with log-determinants if
/// `LN_DET`.
struct Pass<'a, const LN_DET: bool> {
    flow: &'a InferenceFlow,
    direction: Direction,
    tile: &'a mut Tile,
}

impl<const LN_DET: bool> WithSimd for Pass<'_, LN_DET> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { flow, direction, tile } = self;
        if LN_DET {
            let sign = if direction == Direction::Encode { 1.0 } else { -1.0 };
            tile.ln_det.fill(sign * flow.linear_ln_det());
        }
        let steps = flow.layers.len();
        match direction {
            Direction::Encode => {
                for step in 0..steps {
                    flow.affine(step, direction, tile);
                    flow.layers[step].encode::<S, LN_DET>(simd, &flow.spline, tile);
                }
                flow.affine(steps, direction, tile);
            }
            Direction::Decode => {
                flow.affine(steps, direction, tile);
                for step in (0..steps).rev() {
                    flow.layers[step].decode::<S, LN_DET>(simd, &flow.spline, tile);
                    flow.affine(step, direction, tile);
                }
            }
        }
    }
}
