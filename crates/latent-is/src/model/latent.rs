//! The latent space of an invertible map.
//!
//! With $x = T(u)$, $u \sim \mathcal N(0, I)$, importance sampling runs in $u$ with the standard normal as
//! nominal density and the exact composition
//!
//! $$ g(u) = g_x(T(u)) \tag{13} $$
//!
//! as limit state ([`ComposedLimitState`]), or in $x$ with the push-forward of the standard normal as nominal
//! density ([`PushForward`]); the weights are the same. [`surrogate`] makes the cheap stand-in of the
//! published method: ellipsoids around the encoded failure points,
//!
//! $$ g_u(u) = \min_k \Vert M_k^{-1}(u - b_k)\Vert - 1. \tag{12} $$
//!
//! $\lbrace g_u \le 0\rbrace$ is *not* the failure event: The image of an ellipsoid is not an ellipsoid. An estimate
//! from (12) alone is an estimate of another probability;
//! [`SearchMethod::estimate_corrected`](crate::SearchMethod::estimate_corrected) finishes on the true one.
//!
//! # References
//! - L. Kruse, A. Tzikas, H. Delecki, M. Arief, M. Kochenderfer: Enhanced importance sampling through
//!   latent space exploration in normalizing flows. AAAI (2025).

use mvee::{Ellipsoid, Mvee, Union};
use nalgebra::{DMatrix, DMatrixView, DVector};

use crate::error::{Error, EvalError};
use crate::model::density::{Density, StandardNormal};
use crate::model::limit_state::LimitState;
use crate::model::transport::Transport;

/// The exact composition $g(T(u))$ of a limit state with a transport map.
#[derive(Clone, Copy, Debug)]
pub struct ComposedLimitState<G, T> {
    g: G,
    transport: T,
}

impl<G: LimitState, T: Transport> ComposedLimitState<G, T> {
    /// Composes `g` with `transport`; references work for both.
    ///
    /// # Errors
    /// [`EvalError::Dimension`] when the dimensions differ.
    pub fn new(g: G, transport: T) -> Result<Self, EvalError> {
        EvalError::check_dim(g.dim(), transport.dim())?;
        Ok(Self { g, transport })
    }
}

impl<G: LimitState, T: Transport> LimitState for ComposedLimitState<G, T> {
    fn dim(&self) -> usize {
        self.g.dim()
    }

    fn evaluate(&self, u: DMatrixView<'_, f64>) -> Result<DVector<f64>, EvalError> {
        self.g.evaluate(self.transport.decode_points(u)?.as_view())
    }

    fn modes(&self) -> usize {
        self.g.modes()
    }

    fn evaluate_modes(&self, u: DMatrixView<'_, f64>) -> Result<DMatrix<f64>, EvalError> {
        self.g.evaluate_modes(self.transport.decode_points(u)?.as_view())
    }
}

/// The distribution of $x = T(u)$ with standard normal `u`: the nominal density of target space.
///
/// $\log p_X(x) = \log\varphi_d(T^{-1}x) + \log|\det \partial T^{-1}/\partial x|$.
#[derive(Clone, Copy, Debug)]
pub struct PushForward<T> {
    transport: T,
    base: StandardNormal,
}

impl<T: Transport> PushForward<T> {
    /// The push-forward of the standard normal under `transport`.
    pub fn new(transport: T) -> Self {
        let base = StandardNormal::new(transport.dim());
        Self { transport, base }
    }
}

impl<T: Transport> Density for PushForward<T> {
    fn dim(&self) -> usize {
        self.base.dim()
    }

    fn ln_pdf(&self, x: DMatrixView<'_, f64>) -> Result<DVector<f64>, EvalError> {
        let u = self.transport.encode(x)?;
        Ok(self.base.ln_pdf(u.points.as_view())? + u.ln_det)
    }

    fn sample(&self, n: usize, seed: u64) -> Result<DMatrix<f64>, EvalError> {
        let u = self.base.sample(n, seed)?;
        self.transport.decode_points(u.as_view())
    }
}

/// A known density of `x`, seen from the latent space of a map that need not fit it.
///
/// $\log p_U(u) = \log p(T(u)) + \log|\det \partial T/\partial u|$. With it as nominal density and
/// $g(T(u))$ as limit state, a flow is a proposal map only: the estimate is one of the true probability
/// under $p$, whatever the quality of the flow, which decides the cost alone.
///
/// ```
/// use latent_is::latent::{ComposedLimitState, PullBack, PushForward};
/// use latent_is::{CrossEntropy, Estimator, problems};
///
/// let problem = problems::by_name("gmm-2").unwrap();
/// let target = problem.target().unwrap();
/// let known = PushForward::new(target.map); // any density that can be evaluated and drawn from
/// let flow = target.map; // any transport, here a perfect one
/// let g = ComposedLimitState::new(target.limit_state, flow)?;
/// let e = CrossEntropy::default().estimate(&PullBack::new(known, flow)?, &g, 7)?;
/// assert!(e.interval(0.999).contains(problem.pf()));
/// # Ok::<(), latent_is::Error>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct PullBack<D, T> {
    density: D,
    transport: T,
}

impl<D: Density, T: Transport> PullBack<D, T> {
    /// `density` seen from the latent space of `transport`.
    ///
    /// # Errors
    /// [`EvalError::Dimension`] when the dimensions differ.
    pub fn new(density: D, transport: T) -> Result<Self, EvalError> {
        EvalError::check_dim(density.dim(), transport.dim())?;
        Ok(Self { density, transport })
    }
}

impl<D: Density, T: Transport> Density for PullBack<D, T> {
    fn dim(&self) -> usize {
        self.density.dim()
    }

    fn ln_pdf(&self, u: DMatrixView<'_, f64>) -> Result<DVector<f64>, EvalError> {
        let x = self.transport.decode(u)?;
        Ok(self.density.ln_pdf(x.points.as_view())? + x.ln_det)
    }

    fn sample(&self, n: usize, seed: u64) -> Result<DMatrix<f64>, EvalError> {
        let x = self.density.sample(n, seed)?;
        Ok(self.transport.encode(x.as_view())?.points)
    }
}

/// A union of ellipsoids fails inside: $g(x) = \min_k \Vert L_k^{-1}(x - c_k)\Vert - 1$, equation (11).
impl LimitState for Union {
    fn dim(&self) -> usize {
        Union::dim(self)
    }

    fn evaluate(&self, x: DMatrixView<'_, f64>) -> Result<DVector<f64>, EvalError> {
        EvalError::check_dim(Union::dim(self), x.nrows())?;
        Ok(self.distances(x))
    }
}

/// Minimum-volume ellipsoids around the images in latent space of target-space point sets, one a
/// set: the surrogate event (12).
///
/// # Shapes
/// - `sets`: each `[d, n_k]` in target space
///
/// # Errors
/// [`Error::Evaluation`] when the map cannot encode a set, [`Error::Ellipsoid`] when one has too few
/// points or no sets are given.
pub fn surrogate(
    transport: &dyn Transport,
    sets: &[DMatrix<f64>],
    mvee: &Mvee,
) -> Result<Union, Error> {
    let encoded = sets
        .iter()
        .map(|set| Ok(transport.encode(set.as_view())?.points))
        .collect::<Result<Vec<_>, EvalError>>()?;
    enclose(&encoded, mvee)
}

/// Minimum-volume ellipsoids around point sets, one a set, in the space of the points.
///
/// # Errors
/// [`Error::Ellipsoid`] when a set has too few points or no sets are given.
pub fn enclose(sets: &[DMatrix<f64>], mvee: &Mvee) -> Result<Union, Error> {
    let failed = |set, source| Error::Ellipsoid { set, source };
    let members = sets
        .iter()
        .enumerate()
        .map(|(k, set)| mvee.solve(set.as_view()).map(|s| s.ellipsoid).map_err(|e| failed(k, e)))
        .collect::<Result<Vec<Ellipsoid>, _>>()?;
    Union::new(members).map_err(|e| failed(0, e))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::rng;
    use crate::model::limit_state::FnLimitState;
    use crate::problems::AnalyticMap;

    fn cube() -> DMatrix<f64> {
        DMatrix::from_fn(2, 4, |i, j| if (j >> i) & 1 == 1 { 1.5 } else { 0.5 })
    }

    #[test]
    fn an_enclosed_square_fails_inside_its_circle() {
        let g = enclose(&[cube()], &Mvee::builder().build().unwrap()).unwrap();
        let x = DMatrix::from_column_slice(2, 3, &[1.0, 1.0, 1.5, 1.5, 3.0, 1.0]);
        let values = g.evaluate(x.as_view()).unwrap();
        // Radius sqrt(1/2): the centre is at -1, a corner at 0, a point two away at 2 sqrt(2) - 1.
        assert!((values[0] + 1.0).abs() < 1e-6 && values[1].abs() < 1e-6);
        assert!((values[2] - (2.0 * 2.0_f64.sqrt() - 1.0)).abs() < 1e-5);
        assert!(g.evaluate(DMatrix::zeros(3, 1).as_view()).is_err());
    }

    #[test]
    fn the_surrogate_holds_the_encoded_points_and_differs_from_the_event() {
        let map = AnalyticMap::Banana { pairs: 1 };
        let mvee = Mvee::builder().build().unwrap();
        let surrogate = surrogate(&map, &[cube()], &mvee).unwrap();
        let encoded = map.encode(cube().as_view()).unwrap().points;
        assert!(surrogate.evaluate(encoded.as_view()).unwrap().iter().all(|g| *g < 1e-6));
        let exact = ComposedLimitState::new(enclose(&[cube()], &mvee).unwrap(), map).unwrap();
        let u = 1.5 * rng::standard_normal(2, 2000, 1);
        let (a, b) =
            (surrogate.evaluate(u.as_view()).unwrap(), exact.evaluate(u.as_view()).unwrap());
        assert!(a.iter().zip(&b).any(|(a, b)| (*a <= 0.0) != (*b <= 0.0)));
    }

    #[test]
    fn too_few_points_name_their_region() {
        let mvee = Mvee::builder().build().unwrap();
        let error = enclose(&[cube(), DMatrix::zeros(2, 2)], &mvee).unwrap_err();
        assert!(matches!(error, Error::Ellipsoid { set: 1, .. }));
        assert!(enclose(&[], &mvee).is_err());
        let g = FnLimitState::new(3, |_: &[f64]| 1.0);
        assert!(ComposedLimitState::new(g, AnalyticMap::Warp).is_err());
    }

    #[test]
    fn both_spaces_give_the_same_weights() {
        // p_X(x) / q_X(x) = phi(u) / q(u): the Jacobians cancel, equation (10).
        let map = AnalyticMap::Mixture;
        let u = rng::standard_normal(2, 50, 2);
        let x = map.decode(u.as_view()).unwrap();
        let ln_p = PushForward::new(map).ln_pdf(x.points.as_view()).unwrap();
        let ln_phi = StandardNormal::new(2).ln_pdf(u.as_view()).unwrap();
        assert!((ln_p - (ln_phi - x.ln_det)).amax() < 1e-8);
    }
}
