//! A flow: standardisation, a chain of bijections and a standard normal base.

use std::sync::{Arc, OnceLock};

use burn::{
    module::Module,
    tensor::{Device, Tensor, TensorData},
};
use nalgebra::{DMatrix, DMatrixView, DVector};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use rayon::prelude::*;

use crate::{
    FlowConfig, FlowError, Precision, StateDict,
    bijection::{Bijection, Chain, Standardize, check_finite},
    device::is_cpu,
    engine::{Direction, Engine},
    state_dict::to_host,
};

/// Rows that go through the chain together where burn computes.
const TILE: usize = 2048;
/// The same on a GPU, which few rows leave idle.
const GPU_TILE: usize = 16_384;
/// Natural logarithm of $2\pi$.
pub(crate) const LN_2PI: f64 = 1.837_877_066_409_345_3;

/// A normalizing flow between a standard normal latent and outcomes in their own units.
///
/// Batches are `[d, n]`, one sample a column, in double precision; the chain computes in the flow's
/// own [`Precision`]. In single precision on a CPU that is done by a compiled path of its own, without
/// burn.
#[derive(Clone, Debug)]
pub struct Flow {
    chain: Chain,
    standardize: Standardize,
    config: FlowConfig,
    precision: Precision,
    /// Compiled on first use; `None` where burn computes.
    engine: OnceLock<Option<Arc<Engine>>>,
}

/// Images of a batch; the default is that of an empty one.
#[derive(Clone, Debug, PartialEq)]
pub struct Image {
    /// The images, `[d, n]`.
    pub points: DMatrix<f64>,
    /// Log of the absolute Jacobian determinant of the direction taken, `[n]`.
    pub ln_det: DVector<f64>,
}

impl Default for Image {
    fn default() -> Self {
        Self { points: DMatrix::zeros(0, 0), ln_det: DVector::zeros(0) }
    }
}

impl Flow {
    /// An untrained flow; equal seeds give equal weights on every device.
    ///
    /// # Errors
    /// [`FlowError::Setting`] for a configuration out of range, [`FlowError::Features`] when the
    /// standardisation has another number of features.
    pub fn init(
        config: &FlowConfig,
        standardize: Standardize,
        seed: u64,
        precision: Precision,
        device: &Device,
    ) -> Result<Self, FlowError> {
        check(config, &standardize)?;
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let chain = Chain::init(config, &mut rng, &precision.on(device));
        Ok(Self::assemble(chain, standardize, config, precision))
    }

    /// A flow with given weights under their `nflows` names.
    ///
    /// # Errors
    /// As [`init`](Self::init), and [`FlowError::Weights`] naming every tensor that is missing, left
    /// over, mis-shaped or not finite.
    pub fn from_state_dict(
        config: &FlowConfig,
        standardize: Standardize,
        mut state: StateDict,
        precision: Precision,
        device: &Device,
    ) -> Result<Self, FlowError> {
        check(config, &standardize)?;
        let chain = Chain::import(config, &mut state, &precision.on(device));
        state.finish()?;
        Ok(Self::assemble(chain, standardize, config, precision))
    }

    fn assemble(
        chain: Chain,
        standardize: Standardize,
        config: &FlowConfig,
        precision: Precision,
    ) -> Self {
        let (config, engine) = (config.clone(), OnceLock::new());
        Self { chain, standardize, config, precision, engine }
    }

    /// The weights under their `nflows` names.
    ///
    /// # Errors
    /// [`FlowError::Execution`] when the device cannot be read.
    pub fn state_dict(&self) -> Result<StateDict, FlowError> {
        let mut state = StateDict::default();
        self.chain.export(&mut state)?;
        Ok(state)
    }

    /// Number of features `d`.
    pub fn features(&self) -> usize {
        self.config.features
    }

    /// The architecture.
    pub fn config(&self) -> &FlowConfig {
        &self.config
    }

    /// The moments that features are standardised with.
    pub fn standardize(&self) -> &Standardize {
        &self.standardize
    }

    /// The precision the chain computes in.
    pub fn precision(&self) -> Precision {
        self.precision
    }

    /// The layers between standardised features and latent, as a burn module.
    pub fn chain(&self) -> &Chain {
        &self.chain
    }

    /// $u = T^{-1}(x)$ with $\log|\det \partial u/\partial x|$.
    ///
    /// # Shapes
    /// - `x`: `[d, n]`
    ///
    /// # Errors
    /// [`FlowError::Features`], [`FlowError::NotFinite`], [`FlowError::Execution`].
    pub fn encode(&self, x: DMatrixView<'_, f64>) -> Result<Image, FlowError> {
        let mut image = Image::default();
        self.encode_into(x, &mut image)?;
        Ok(image)
    }

    /// As [`encode`](Self::encode), into the memory of `image`: any number of rows goes through block
    /// by block in constant space.
    ///
    /// # Shapes
    /// - `x`: `[d, n]`; `image` takes the shape it needs
    ///
    /// # Errors
    /// As [`encode`](Self::encode); `image` is then as it was.
    pub fn encode_into(&self, x: DMatrixView<'_, f64>, image: &mut Image) -> Result<(), FlowError> {
        self.check_batch(x)?;
        self.map(Direction::Encode, x, image)
    }

    /// $x = T(u)$ with $\log|\det \partial x/\partial u|$.
    ///
    /// # Shapes
    /// - `u`: `[d, n]`
    ///
    /// # Errors
    /// As [`encode`](Self::encode).
    pub fn decode(&self, u: DMatrixView<'_, f64>) -> Result<Image, FlowError> {
        let mut image = Image::default();
        self.decode_into(u, &mut image)?;
        Ok(image)
    }

    /// As [`decode`](Self::decode), into the memory of `image`.
    ///
    /// # Shapes
    /// - `u`: `[d, n]`; `image` takes the shape it needs
    ///
    /// # Errors
    /// As [`encode_into`](Self::encode_into).
    pub fn decode_into(&self, u: DMatrixView<'_, f64>, image: &mut Image) -> Result<(), FlowError> {
        self.check_batch(u)?;
        self.map(Direction::Decode, u, image)
    }

    /// $\log p_X(x) = \log \varphi_d(T^{-1}(x)) + \log|\det \partial u/\partial x|$.
    ///
    /// # Shapes
    /// - `x`: `[d, n]`; returns `[n]`
    ///
    /// # Errors
    /// As [`encode`](Self::encode).
    pub fn log_prob(&self, x: DMatrixView<'_, f64>) -> Result<DVector<f64>, FlowError> {
        let image = self.encode(x)?;
        let constant = 0.5 * self.features() as f64 * LN_2PI;
        Ok(DVector::from_iterator(
            x.ncols(),
            image
                .points
                .column_iter()
                .zip(image.ln_det.iter())
                .map(|(u, ln_det)| ln_det - constant - 0.5 * u.norm_squared()),
        ))
    }

    /// `n` independent outcomes, a function of `seed` alone.
    ///
    /// # Shapes
    /// - returns `[d, n]`
    ///
    /// # Errors
    /// [`FlowError::Execution`] when the device fails.
    pub fn sample(&self, n: usize, seed: u64) -> Result<DMatrix<f64>, FlowError> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let u = DMatrix::from_fn(self.features(), n, |_, _| StandardNormal.sample(&mut rng));
        Ok(self.decode(u.as_view())?.points)
    }

    /// Mean log-likelihood of standardised rows, in standardised units.
    pub(crate) fn mean_log_prob(&self, rows: &[f64]) -> Result<f64, FlowError> {
        let d = self.features();
        let n = rows.len() / d;
        let z = DMatrixView::from_slice(rows, d, n);
        let x = self.standardize.undo(z);
        Ok(self.log_prob(x.as_view())?.mean() - self.standardize.ln_det())
    }

    /// Puts other weights in place of the present ones.
    pub(crate) fn set_chain(&mut self, chain: Chain) {
        self.chain = chain;
        self.engine = OnceLock::new();
    }

    /// The flow with another chain of the same architecture.
    #[must_use]
    pub fn with_chain(mut self, chain: Chain) -> Self {
        self.set_chain(chain);
        self
    }

    fn check_batch(&self, x: DMatrixView<'_, f64>) -> Result<(), FlowError> {
        if x.nrows() != self.features() {
            return Err(FlowError::Features { expected: self.features(), actual: x.nrows() });
        }
        check_finite(x)
    }

    /// The engine, where it computes.
    fn engine(&self) -> Result<Option<&Engine>, FlowError> {
        if self.engine.get().is_none() {
            let engine = if self.precision == Precision::F32 && is_cpu(&self.device()) {
                Some(Arc::new(Engine::compile(&self.config, &self.state_dict()?)))
            } else {
                None
            };
            // Another thread may have been first, with the same engine.
            let _ = self.engine.set(engine);
        }
        Ok(self.engine.get().and_then(Option::as_deref))
    }

    /// Sends a batch through the flow.
    fn map(
        &self,
        direction: Direction,
        x: DMatrixView<'_, f64>,
        image: &mut Image,
    ) -> Result<(), FlowError> {
        let Some(engine) = self.engine()? else {
            *image = self.map_by_burn(direction, x)?;
            return Ok(());
        };
        if image.points.shape() != x.shape() {
            image.points = DMatrix::zeros(x.nrows(), x.ncols());
        }
        if image.ln_det.len() != x.ncols() {
            image.ln_det = DVector::zeros(x.ncols());
        }
        let (points, ln_det) = (image.points.as_mut_slice(), image.ln_det.as_mut_slice());
        engine.run(direction, &self.standardize, x, points, ln_det);
        Ok(())
    }

    /// Sends a batch through the burn modules, tile by tile: on a CPU in parallel, on a GPU one after the
    /// other. Tiles do not depend on their neighbours, so the result does not depend on the number of threads.
    pub(crate) fn map_by_burn(
        &self,
        direction: Direction,
        x: DMatrixView<'_, f64>,
    ) -> Result<Image, FlowError> {
        let (d, n) = x.shape();
        let x = match direction {
            Direction::Encode => self.standardize.apply(x),
            Direction::Decode => x.into_owned(),
        };
        let chain = self.chain.valid();
        let device = self.device();
        let options = self.precision.on(&device);
        let one = |rows: &[f64]| {
            // A column-major [d, n] batch is a row-major [n, d] tensor.
            let data = TensorData::new(rows.to_vec(), [rows.len() / d, d]);
            let rows = Tensor::from_data(data, options.clone());
            let (points, ln_det) = match direction {
                Direction::Encode => chain.encode(rows),
                Direction::Decode => chain.decode(rows),
            };
            Ok((to_host(points)?, to_host(ln_det)?))
        };
        let x = x.as_slice();
        let tiles: Result<Vec<_>, FlowError> = if is_cpu(&device) {
            x.par_chunks(d * TILE).map(one).collect()
        } else {
            x.chunks(d * GPU_TILE).map(one).collect()
        };
        let tiles = tiles?;
        let (points, ln_det): (Vec<_>, Vec<_>) = tiles.into_iter().unzip();
        let points = DMatrix::from_vec(d, n, points.concat());
        let ln_det = DVector::from_vec(ln_det.concat());
        let shift = self.standardize.ln_det();
        Ok(match direction {
            Direction::Encode => Image { points, ln_det: ln_det.add_scalar(shift) },
            Direction::Decode => Image {
                points: self.standardize.undo(points.as_view()),
                ln_det: ln_det.add_scalar(-shift),
            },
        })
    }

    /// The device the chain is on.
    pub(crate) fn device(&self) -> Device {
        let first = self.chain.devices().into_iter().next();
        first.expect("every chain has parameters").without_autodiff()
    }
}

fn check(config: &FlowConfig, standardize: &Standardize) -> Result<(), FlowError> {
    config.validate()?;
    let actual = standardize.mean().len();
    if actual == config.features {
        Ok(())
    } else {
        Err(FlowError::Features { expected: config.features, actual })
    }
}
