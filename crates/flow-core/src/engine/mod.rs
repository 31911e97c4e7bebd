//! The compiled path for inference on the CPU.
//!
//! The weights are taken out of the chain once: batch normalisation becomes scales and shifts of the
//! layers around it, permutations and LU factors become one small matrix for each direction, and the
//! matrices of the networks are packed for the innermost loop. A tile of some hundred samples then
//! goes through the whole flow while it is in cache, sixteen samples to a register, and tiles run in
//! parallel. Numbers come in and go out in double precision; in between they are single.
//!
//! The instruction set is chosen at run time (AVX-512, AVX2 with FMA, or portable). A sample's result
//! depends on that, but not on the number of threads nor on the samples beside it.

#![expect(clippy::inline_always, reason = "vector code works only where all of it is inlined")]

mod linear;
mod math;
mod matrix;
mod net;
mod spline;
mod weights;

use nalgebra::DMatrixView;
use pulp::{Arch, Simd, WithSimd};
use rayon::prelude::*;

use self::{
    linear::Affine,
    matrix::WIDTH,
    net::{Net, Scratch},
    spline::Spline,
    weights::Weights,
};
use crate::{
    BaseKind, FlowConfig, LinearKind, StateDict,
    bijection::{Standardize, coupling_features},
};

/// Panels that go through the flow together.
const PANELS: usize = 5;
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

/// Samples on their way through the flow.
struct Tile {
    /// Panels of the features.
    x: Vec<f32>,
    /// Panels of what steers.
    steering: Vec<f32>,
    /// Panels of what the network supplies.
    raw: Vec<f32>,
    row: Vec<f32>,
    scratch: Scratch,
    /// Log-determinants of a layer, and of all so far.
    layer_ln_det: Vec<f32>,
    ln_det: Vec<f64>,
    features: usize,
}

impl Tile {
    fn new(features: usize) -> Self {
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
    fn load(&mut self, direction: Direction, moments: &Standardize, input: DMatrixView<'_, f64>) {
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

    fn store(
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

impl Tile {
    #[inline(always)]
    fn add_ln_det(&mut self) {
        let layer = self.layer_ln_det.iter().map(|v| f64::from(*v));
        self.ln_det.iter_mut().zip(layer).for_each(|(sum, v)| *sum += v);
    }
}

#[cfg(test)]
mod tests {
    use nalgebra::{DMatrix, DVector};
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;
    use rand_distr::StandardNormal;

    use super::*;
    use crate::{Flow, Precision, default_device};

    fn normals(d: usize, n: usize, seed: u64) -> DMatrix<f64> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        DMatrix::from_fn(d, n, |_, _| rng.sample(StandardNormal))
    }

    /// A flow with every weight moved away from its start.
    fn shaken(config: &FlowConfig) -> (StateDict, Standardize) {
        let d = config.features;
        let moments = Standardize::new(vec![3.0; d], vec![0.5; d]).unwrap();
        let device = default_device();
        let flow = Flow::init(config, moments.clone(), 1, Precision::F64, &device).unwrap();
        let mut state = flow.state_dict().unwrap();
        let mut rng = ChaCha8Rng::seed_from_u64(2);
        let names: Vec<_> = state.iter().map(|(name, _)| name.to_owned()).collect();
        for name in names {
            let mut tensor = state.get(&name).unwrap().clone();
            // Wide layers add up more terms, so each may move less.
            let scale = match name.as_str() {
                n if n.ends_with("mask") || tensor.integer => 0.0,
                n if n.contains("net") => 0.6 / (config.hidden as f64).sqrt(),
                _ => 0.2,
            };
            for v in &mut tensor.data {
                *v += scale * rng.sample::<f64, _>(StandardNormal);
            }
            if name.ends_with("running_var") {
                tensor.data.iter_mut().for_each(|v| *v = v.abs() + 0.1);
            }
            state.insert(name, tensor);
        }
        (state, moments)
    }

    fn configs() -> Vec<FlowConfig> {
        let mut all = Vec::new();
        for (d, hidden, steps, bins) in
            [(2, 12, 2, 8), (3, 64, 5, 8), (5, 64, 3, 4), (8, 256, 4, 8), (12, 64, 4, 12)]
        {
            for batch_norm in [false, true] {
                for linear in [LinearKind::Lu, LinearKind::Permutation] {
                    for base in [BaseKind::Coupling, BaseKind::Autoregressive] {
                        all.push(FlowConfig {
                            hidden,
                            steps,
                            bins,
                            batch_norm,
                            linear,
                            base,
                            tail_bound: 3.5,
                            ..FlowConfig::new(d)
                        });
                    }
                }
            }
        }
        all
    }

    fn run(
        engine: &Engine,
        direction: Direction,
        moments: &Standardize,
        x: &DMatrix<f64>,
    ) -> (DMatrix<f64>, DVector<f64>) {
        let (mut y, mut ln_det) = (x.clone(), DVector::zeros(x.ncols()));
        engine.run(direction, moments, x.as_view(), y.as_mut_slice(), ln_det.as_mut_slice());
        (y, ln_det)
    }

    /// Root mean square and largest entry of the difference.
    fn deviation<'a>(
        a: impl IntoIterator<Item = &'a f64>,
        b: impl IntoIterator<Item = &'a f64>,
    ) -> [f64; 2] {
        let all: Vec<f64> = a.into_iter().zip(b).map(|(a, b)| (a - b).abs()).collect();
        let square: f64 = all.iter().map(|v| v * v).sum();
        [(square / all.len() as f64).sqrt(), all.iter().fold(0.0, |a, b| a.max(*b))]
    }

    /// Every configuration, direction and instruction set against burn in double precision.
    ///
    /// Burn's own single precision is the yardstick. Rounding differs between two correct
    /// implementations, and a few samples near steep places carry most of the error: the root mean
    /// square may be four times burn's, the worst sample twenty times, each with a floor of 1e-5.
    #[test]
    fn it_agrees_with_burn_on_every_configuration() {
        let device = default_device();
        for config in configs() {
            let (state, moments) = shaken(&config);
            let flow = |precision| {
                Flow::from_state_dict(&config, moments.clone(), state.clone(), precision, &device)
                    .unwrap()
            };
            let (double, single) = (flow(Precision::F64), flow(Precision::F32));
            for (scale, direction) in
                [(1.0, Direction::Encode), (1.0, Direction::Decode), (2.5, Direction::Decode)]
            {
                let mut x = normals(config.features, 300, 5).map(|v| scale * v);
                if direction == Direction::Encode {
                    x = moments.undo(x.as_view());
                }
                let truth = double.map_by_burn(direction, x.as_view()).unwrap();
                let theirs = single.map_by_burn(direction, x.as_view()).unwrap();
                let points = deviation(&theirs.points, &truth.points);
                let ln_det = deviation(&theirs.ln_det, &truth.ln_det);
                let mut engine = Engine::compile(&config, &state);
                let mut archs = vec![Arch::Scalar, Arch::new()];
                #[cfg(target_arch = "x86_64")]
                archs.extend(pulp::x86::V3::try_new().map(Arch::V3));
                for arch in archs {
                    engine.arch = arch;
                    let (y, ln) = run(&engine, direction, &moments, &x);
                    let (y, ln) = (deviation(&y, &truth.points), deviation(&ln, &truth.ln_det));
                    for (ours, burns) in [(y, points), (ln, ln_det)] {
                        assert!(
                            ours[0] <= 4.0 * burns[0] + 1e-5 && ours[1] <= 20.0 * burns[1] + 1e-5,
                            "{config:?} {direction:?} {scale} {arch:?}: {ours:?}, burn {burns:?}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn a_sample_does_not_depend_on_threads_or_on_those_beside_it() {
        let config = FlowConfig { hidden: 16, steps: 2, ..FlowConfig::new(3) };
        let (state, moments) = shaken(&config);
        let engine = Engine::compile(&config, &state);
        let x = normals(3, 700, 1);
        let go = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| run(&engine, Direction::Decode, &moments, &x))
        };
        let whole = go(1);
        assert_eq!(whole, go(2));
        for (first, n) in [(0, 0), (0, 1), (5, 47), (100, 241), (300, 255)] {
            let part: DMatrix<f64> = x.columns(first, n).into();
            let (y, ln_det) = run(&engine, Direction::Decode, &moments, &part);
            assert_eq!(y, whole.0.columns(first, n));
            assert_eq!(ln_det, whole.1.rows(first, n));
        }
    }
}
