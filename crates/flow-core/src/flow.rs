//! A flow: standardisation, a chain of bijections and a standard normal base.

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
    state_dict::to_host,
};

/// Rows that go through the chain together on the host side.
const TILE: usize = 2048;
/// Natural logarithm of $2\pi$.
pub(crate) const LN_2PI: f64 = 1.837_877_066_409_345_3;

/// A normalizing flow between a standard normal latent and outcomes in their own units.
///
/// Batches are `[d, n]`, one sample a column, in double precision; the chain computes in the flow's
/// own [`Precision`].
#[derive(Module, Debug)]
pub struct Flow {
    chain: Chain,
    standardize: Standardize,
    #[module(skip)]
    config: FlowConfig,
    #[module(skip)]
    precision: Precision,
}

/// Images of a batch.
#[derive(Clone, Debug, PartialEq)]
pub struct Image {
    /// The images, `[d, n]`.
    pub points: DMatrix<f64>,
    /// Log of the absolute Jacobian determinant of the direction taken, `[n]`.
    pub ln_det: DVector<f64>,
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
        Ok(Self { chain, standardize, config: config.clone(), precision })
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
        Ok(Self { chain, standardize, config: config.clone(), precision })
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
        self.check_batch(x)?;
        let mut image = self.map_tiles(&self.standardize.apply(x), Chain::encode)?;
        image.ln_det.add_scalar_mut(self.standardize.ln_det());
        Ok(image)
    }

    /// $x = T(u)$ with $\log|\det \partial x/\partial u|$.
    ///
    /// # Shapes
    /// - `u`: `[d, n]`
    ///
    /// # Errors
    /// As [`encode`](Self::encode).
    pub fn decode(&self, u: DMatrixView<'_, f64>) -> Result<Image, FlowError> {
        self.check_batch(u)?;
        let mut image = self.map_tiles(&u.into_owned(), Chain::decode)?;
        image.points = self.standardize.undo(image.points.as_view());
        image.ln_det.add_scalar_mut(-self.standardize.ln_det());
        Ok(image)
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
        let image = self.map_tiles(&DMatrix::from_column_slice(d, n, rows), Chain::encode)?;
        let constant = 0.5 * d as f64 * LN_2PI;
        let sum = image.ln_det.sum() - 0.5 * image.points.norm_squared();
        Ok(sum / n as f64 - constant)
    }

    /// Puts other weights in place of the present ones.
    pub(crate) fn set_chain(&mut self, chain: Chain) {
        self.chain = chain;
    }

    fn check_batch(&self, x: DMatrixView<'_, f64>) -> Result<(), FlowError> {
        if x.nrows() != self.features() {
            return Err(FlowError::Features { expected: self.features(), actual: x.nrows() });
        }
        check_finite(x)
    }

    /// Sends a batch through the chain, tile by tile; tiles run in parallel and do not depend on
    /// their neighbours, so the result does not depend on the number of threads.
    fn map_tiles(
        &self,
        x: &DMatrix<f64>,
        direction: fn(&Chain, Tensor<2>) -> (Tensor<2>, Tensor<1>),
    ) -> Result<Image, FlowError> {
        let (d, n) = x.shape();
        let chain = self.chain.valid();
        let options = self.precision.on(&self.device());
        let tiles = x
            .as_slice()
            .par_chunks(d * TILE)
            .map(|rows| {
                // A column-major [d, n] batch is a row-major [n, d] tensor.
                let shape = [rows.len() / d, d];
                let data = TensorData::new(rows.to_vec(), shape);
                let (points, ln_det) = direction(&chain, Tensor::from_data(data, options.clone()));
                Ok((to_host(points)?, to_host(ln_det)?))
            })
            .collect::<Result<Vec<_>, FlowError>>()?;
        let (points, ln_det): (Vec<_>, Vec<_>) = tiles.into_iter().unzip();
        Ok(Image {
            points: DMatrix::from_vec(d, n, points.concat()),
            ln_det: DVector::from_vec(ln_det.concat()),
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
