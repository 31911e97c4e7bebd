//! Batch normalisation and ReLU, forwards and back.

use pulp::Arch;
use rayon::prelude::*;

use super::rows::{BLOCK, least, parts, sums};

/// Added to the variance.
const EPSILON: f32 = 1e-3;
/// Share of the batch in the running statistics.
const MOMENTUM: f32 = 0.1;

/// Statistics of a batch.
#[derive(Clone, Debug, Default)]
pub(super) struct Statistics {
    pub(super) mean: Vec<f32>,
    /// Biased, as it normalises.
    variance: Vec<f32>,
    /// Reciprocal of the standard deviation.
    inverse: Vec<f32>,
}

impl Statistics {
    /// Those of `x`, `[rows, units]`.
    pub(super) fn of(x: &[f32], units: usize) -> Self {
        let rows = x.len() / units;
        // Mean and sum of squares about it of each block, while it is in cache, and then of all blocks
        // so far (Chan, Golub and LeVeque 1983).
        let parts = parts(rows, 2 * units, |rows, part| {
            let (mean, squares) = part.split_at_mut(units);
            let block = x[rows.start * units..rows.end * units].chunks_exact(units);
            for row in block.clone() {
                mean.iter_mut().zip(row).for_each(|(m, v)| *m += v);
            }
            let count = rows.len() as f32;
            for m in &mut *mean {
                *m /= count;
            }
            for row in block {
                for ((s, v), m) in squares.iter_mut().zip(row).zip(&*mean) {
                    *s += (v - m) * (v - m);
                }
            }
        });
        let (mut mean, mut variance) = (vec![0.0; units], vec![0.0; units]);
        for (b, part) in parts.chunks_exact(2 * units).enumerate() {
            let before = (b * BLOCK) as f32;
            let here = BLOCK.min(rows - b * BLOCK) as f32;
            let share = here / (before + here);
            let (means, squares) = part.split_at(units);
            let block = means.iter().zip(squares);
            for ((m, v), (mean, squares)) in mean.iter_mut().zip(&mut variance).zip(block) {
                let gap = mean - *m;
                *m += gap * share;
                *v += squares + gap * gap * (before * share);
            }
        }
        for v in &mut variance {
            *v /= rows as f32;
        }
        let inverse = variance.iter().map(|v| 1.0 / (v + EPSILON).sqrt()).collect();
        Self { mean, variance, inverse }
    }

    /// Takes the batch of `rows` rows up into the running statistics; a unit whose statistic is not
    /// finite keeps its old one.
    pub(super) fn blend(
        &self,
        rows: usize,
        running_mean: &mut [f32],
        running_variance: &mut [f32],
    ) {
        let unbiased = rows as f32 / (rows as f32 - 1.0);
        let blend = |old: &mut f32, new: f32| {
            if new.is_finite() {
                *old = *old * (1.0 - MOMENTUM) + new * MOMENTUM;
            }
        };
        running_mean.iter_mut().zip(&self.mean).for_each(|(old, new)| blend(old, *new));
        let variance = self.variance.iter().map(|v| v * unbiased);
        running_variance.iter_mut().zip(variance).for_each(|(old, new)| blend(old, new));
    }

    /// $\max(\gamma \hat x + \beta, 0)$ into `y`.
    pub(super) fn activate(&self, gamma: &[f32], beta: &[f32], x: &[f32], y: &mut [f32]) {
        let units = gamma.len();
        let scale: Vec<f32> = gamma.iter().zip(&self.inverse).map(|(g, i)| g * i).collect();
        let blocks = y.par_chunks_mut(BLOCK * units).zip(x.par_chunks(BLOCK * units));
        blocks.with_min_len(least(x.len())).for_each(|(y, x)| {
            Arch::new().dispatch(|| {
                for (y, x) in y.chunks_exact_mut(units).zip(x.chunks_exact(units)) {
                    let unit = scale.iter().zip(beta).zip(&self.mean);
                    for ((y, x), ((s, b), m)) in y.iter_mut().zip(x).zip(unit) {
                        *y = ((x - m) * s + b).max(0.0);
                    }
                }
            });
        });
    }

    /// Derivatives by $\gamma$ and $\beta$ from those by the normalised values, `by`, whose place the
    /// derivatives by `x` take.
    pub(super) fn backward(&self, gamma: &[f32], x: &[f32], by: &mut [f32]) -> [Vec<f32>; 2] {
        let units = gamma.len();
        let rows = x.len() / units;
        let mut both = sums(rows, 2 * units, |rows, part| {
            let (by_gamma, by_beta) = part.split_at_mut(units);
            let range = rows.start * units..rows.end * units;
            for (x, by) in x[range.clone()].chunks_exact(units).zip(by[range].chunks_exact(units)) {
                let unit = self.mean.iter().zip(&self.inverse);
                let sums = by_gamma.iter_mut().zip(by_beta.iter_mut());
                for (((x, by), (m, i)), (by_gamma, by_beta)) in x.iter().zip(by).zip(unit).zip(sums)
                {
                    *by_gamma += by * ((x - m) * i);
                    *by_beta += by;
                }
            }
        });
        let by_beta = both.split_off(units);
        let by_gamma = both;
        // $a (y - b - (x - m) c)$ with a, b, c of each unit.
        let n = rows as f32;
        let a: Vec<f32> = gamma.iter().zip(&self.inverse).map(|(g, i)| g * i).collect();
        let b: Vec<f32> = by_beta.iter().map(|v| v / n).collect();
        let c: Vec<f32> = by_gamma.iter().zip(&self.inverse).map(|(v, i)| v * i / n).collect();
        let blocks = by.par_chunks_mut(BLOCK * units).zip(x.par_chunks(BLOCK * units));
        blocks.with_min_len(least(x.len())).for_each(|(by, x)| {
            Arch::new().dispatch(|| {
                for (by, x) in by.chunks_exact_mut(units).zip(x.chunks_exact(units)) {
                    let unit = a.iter().zip(&b).zip(c.iter().zip(&self.mean));
                    for ((by, x), ((a, b), (c, m))) in by.iter_mut().zip(x).zip(unit) {
                        *by = a * (*by - b - (x - m) * c);
                    }
                }
            });
        });
        [by_gamma, by_beta]
    }
}

/// $\max(x, 0)$ into `y`.
pub(super) fn relu(x: &[f32], y: &mut [f32]) {
    y.iter_mut().zip(x).for_each(|(y, x)| *y = x.max(0.0));
}

/// Derivatives by what went into the activation from those by its image `y`, in their place; `scale`
/// is what dropout multiplied with.
pub(super) fn relu_backward(y: &[f32], scale: f32, by: &mut [f32]) {
    let chunks = by.par_chunks_mut(BLOCK * BLOCK).zip(y.par_chunks(BLOCK * BLOCK));
    chunks.with_min_len(least(y.len())).for_each(|(by, y)| {
        Arch::new().dispatch(|| {
            by.iter_mut().zip(y).for_each(|(by, y)| *by = if *y > 0.0 { *by * scale } else { 0.0 });
        });
    });
}
