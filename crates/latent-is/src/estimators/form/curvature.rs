//! What the gradients on the way to a design point tell about second derivatives.
//!
//! # References
//! - M. J. D. Powell: A fast algorithm for nonlinearly constrained optimization calculations. *Numerical Analysis*,
//!   Lecture Notes in Mathematics 630 (1978), 144–157.

use nalgebra::{DMatrix, DVector};

/// Share of the curvature along a step that the update keeps at least.
const DAMPED: f64 = 0.2;

/// Second derivatives of $\tfrac12 \lVert u \rVert^2 + \lambda g$, learnt from gradients on the way.
pub(super) struct Curvature {
    matrix: DMatrix<f64>,
    /// The point before, the gradient of $g$ there and the multiplier of the step that left it.
    before: Option<(DVector<f64>, DVector<f64>, f64)>,
}

impl Curvature {
    pub(super) fn new(d: usize) -> Self {
        Self { matrix: DMatrix::identity(d, d), before: None }
    }

    /// Powell's damped update, which keeps the matrix positive definite.
    fn learn(&mut self, u: &DVector<f64>, gradient: &DVector<f64>) {
        let Some((old, gradient_there, multiplier)) = &self.before else { return };
        let s = u - old;
        let y = &s + *multiplier * (gradient - gradient_there);
        let bs = &self.matrix * &s;
        let (sbs, sy) = (s.dot(&bs), s.dot(&y));
        if sbs <= f64::MIN_POSITIVE {
            return;
        }
        let share = if sy < DAMPED * sbs { (1.0 - DAMPED) * sbs / (sbs - sy) } else { 1.0 };
        let y = share * y + (1.0 - share) * &bs;
        self.matrix.ger(-1.0 / sbs, &bs, &bs, 1.0);
        self.matrix.ger(1.0 / s.dot(&y), &y, &y, 1.0);
    }

    /// The step (1) from `u`, where `g` and its gradient are known, and its multiplier.
    pub(super) fn step(
        &mut self,
        u: &DVector<f64>,
        g: f64,
        gradient: &DVector<f64>,
    ) -> Option<(DVector<f64>, f64)> {
        self.learn(u, gradient);
        let factor = self.matrix.clone().cholesky()?;
        let (home, down) = (factor.solve(u), factor.solve(gradient));
        let multiplier = (g - gradient.dot(&home)) / gradient.dot(&down);
        self.before = Some((u.clone(), gradient.clone(), multiplier));
        multiplier.is_finite().then(|| (-home - multiplier * down, multiplier))
    }
}
