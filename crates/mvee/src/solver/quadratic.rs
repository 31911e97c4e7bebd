//! Convex quadratic problems over nonnegative variables, by a primal active-set method.
//!
//! Minimises $\tfrac12 v^\top A v - b^\top v$ over $v \ge 0$ from a feasible start. The variables that are not at
//! their bound form the free set. The method moves towards the minimiser over the free set. When a variable
//! reaches its bound, it leaves the set; when the minimiser is reached, the variable with the steepest descent
//! joins. The Cholesky factor of the free block is updated by rotations, so a change costs $O(p^2)$. Every
//! iterate is feasible and no worse than the one before, so the method may be stopped at any time.
//!
//! # References
//! - C. L. Lawson, R. J. Hanson: *Solving Least Squares Problems*. Prentice-Hall (1974), chapters 23, 24.

use crate::linalg::{axpy, dot};

/// Cholesky factor of the block of `a: [p, p]` (row-major) that belongs to the variables `on`.
struct FreeBlock<'a> {
    a: &'a [f64],
    p: usize,
    on: Vec<usize>,
    /// Row `i` of the factor, `i + 1` entries.
    rows: Vec<Vec<f64>>,
}

impl FreeBlock<'_> {
    /// Adds variable `i`; false (and no change) when the block would be singular.
    fn add(&mut self, i: usize) -> bool {
        let column = &self.a[i * self.p..(i + 1) * self.p];
        let mut row: Vec<f64> = self.on.iter().map(|&j| column[j]).collect();
        for k in 0..row.len() {
            let above = &self.rows[k];
            row[k] = (row[k] - dot(&row[..k], &above[..k])) / above[k];
        }
        let pivot = column[i] - dot(&row, &row);
        if pivot.is_nan() || pivot <= 0.0 {
            return false;
        }
        row.push(pivot.sqrt());
        self.rows.push(row);
        self.on.push(i);
        true
    }

    /// Drops the variable at position `k` of the free set.
    fn remove(&mut self, k: usize) {
        self.on.remove(k);
        self.rows.remove(k);
        let mut turns: Vec<(f64, f64)> = Vec::with_capacity(self.rows.len() - k);
        for row in &mut self.rows[k..] {
            for (j, &(cos, sin)) in (k..).zip(&turns) {
                let (x, y) = (row[j], row[j + 1]);
                row[j] = cos * x + sin * y;
                row[j + 1] = cos * y - sin * x;
            }
            let (y, at) = (row.pop().unwrap_or(0.0), row.len() - 1);
            let length = row[at].hypot(y);
            turns.push((row[at] / length, y / length));
            row[at] = length;
        }
    }

    /// Minimiser over the free variables alone, the others being zero.
    fn solve(&self, b: &[f64]) -> Vec<f64> {
        let mut x: Vec<f64> = self.on.iter().map(|&i| b[i]).collect();
        for (k, row) in self.rows.iter().enumerate() {
            x[k] = (x[k] - dot(&row[..k], &x[..k])) / row[k];
        }
        for (k, row) in self.rows.iter().enumerate().rev() {
            x[k] /= row[k];
            let value = x[k];
            axpy(-value, &row[..k], &mut x[..k]);
        }
        x
    }
}

/// Improves the feasible point `v` until it is optimal (to `tolerance` in the gradient) or
/// `changes` of the free set have been made.
pub(super) fn improve(a: &[f64], b: &[f64], v: &mut [f64], tolerance: f64, changes: usize) {
    let p = b.len();
    let mut block = FreeBlock { a, p, on: Vec::new(), rows: Vec::new() };
    let mut barred = vec![false; p];
    for i in 0..p {
        if v[i] > 0.0 && !block.add(i) {
            v[i] = 0.0;
            barred[i] = true;
        }
    }
    for _ in 0..changes {
        let x = block.solve(b);
        // The first bound between v and x.
        let mut first = (1.0, usize::MAX);
        for (k, (&i, &x)) in block.on.iter().zip(&x).enumerate() {
            if x <= 0.0 {
                let t = v[i] / (v[i] - x);
                first = if t < first.0 || first.1 == usize::MAX { (t, k) } else { first };
            }
        }
        for (&i, &x) in block.on.iter().zip(&x) {
            v[i] += first.0 * (x - v[i]);
        }
        if first.1 < usize::MAX {
            let i = block.on[first.1];
            // A variable that joins and leaves at once would start an infinite loop.
            barred[i] |= first.0 == 0.0;
            v[i] = 0.0;
            block.remove(first.1);
            continue;
        }
        let mut steepest = (-tolerance, usize::MAX);
        for i in 0..p {
            if v[i] == 0.0 && !barred[i] {
                let slope = dot(&a[i * p..(i + 1) * p], v) - b[i];
                steepest = if slope < steepest.0 { (slope, i) } else { steepest };
            }
        }
        if steepest.1 == usize::MAX {
            break;
        }
        barred[steepest.1] |= !block.add(steepest.1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The optimality conditions: no slope at positive variables, none downward at the others.
    #[test]
    fn the_optimum_meets_its_conditions() {
        for seed in 0..50_usize {
            let p = 1 + seed % 17;
            let wave = |k: usize| ((k * k + 7 * k + 31 * seed) as f64).sin();
            let root: Vec<f64> = (0..p * p).map(wave).collect();
            let mut a = vec![0.0; p * p];
            for i in 0..p {
                for j in 0..p {
                    a[i * p + j] = dot(&root[i * p..(i + 1) * p], &root[j * p..(j + 1) * p]);
                }
                a[i * p + i] += 0.01;
            }
            let b: Vec<f64> = (0..p).map(|k| wave(1000 + k)).collect();
            let mut v = vec![0.5; p];
            improve(&a, &b, &mut v, 1e-12, 10 * p + 10);
            for i in 0..p {
                let slope = dot(&a[i * p..(i + 1) * p], &v) - b[i];
                assert!(v[i] >= 0.0 && slope > -1e-9, "seed {seed}: {} {slope}", v[i]);
                assert!(v[i] == 0.0 || slope < 1e-9, "seed {seed}: {} {slope}", v[i]);
            }
        }
    }
}
