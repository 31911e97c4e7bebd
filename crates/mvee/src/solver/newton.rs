//! Second-order steps for the dual on the points that may carry weight.
//!
//! In the homogeneous form $\max_{u \ge 0} \ln\det M(u) - m \sum_i u_i$, whose optimum satisfies $\sum_i u_i = 1$,
//! the gradient is $\kappa_i - m$ and the Hessian $-A$ with $A_{ij} = (q_i^\top M^{-1} q_j)^2$, and $A u = \kappa$. The quadratic
//! model about the weights is therefore maximised by
//!
//! $$ \min_{v \ge 0}\ \tfrac12 v^\top A v - (2\kappa - m\mathbf 1)^\top v, \tag{1} $$
//!
//! solved by an active-set method that starts at the weights and removes points that are not needed. A
//! line search along $v - u$ ensures that the objective increases. A small proximal term keeps (1)
//! strictly convex where weights are not unique (duplicates, cubes).

use super::core_set::{CoreSet, project};
use super::quadratic::improve;
use crate::linalg::{cholesky, dot, scale};

/// Proximal term relative to the largest diagonal element of $A$.
const PROXIMAL: f64 = 1e-12;

impl CoreSet {
    /// Takes one step; returns false when the objective did not increase.
    pub(crate) fn newton(&mut self) -> bool {
        let m = self.m as f64;
        let mut candidates: Vec<usize> = (0..self.u.len()).filter(|&i| self.u[i] > 0.0).collect();
        let mut outside: Vec<usize> =
            (0..self.u.len()).filter(|&i| self.u[i] == 0.0 && self.kappa[i] > m).collect();
        outside.sort_by(|&a, &b| self.kappa[b].total_cmp(&self.kappa[a]));
        outside.truncate(4 * self.m);
        candidates.extend(outside);
        let p = candidates.len();

        let mut a = self.squared_gram(&candidates);
        let rho = PROXIMAL * (0..p).map(|i| a[i * p + i]).fold(0.0, f64::max);
        let mut target = Vec::with_capacity(p);
        for (i, &c) in candidates.iter().enumerate() {
            a[i * p + i] += rho;
            target.push(2.0 * self.kappa[c] - m + rho * self.u[c]);
        }
        let mut v: Vec<f64> = candidates.iter().map(|&c| self.u[c]).collect();
        improve(&a, &target, &mut v, 1e-13 * m, 2 * p + 10);

        let sum: f64 = v.iter().sum();
        if !(sum.is_finite() && sum > 0.0) {
            return false;
        }
        let (before, value) = (self.gap().0, self.objective(&self.u));
        let Some(value) = value else { return false };
        let old = self.u.clone();
        let mut t = 1.0;
        for _ in 0..12 {
            let mut u = old.clone();
            scale(1.0 - t, &mut u);
            for (v, &c) in v.iter().zip(&candidates) {
                u[c] += t * v / sum;
            }
            if self.objective(&u).is_some_and(|new| new >= value - 1e-14 * value.abs().max(1.0)) {
                self.u = u;
                self.iterations += 1;
                if self.refresh() {
                    let after = self.gap().0;
                    return after < before || self.objective(&self.u) > Some(value);
                }
                break;
            }
            t *= 0.5;
        }
        self.u = old;
        self.refresh();
        false
    }

    /// $\ln\det M(u)$.
    fn objective(&self, u: &[f64]) -> Option<f64> {
        let m = self.m;
        let mut factor = self.moment(u);
        cholesky(&mut factor, m, 0.0).ok()?;
        Some(2.0 * (0..m).map(|i| factor[i * m + i].ln()).sum::<f64>())
    }

    /// $(q_i^\top M^{-1} q_j)^2$ for the points `ids`, `[p, p]`.
    fn squared_gram(&self, ids: &[usize]) -> Vec<f64> {
        let (m, p) = (self.m, ids.len());
        let rows: Vec<Vec<f64>> =
            self.rows.iter().map(|row| ids.iter().map(|&i| row[i]).collect()).collect();
        let mut z = vec![0.0; p];
        let mut columns = vec![0.0; p * m];
        for a in 0..m {
            project(&self.root[a * m..=a * m + a], &rows, &mut z);
            for (i, z) in z.iter().enumerate() {
                columns[i * m + a] = *z;
            }
        }
        let mut gram = vec![0.0; p * p];
        for i in 0..p {
            for j in 0..=i {
                let g = dot(&columns[i * m..(i + 1) * m], &columns[j * m..(j + 1) * m]);
                gram[i * p + j] = g * g;
                gram[j * p + i] = g * g;
            }
        }
        gram
    }
}
