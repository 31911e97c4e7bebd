//! Twenty-one limit states with known failure probabilities, for tests and comparisons.
//!
//! The input `u` is a vector of independent standard normals and failure is $g(u) \le 0$. Four problems
//! also have a target space: a map $x = T(u)$ with known inverse, in which failure is defined; see
//! [`Problem::target`].
//!
//! | name | d | modes | what it tests |
//! |---|---|---|---|
//! | linear-2, linear-10, linear-100 | 2, 10, 100 | 1 | sanity, rarity, dimension |
//! | four-branch-2, four-branch-rare-2 | 2 | 4 | several unequal modes |
//! | parabolic-2 | 2 | 2 | a concave boundary with two design points |
//! | two-mode-5 | 5 | 2 | opposite modes, 68 and 32 % |
//! | himmelblau-2 | 2 | 4 | a ring with four lobes |
//! | quad-mixed-100 | 100 | 1 | curvature in a hidden plane |
//! | exp-sum-100 | 100 | 1 | exponential inputs |
//! | oscillator-6 | 6 | 1 | an engineering model |
//! | misleading-2 | 2 | 2 | a slope that points at the lesser mode |
//! | black-swan-2 | 2 | 2 | a mode that no gradient reveals |
//! | metaball-2 | 2 | 2 | a strongly curved boundary |
//! | rastrigin-2 | 2 | 20 | scattered islands |
//! | sphere-10, sphere-50 | 10, 50 | ring | failure in every direction |
//! | banana-2, warp-2, gmm-2, banana-10 | 2, 2, 2, 10 | 2, 3, 1, 5 | a nominal density that is not Gaussian |

mod limit;
mod map;

use nalgebra::{DMatrixView, DVector};

pub use map::AnalyticMap;

use crate::error::EvalError;
use crate::model::limit_state::{FnLimitState, LimitState};
use crate::model::transport::Transport;

/// A function of one sample.
type Limit = fn(&[f64]) -> f64;

/// A limit state with a known failure probability. As a [`LimitState`] it lives in `u`.
#[derive(Clone, Copy, Debug)]
pub struct Problem {
    name: &'static str,
    dim: usize,
    pf: f64,
    pf_rel_se: f64,
    limit: Limit,
    map: Option<AnalyticMap>,
}

/// The target-space side of a problem: its map and the limit state in `x`.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// The map from `u` to `x`.
    pub map: AnalyticMap,
    /// The limit state in `x`.
    pub limit_state: TargetLimit,
}

/// The limit state of a problem in target space.
#[derive(Clone, Copy, Debug)]
pub struct TargetLimit {
    dim: usize,
    limit: Limit,
}

impl LimitState for TargetLimit {
    fn dim(&self) -> usize {
        self.dim
    }

    fn evaluate(&self, x: DMatrixView<'_, f64>) -> Result<DVector<f64>, EvalError> {
        FnLimitState::new(self.dim, self.limit).evaluate(x)
    }
}

impl Problem {
    /// Name, as in the table above.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The failure probability.
    pub fn pf(&self) -> f64 {
        self.pf
    }

    /// Relative standard error of [`pf`](Self::pf); zero when it is exact or a quadrature with an
    /// error below 2e-5.
    pub fn pf_rel_se(&self) -> f64 {
        self.pf_rel_se
    }

    /// Map and limit state in target space, for the problems that have one.
    pub fn target(&self) -> Option<Target> {
        let limit_state = TargetLimit { dim: self.dim, limit: self.limit };
        self.map.map(|map| Target { map, limit_state })
    }
}

impl LimitState for Problem {
    fn dim(&self) -> usize {
        self.dim
    }

    fn evaluate(&self, u: DMatrixView<'_, f64>) -> Result<DVector<f64>, EvalError> {
        let limit_state = FnLimitState::new(self.dim, self.limit);
        match self.map {
            None => limit_state.evaluate(u),
            Some(map) => limit_state.evaluate(map.decode(u)?.points.as_view()),
        }
    }
}

/// A problem with an exact reference in `u` alone.
const fn plain(name: &'static str, dim: usize, pf: f64, limit: Limit) -> Problem {
    Problem { name, dim, pf, pf_rel_se: 0.0, limit, map: None }
}

/// A problem with a target space.
const fn mapped(
    name: &'static str,
    dim: usize,
    pf: f64,
    limit: Limit,
    map: AnalyticMap,
) -> Problem {
    Problem { name, dim, pf, pf_rel_se: 0.0, limit, map: Some(map) }
}

/// All problems.
static PROBLEMS: [Problem; 21] = [
    plain("linear-2", 2, 2.3262907903552502e-4, |u| limit::linear(u, 3.5)),
    plain("linear-10", 10, 3.3976731247300535e-6, |u| limit::linear(u, 4.5)),
    plain("linear-100", 100, 3.167124183311986e-5, |u| limit::linear(u, 4.0)),
    plain("four-branch-2", 2, 2.2227950661944393e-3, |u| limit::four_branch(u, 3.0, 7.0)),
    plain("four-branch-rare-2", 2, 2.272676190353077e-5, |u| limit::four_branch(u, 4.2, 9.0)),
    plain("parabolic-2", 2, 3.016311901309555e-3, limit::parabolic),
    plain("two-mode-5", 5, 3.404288125129132e-4, limit::two_mode),
    plain("himmelblau-2", 2, 6.039584302122006e-5, limit::himmelblau),
    plain("quad-mixed-100", 100, 6.620613760607551e-6, limit::quad_mixed),
    plain("exp-sum-100", 100, 3.2627242635415175e-5, limit::exp_sum),
    Problem {
        pf_rel_se: 2.840424061646378e-4,
        ..plain("oscillator-6", 6, 9.12928019303742e-6, limit::oscillator)
    },
    plain("misleading-2", 2, 3.19578843263878e-5, limit::misleading),
    plain("black-swan-2", 2, 1.3979916405000494e-4, limit::black_swan),
    plain("metaball-2", 2, 1.128553410997985e-5, limit::metaball),
    plain("rastrigin-2", 2, 5.37084080940164e-4, limit::rastrigin),
    plain("sphere-10", 10, 6.768222620500712e-6, |u| limit::sphere(u, 6.5)),
    plain("sphere-50", 50, 1.9850999393563656e-6, |u| limit::sphere(u, 10.5)),
    mapped("banana-2", 2, 1.690332447017728e-4, limit::banana, AnalyticMap::Banana { pairs: 1 }),
    mapped("warp-2", 2, 3.2642662904049216e-4, limit::warp, AnalyticMap::Warp),
    mapped("gmm-2", 2, 5.910279025984728e-6, limit::half_plane, AnalyticMap::Mixture),
    mapped("banana-10", 10, 3.84430923403567e-4, limit::bananas, AnalyticMap::Banana { pairs: 5 }),
];

/// The 21 problems.
pub fn all() -> &'static [Problem] {
    &PROBLEMS
}

/// The problem called `name`.
///
/// ```
/// use latent_is::{LimitState, problems};
///
/// assert_eq!(problems::by_name("two-mode-5").unwrap().dim(), 5);
/// ```
pub fn by_name(name: &str) -> Option<&'static Problem> {
    PROBLEMS.iter().find(|p| p.name == name)
}
