//! Settings of the controller and their checks.

use nalgebra::SMatrix;
use serde::{Deserialize, Serialize};

/// Settings of the controller. This is a plain record; [`Mppi::new`] checks it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MppiSettings<const A: usize> {
    /// Number of sampled plans $K$.
    pub samples: usize,
    /// Number of control steps $T$ in a plan.
    pub horizon: usize,
    /// Temperature $\lambda$, in units of the cost; the smaller it is, the more weight has the plan with the
    /// lowest cost.
    pub temperature: f64,
    /// Covariance $\Sigma$ of the perturbation of an action (variances, not standard deviations).
    pub covariance: SMatrix<f64, A, A>,
}

/// Why settings of the controller are refused.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum MppiError {
    /// A number of samples or steps is zero.
    #[error("`controller.{0}` must be at least 1")]
    Zero(&'static str),
    /// The temperature is not finite or not positive.
    #[error("`controller.temperature` must be finite and above 0, got {0}")]
    Temperature(f64),
    /// The covariance has no Cholesky factor.
    #[error("`controller.covariance` must be symmetric and positive definite")]
    Covariance,
}

/// A controller with checked settings; see the [module](crate::mppi). It is serialised as its settings, and
/// settings that are out of range are refused when it is deserialised.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "MppiSettings<A>", into = "MppiSettings<A>")]
pub struct Mppi<const A: usize> {
    settings: MppiSettings<A>,
    /// Lower Cholesky factor of the covariance.
    factor: SMatrix<f64, A, A>,
}

impl<const A: usize> TryFrom<MppiSettings<A>> for Mppi<A> {
    type Error = MppiError;

    fn try_from(settings: MppiSettings<A>) -> Result<Self, MppiError> {
        Self::new(settings)
    }
}

impl<const A: usize> From<Mppi<A>> for MppiSettings<A> {
    fn from(mppi: Mppi<A>) -> Self {
        mppi.settings
    }
}

impl<const A: usize> Mppi<A> {
    /// A controller with the given settings.
    ///
    /// # Errors
    /// [`MppiError`] for the first setting that is out of range.
    pub fn new(settings: MppiSettings<A>) -> Result<Self, MppiError> {
        let MppiSettings { samples, horizon, temperature, covariance } = settings;
        if samples == 0 {
            return Err(MppiError::Zero("samples"));
        }
        if horizon == 0 {
            return Err(MppiError::Zero("horizon"));
        }
        if !(temperature.is_finite() && temperature > 0.0) {
            return Err(MppiError::Temperature(temperature));
        }
        let factor = nalgebra::Cholesky::new(covariance).map(|c| c.l());
        match factor.filter(|_| covariance == covariance.transpose()) {
            Some(factor) if factor.iter().all(|v| v.is_finite()) => Ok(Self { settings, factor }),
            _ => Err(MppiError::Covariance),
        }
    }

    /// The settings.
    pub fn settings(&self) -> &MppiSettings<A> {
        &self.settings
    }

    pub(super) fn factor(&self) -> &SMatrix<f64, A, A> {
        &self.factor
    }
}

#[cfg(test)]
mod tests {
    use nalgebra::Matrix2;

    use super::*;

    #[test]
    fn each_bad_setting_is_named() {
        let covariance = Matrix2::new(0.0625, 0.01, 0.01, 0.1);
        let ok = MppiSettings { samples: 25, horizon: 50, temperature: 10.0, covariance };
        assert!(Mppi::new(ok).is_ok());
        let message = |s: MppiSettings<2>| Mppi::new(s).unwrap_err().to_string();
        assert!(message(MppiSettings { samples: 0, ..ok }).contains("samples"));
        assert!(message(MppiSettings { horizon: 0, ..ok }).contains("horizon"));
        assert!(message(MppiSettings { temperature: 0.0, ..ok }).contains("temperature"));
        for bad in [Matrix2::new(1.0, 2.0, 2.0, 1.0), Matrix2::new(1.0, 0.5, 0.0, 1.0)] {
            assert!(message(MppiSettings { covariance: bad, ..ok }).contains("covariance"));
        }
        let text = serde_json::to_string(&ok).unwrap();
        assert_eq!(serde_json::from_str::<MppiSettings<2>>(&text).unwrap(), ok);
    }
}
