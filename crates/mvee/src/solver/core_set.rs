//! The dual problem on a small set of points, by steps towards and away from single points.
//!
//! With lifted points $q_i = (1, y_i) \in \mathbb R^m$, $m = d + 1$, the dual of the smallest ellipsoid is
//!
//! $$ \max_u\ \ln\det M(u), \qquad M(u) = \sum_i u_i q_i q_i^\top, \quad u \ge 0,\ \textstyle\sum_i u_i = 1. \tag{1} $$
//!
//! At weights $u$ the ellipsoid has centre $\sum_i u_i y_i$ and shape $d S(u)$, $S$ the weighted covariance,
//! and $\kappa_i = q_i^\top M^{-1} q_i = 1 + d \lVert y_i \rVert_E^2$ is larger the farther out a point lies; $u$ is optimal when
//! $\max_i \kappa_i = m$. A step $u \gets (1 - \lambda) u + \lambda e_j$ with the exact
//!
//! $$ \lambda = \frac{\kappa_j - m}{m (\kappa_j - 1)} \tag{2} $$
//!
//! moves towards the point of largest $\kappa$ or ($\lambda < 0$, at most to $u_j = 0$) away from the
//! weighted point of smallest $\kappa$. A rank-one update gives the new $M^{-1}$ and all $\kappa$.
//!
//! # References
//! - L. Khachiyan: Rounding of polytopes in the real number model of computation. *Mathematics of
//!   Operations Research* 21 (1996), 307–320.
//! - M. J. Todd, E. A. Yıldırım: On Khachiyan's algorithm for the computation of minimum-volume
//!   enclosing ellipsoids. *Discrete Applied Mathematics* 155 (2007), 1731–1744.
//! - C. L. Atwood: Sequences converging to D-optimal designs of experiments. *Annals of
//!   Statistics* 1 (1973), 342–352.

use crate::linalg::{axpy, cholesky, dot, invert_lower, scale};
use crate::points::Points;

/// Steps between two recomputations of $M^{-1}$ from the weights.
const REFRESH: usize = 200;

/// Points with weights, and the quantities that depend on the weights.
pub(crate) struct CoreSet {
    pub(crate) m: usize,
    /// Index of each point among all points.
    pub(crate) ids: Vec<usize>,
    /// Coordinate `j` of every point: `rows[j][i]`.
    pub(crate) rows: Vec<Vec<f64>>,
    /// Weights, at least 0, sum 1.
    pub(crate) u: Vec<f64>,
    /// $\kappa$ at the weights.
    pub(crate) kappa: Vec<f64>,
    /// $M^{-1}$, row-major.
    inverse: Vec<f64>,
    /// Inverse $T$ of the Cholesky factor of $M$ at the last refresh, row-major.
    pub(crate) root: Vec<f64>,
    /// Number of steps of both kinds.
    pub(crate) iterations: usize,
    stale: usize,
}

impl CoreSet {
    /// The points `local`, whose indices among all points are `ids`, with equal weights on `support`
    /// (positions in `local`); `None` when the support lies in a hyperplane.
    pub(crate) fn new(
        points: &Points<'_>,
        local: &[usize],
        ids: &[usize],
        support: &[usize],
    ) -> Option<Self> {
        let m = points.d + 1;
        let mut set = Self {
            m,
            ids: Vec::new(),
            rows: vec![Vec::new(); points.d],
            u: Vec::new(),
            kappa: Vec::new(),
            inverse: vec![0.0; m * m],
            root: vec![0.0; m * m],
            iterations: 0,
            stale: 0,
        };
        set.push(points, local, ids);
        for &i in support {
            set.u[i] = 1.0 / support.len() as f64;
        }
        set.refresh().then_some(set)
    }

    /// Adds points of weight zero; call [`refresh`](Self::refresh) afterwards.
    pub(crate) fn push(&mut self, points: &Points<'_>, local: &[usize], ids: &[usize]) {
        self.ids.extend_from_slice(ids);
        for &id in local {
            self.u.push(0.0);
            self.kappa.push(0.0);
            for (row, x) in self.rows.iter_mut().zip(points.column(id)) {
                row.push(*x);
            }
        }
    }

    /// Lifted moment matrix at the weights `u`, lower triangle, row-major.
    pub(crate) fn moment(&self, u: &[f64]) -> Vec<f64> {
        let m = self.m;
        let support: Vec<usize> = (0..u.len()).filter(|&i| u[i] > 0.0).collect();
        let mut moment = vec![0.0; m * m];
        let mut q = vec![1.0; m];
        for &i in &support {
            for (q, row) in q[1..].iter_mut().zip(&self.rows) {
                *q = row[i];
            }
            for a in 0..m {
                axpy(u[i] * q[a], &q[..=a], &mut moment[a * m..=a * m + a]);
            }
        }
        moment
    }

    /// Recomputes $M^{-1}$ and $\kappa$ from the weights; false when $M$ is singular.
    pub(crate) fn refresh(&mut self) -> bool {
        let m = self.m;
        let mut factor = self.moment(&self.u);
        if cholesky(&mut factor, m, 0.0).is_err() {
            return false;
        }
        self.root = invert_lower(&factor, m);
        self.inverse.fill(0.0);
        for row in self.root.chunks_exact(m) {
            for a in 0..m {
                axpy(row[a], row, &mut self.inverse[a * m..(a + 1) * m]);
            }
        }
        let mut z = vec![0.0; self.u.len()];
        self.kappa.fill(0.0);
        for a in 0..m {
            project(&self.root[a * m..=a * m + a], &self.rows, &mut z);
            for (kappa, z) in self.kappa.iter_mut().zip(&z) {
                *kappa += z * z;
            }
        }
        self.stale = 0;
        true
    }

    /// Relative gap on this set, $\max_i \kappa_i / m - 1$, and the point that attains it.
    pub(crate) fn gap(&self) -> (f64, usize) {
        let (at, kappa) = self
            .kappa
            .iter()
            .enumerate()
            .fold((0, f64::NEG_INFINITY), |b, (i, &k)| if k > b.1 { (i, k) } else { b });
        (kappa / self.m as f64 - 1.0, at)
    }

    /// Takes steps towards and away until the gap is at most `target` or `steps` are taken.
    pub(crate) fn wander(&mut self, target: f64, steps: usize) {
        let m = self.m as f64;
        for _ in 0..steps {
            let (gap, far) = self.gap();
            if gap <= target {
                break;
            }
            let (near, least) =
                (0..self.u.len()).filter(|&i| self.u[i] > 0.0).fold((0, f64::INFINITY), |b, i| {
                    if self.kappa[i] < b.1 { (i, self.kappa[i]) } else { b }
                });
            let j = if gap >= 1.0 - least / m { far } else { near };
            let kappa = self.kappa[j];
            let limit = -self.u[j] / (1.0 - self.u[j]);
            let mut lambda = (kappa - m) / (m * (kappa - 1.0));
            // In a step away from a point with κ <= 1 the objective increases up to the bound.
            let drop = j != far && (kappa <= 1.0 || lambda < limit);
            if drop {
                lambda = limit;
            }
            if !self.step(j, lambda, drop) {
                break;
            }
        }
        self.refresh();
    }

    fn step(&mut self, j: usize, lambda: f64, drop: bool) -> bool {
        let m = self.m;
        let mut q = vec![1.0; m];
        for (q, row) in q[1..].iter_mut().zip(&self.rows) {
            *q = row[j];
        }
        let v: Vec<f64> = self.inverse.chunks_exact(m).map(|row| dot(row, &q)).collect();
        let denominator = 1.0 - lambda + lambda * dot(&v, &q);
        let rest = 1.0 - lambda;
        if !(denominator > 0.0 && rest > 0.0) {
            return false;
        }
        let weight = lambda / denominator;
        for (a, row) in self.inverse.chunks_exact_mut(m).enumerate() {
            axpy(-weight * v[a], &v, row);
            scale(1.0 / rest, row);
        }
        let mut z = vec![0.0; self.u.len()];
        project(&v, &self.rows, &mut z);
        for (kappa, z) in self.kappa.iter_mut().zip(&z) {
            *kappa = (*kappa - weight * z * z) / rest;
        }
        scale(rest, &mut self.u);
        self.u[j] = if drop { 0.0 } else { self.u[j] + lambda };
        self.iterations += 1;
        self.stale += 1;
        self.stale < REFRESH || self.refresh()
    }
}

/// `z = v[0] + Σ v[j + 1] rows[j]`, over the rows for which `v` has an entry.
pub(crate) fn project(v: &[f64], rows: &[Vec<f64>], z: &mut [f64]) {
    z.fill(v[0]);
    for (v, row) in v[1..].iter().zip(rows) {
        axpy(*v, row, z);
    }
}
