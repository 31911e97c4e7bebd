//! A flow: standardisation, a chain of bijections and a standard normal base distribution.

use burn::tensor::Device;
use nalgebra::{DMatrix, DMatrixView, DVector};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use crate::{
    base,
    bijection::{chain::Chain, standardise::Standardise},
    config::FlowConfig,
    cpu::inference::direction::Direction,
    device::Precision,
    error::FlowError,
    evaluator::Evaluator,
    mapped::Mapped,
    marginals::{Marginal, Marginals},
    state_dict::StateDict,
    units::Units,
};

/// A normalizing flow between a standard normal latent `u` and outcomes `x`.
///
/// The methods of this type take and return outcomes in the units of the training data;
/// [`standardised`](Self::standardised) gives the same methods in standardised units.
///
/// Batches are `[d, n]`, one sample per column, in double precision; the chain computes in the flow's
/// own [`Precision`]. In single precision on a CPU, vector code of this crate computes instead of burn.
#[derive(Clone, Debug)]
pub struct Flow {
    pub(crate) evaluator: Evaluator,
}

impl Flow {
    /// An untrained flow; equal seeds give equal weights on every device.
    ///
    /// # Errors
    /// [`FlowError::Features`] when the standardisation has another number of features;
    /// [`FlowError::TooLarge`] when this machine has too little memory to train such a flow.
    pub fn init(
        config: &FlowConfig,
        standardise: Standardise,
        seed: u64,
        precision: Precision,
        device: &Device,
    ) -> Result<Self, FlowError> {
        check(config, &standardise)?;
        config.check_memory(1)?;
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let chain = Chain::init(config, &mut rng, &precision.on(device));
        Ok(Self::assemble(chain, standardise, config, precision))
    }

    /// A flow with given weights under their `nflows` names.
    ///
    /// # Errors
    /// [`FlowError::Features`] as [`init`](Self::init), and [`FlowError::Weights`] with the names of
    /// tensors that are missing, not part of the flow, of another shape or not finite, or of linear layers
    /// whose entries are too large to be inverted.
    pub fn from_state_dict(
        config: &FlowConfig,
        standardise: Standardise,
        mut state: StateDict,
        precision: Precision,
        device: &Device,
    ) -> Result<Self, FlowError> {
        check(config, &standardise)?;
        // Before memory for the parameters is asked for.
        state.check_names_and_shapes(config)?;
        let chain = Chain::import(config, &mut state, &precision.on(device));
        state.finish()?;
        let flow = Self::assemble(chain, standardise, config, precision);
        flow.evaluator.inference()?;
        Ok(flow)
    }

    fn assemble(
        chain: Chain,
        standardise: Standardise,
        config: &FlowConfig,
        precision: Precision,
    ) -> Self {
        Self { evaluator: Evaluator::new(chain, standardise, config, precision) }
    }

    /// The weights under their `nflows` names.
    ///
    /// # Errors
    /// [`FlowError::Execution`] when the device cannot be read.
    pub fn state_dict(&self) -> Result<StateDict, FlowError> {
        self.evaluator.state_dict()
    }

    /// Number of features `d`.
    pub fn features(&self) -> usize {
        self.config().features()
    }

    /// The architecture.
    pub fn config(&self) -> &FlowConfig {
        &self.evaluator.config
    }

    /// Means and standard deviations that outcomes are standardised with.
    pub fn standardise(&self) -> &Standardise {
        &self.evaluator.standardise
    }

    /// The maps of single features between standardised outcomes and the chain.
    pub fn marginals(&self) -> &Marginals {
        &self.evaluator.marginals
    }

    /// Whether outcomes have a density. Point masses and whole numbers have none: there [`ln_pdf`](Self::ln_pdf) is one
    /// with respect to the intervals that they fill on the normal scale, and weights of points in target space are
    /// not those of the outcomes.
    pub fn has_density(&self) -> bool {
        let continuous =
            |marginal: &Marginal| !matches!(marginal, Marginal::Atomic(_) | Marginal::Integer(_));
        self.marginals().each().iter().all(continuous)
    }

    /// The flow with other maps of single features, which its chain was trained behind.
    ///
    /// # Errors
    /// [`FlowError::Features`] for another number of maps than features.
    pub fn with_marginals(mut self, marginals: Marginals) -> Result<Self, FlowError> {
        let actual = marginals.each().len();
        if !marginals.are_affine() && actual != self.features() {
            return Err(FlowError::Features { expected: self.features(), actual });
        }
        self.evaluator.marginals = marginals;
        Ok(self)
    }

    /// The precision that the chain computes in.
    pub fn precision(&self) -> Precision {
        self.evaluator.precision
    }

    /// The layers between standardised outcomes and latent, as a burn module.
    pub fn chain(&self) -> &Chain {
        &self.evaluator.chain
    }

    /// $u = T^{-1}(x)$ with $\ln|\det \partial u/\partial x|$.
    ///
    /// # Shapes
    /// - `x`: `[d, n]`
    ///
    /// # Errors
    /// [`FlowError::Features`], [`FlowError::NotFinite`], [`FlowError::Execution`].
    pub fn encode(&self, x: DMatrixView<'_, f64>) -> Result<Mapped, FlowError> {
        self.evaluator.mapped(Direction::Encode, Units::Data, x)
    }

    /// As [`encode`](Self::encode), into the memory of `mapped`. With blocks of rows, any number of
    /// rows is encoded in constant memory.
    ///
    /// # Shapes
    /// - `x`: `[d, n]`; `mapped` takes the shape it needs
    ///
    /// # Errors
    /// As [`encode`](Self::encode); `mapped` then stays as it was.
    pub fn encode_into(
        &self,
        x: DMatrixView<'_, f64>,
        mapped: &mut Mapped,
    ) -> Result<(), FlowError> {
        self.evaluator.map_into(Direction::Encode, Units::Data, x, mapped)
    }

    /// $x = T(u)$ with $\ln|\det \partial x/\partial u|$.
    ///
    /// # Shapes
    /// - `u`: `[d, n]`
    ///
    /// # Errors
    /// As [`encode`](Self::encode).
    pub fn decode(&self, u: DMatrixView<'_, f64>) -> Result<Mapped, FlowError> {
        self.evaluator.mapped(Direction::Decode, Units::Data, u)
    }

    /// As [`decode`](Self::decode), into the memory of `mapped`.
    ///
    /// # Shapes
    /// - `u`: `[d, n]`; `mapped` takes the shape it needs
    ///
    /// # Errors
    /// As [`encode_into`](Self::encode_into).
    pub fn decode_into(
        &self,
        u: DMatrixView<'_, f64>,
        mapped: &mut Mapped,
    ) -> Result<(), FlowError> {
        self.evaluator.map_into(Direction::Decode, Units::Data, u, mapped)
    }

    /// $x = T(u)$ without the log-determinant, which costs less than [`decode`](Self::decode). The
    /// points are the same to the last bit.
    ///
    /// # Shapes
    /// - `u`: `[d, n]`; returns `[d, n]`
    ///
    /// # Errors
    /// As [`encode`](Self::encode).
    pub fn decode_points(&self, u: DMatrixView<'_, f64>) -> Result<DMatrix<f64>, FlowError> {
        self.evaluator.points(Direction::Decode, Units::Data, u)
    }

    /// $\ln p_X(x) = \ln \varphi_d(T^{-1}(x)) + \ln|\det \partial u/\partial x|$.
    ///
    /// # Shapes
    /// - `x`: `[d, n]`; returns `[n]`
    ///
    /// # Errors
    /// As [`encode`](Self::encode).
    pub fn ln_pdf(&self, x: DMatrixView<'_, f64>) -> Result<DVector<f64>, FlowError> {
        let Mapped { points, ln_det } = self.encode(x)?;
        Ok(base::ln_pdf_plus(&points, &ln_det))
    }

    /// `n` independent outcomes, a function of `seed` alone.
    ///
    /// # Shapes
    /// - returns `[d, n]`
    ///
    /// # Errors
    /// [`FlowError::Execution`] when the device fails.
    pub fn sample(&self, n: usize, seed: u64) -> Result<DMatrix<f64>, FlowError> {
        self.decode_points(base::sample(self.features(), n, seed).as_view())
    }

    /// Replaces the weights.
    pub(crate) fn set_chain(&mut self, chain: Chain) {
        self.evaluator.set_chain(chain);
    }

    /// The flow with another chain of the same architecture.
    #[must_use]
    pub fn with_chain(mut self, chain: Chain) -> Self {
        self.set_chain(chain);
        self
    }
}

fn check(config: &FlowConfig, standardise: &Standardise) -> Result<(), FlowError> {
    let actual = standardise.mean().len();
    if actual == config.features() {
        Ok(())
    } else {
        Err(FlowError::Features { expected: config.features(), actual })
    }
}
