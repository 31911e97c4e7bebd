//! A flow in standardised units.

use nalgebra::{DMatrix, DMatrixView, DVector};

use crate::{
    base, cpu::inference::direction::Direction, error::FlowError, flow::Flow, mapped::Mapped,
    units::Units,
};

/// A [`Flow`] between the latent `u` and standardised outcomes `x_std`, whose components are
/// $(x_i - m_i) / s_i$ with the moments of the training data. Densities are per standardised unit.
///
/// The chain of a flow works in standardised units, so nothing is converted.
///
/// ```
/// # use flow_core::{Flow, FlowConfig, Precision, bijection::Standardise, default_device};
/// # use nalgebra::DMatrix;
/// # let moments = Standardise::new(vec![10.0, -5.0], vec![2.0, 0.5])?;
/// # let config = FlowConfig::builder(2).hidden(8).build()?;
/// # let flow = Flow::init(&config, moments, 3, Precision::F32, &default_device())?;
/// let u = DMatrix::from_column_slice(2, 2, &[0.1, -0.3, 2.0, 1.0]);
/// let x_std = flow.standardised().decode_points(u.as_view())?;
/// let x = flow.decode_points(u.as_view())?;
/// assert!((flow.standardise().undo(x_std.as_view()) - x).amax() < 1e-12);
/// # Ok::<(), flow_core::FlowError>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct StandardisedFlow<'a>(&'a Flow);

impl Flow {
    /// This flow in standardised units.
    pub fn standardised(&self) -> StandardisedFlow<'_> {
        StandardisedFlow(self)
    }
}

impl StandardisedFlow<'_> {
    /// $u$ with $\ln|\det \partial u/\partial x_\text{std}|$.
    ///
    /// # Shapes
    /// - `x_std`: `[d, n]`
    ///
    /// # Errors
    /// As [`Flow::encode`].
    pub fn encode(&self, x_std: DMatrixView<'_, f64>) -> Result<Mapped, FlowError> {
        self.0.evaluator.mapped(Direction::Encode, Units::Standardised, x_std)
    }

    /// $x_\text{std}$ with $\ln|\det \partial x_\text{std}/\partial u|$.
    ///
    /// # Shapes
    /// - `u`: `[d, n]`
    ///
    /// # Errors
    /// As [`Flow::encode`].
    pub fn decode(&self, u: DMatrixView<'_, f64>) -> Result<Mapped, FlowError> {
        self.0.evaluator.mapped(Direction::Decode, Units::Standardised, u)
    }

    /// $x_\text{std}$ without the log-determinant; see [`Flow::decode_points`].
    ///
    /// # Shapes
    /// - `u`: `[d, n]`; returns `[d, n]`
    ///
    /// # Errors
    /// As [`Flow::encode`].
    pub fn decode_points(&self, u: DMatrixView<'_, f64>) -> Result<DMatrix<f64>, FlowError> {
        self.0.evaluator.points(Direction::Decode, Units::Standardised, u)
    }

    /// $\ln p(x_\text{std})$, the log-density per standardised unit.
    ///
    /// # Shapes
    /// - `x_std`: `[d, n]`; returns `[n]`
    ///
    /// # Errors
    /// As [`Flow::encode`].
    pub fn ln_pdf(&self, x_std: DMatrixView<'_, f64>) -> Result<DVector<f64>, FlowError> {
        let Mapped { points, ln_det } = self.encode(x_std)?;
        Ok(base::ln_pdf_plus(&points, &ln_det))
    }

    /// `n` independent standardised outcomes, a function of `seed` alone.
    ///
    /// # Shapes
    /// - returns `[d, n]`
    ///
    /// # Errors
    /// [`FlowError::Execution`] when the device fails.
    pub fn sample(&self, n: usize, seed: u64) -> Result<DMatrix<f64>, FlowError> {
        self.decode_points(base::sample(self.0.features(), n, seed).as_view())
    }
}
