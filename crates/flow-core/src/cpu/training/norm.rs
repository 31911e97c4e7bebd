//! Batch normalisation and ReLU with their derivatives.

use rayon::prelude::*;

use crate::{
    cpu::{
        kernel::{WIDTH, vectorised},
        training::batch::{BLOCK, Batch, Row, add, flat, least, padded, total},
    },
    nn::batch_norm,
};

/// Added to the variance.
const EPSILON: f32 = batch_norm::EPSILON as f32;
/// Weight of a batch in the running statistics.
const MOMENTUM: f32 = batch_norm::MOMENTUM as f32;

/// Statistics of the columns of a batch.
#[derive(Clone, Debug, Default)]
pub(super) struct Statistics {
    mean: Vec<Row>,
    /// Biased: the one that normalises.
    variance: Vec<Row>,
    /// Reciprocal of the standard deviation.
    inverse: Vec<Row>,
}

impl Statistics {
    /// The statistics of `x`.
    pub(super) fn of(x: &Batch) -> Self {
        // Mean and sum of squared deviations of each block, combined block by block (Chan, Golub and
        // LeVeque 1983), so that a block is read while it is in cache.
        let panels = x.panels();
        let parts = x.parts(
            2 * panels,
            #[inline(always)]
            |b, part| {
                let (means, squares) = part.split_at_mut(panels);
                let share = 1.0 / x.rows_of(b) as f32;
                for (p, (mean, squares)) in means.iter_mut().zip(squares).enumerate() {
                    let rows = x.panel(b, p);
                    for row in rows {
                        add(mean, row);
                    }
                    for mean in &mut mean.0 {
                        *mean *= share;
                    }
                    for row in rows {
                        for i in 0..WIDTH {
                            squares.0[i] += (row.0[i] - mean.0[i]).powi(2);
                        }
                    }
                }
            },
        );
        let (mut mean, mut variance) = (vec![Row::default(); panels], vec![Row::default(); panels]);
        for (b, part) in parts.chunks_exact(2 * panels).enumerate() {
            let before = (b * BLOCK) as f32;
            let share = x.rows_of(b) as f32 / (before + x.rows_of(b) as f32);
            let (means, squares) = part.split_at(panels);
            let block = means.iter().zip(squares);
            for ((mean, variance), (means, squares)) in
                mean.iter_mut().zip(&mut variance).zip(block)
            {
                for i in 0..WIDTH {
                    let gap = means.0[i] - mean.0[i];
                    mean.0[i] += gap * share;
                    variance.0[i] += squares.0[i] + gap * gap * (before * share);
                }
            }
        }
        let rows = x.rows() as f32;
        for v in &mut variance {
            v.0 = v.0.map(|v| v / rows);
        }
        let inverse = variance.iter().map(|v| Row(v.0.map(|v| 1.0 / (v + EPSILON).sqrt())));
        let inverse = inverse.collect();
        Self { mean, variance, inverse }
    }

    /// Updates the running statistics with those of this batch of `rows` rows. A unit whose batch
    /// statistic is not finite keeps its old one.
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
        let mean = self.mean.iter().flat_map(|mean| mean.0);
        running_mean.iter_mut().zip(mean).for_each(|(old, new)| blend(old, new));
        let variance = self.variance.iter().flat_map(|v| v.0).map(|v| v * unbiased);
        running_variance.iter_mut().zip(variance).for_each(|(old, new)| blend(old, new));
    }

    /// Writes $\max(\gamma \hat x + \beta, 0)$ to `y`.
    pub(super) fn activate(&self, gamma: &[f32], beta: &[f32], x: &Batch, y: &mut Batch) {
        let scale = self.scaled(gamma);
        let beta = padded(beta);
        pass(
            x,
            y,
            #[inline(always)]
            |p, x, y| {
                let (scale, beta, mean) = (&scale[p], &beta[p], &self.mean[p]);
                for (x, y) in x.iter().zip(y) {
                    for i in 0..WIDTH {
                        y.0[i] = ((x.0[i] - mean.0[i]) * scale.0[i] + beta.0[i]).max(0.0);
                    }
                }
            },
        );
    }

    /// Derivatives with respect to $\gamma$ and $\beta$, from those with respect to the activated `y`, which
    /// are in `by`. The derivatives with respect to `x` replace `by`, or are added to `sum`. `kept` is the
    /// factor of dropout.
    pub(super) fn backward(
        &self,
        gamma: &[f32],
        [x, y]: [&Batch; 2],
        kept: f32,
        by: &mut Batch,
        sum: Option<&mut Batch>,
    ) -> [Vec<f32>; 2] {
        let panels = x.panels();
        let mut parts = vec![Row::default(); 2 * panels * x.blocks()];
        let blocks = by.par_blocks_mut().zip(parts.par_chunks_mut(2 * panels)).enumerate();
        blocks.with_min_len(least(x.len())).for_each(|(b, (by, part))| {
            vectorised(
                #[inline(always)]
                || {
                    let (by_gamma, by_beta) = part.split_at_mut(panels);
                    for (p, by) in by.chunks_exact_mut(BLOCK).enumerate() {
                        let rows = by.iter_mut().zip(x.panel(b, p)).zip(y.panel(b, p));
                        let (mean, inverse) = (&self.mean[p], &self.inverse[p]);
                        let (mut gamma, mut beta) = (Row::default(), Row::default());
                        for ((by, x), y) in rows {
                            *by = masked(by, y, kept);
                            for i in 0..WIDTH {
                                gamma.0[i] += by.0[i] * ((x.0[i] - mean.0[i]) * inverse.0[i]);
                            }
                            add(&mut beta, by);
                        }
                        (by_gamma[p], by_beta[p]) = (gamma, beta);
                    }
                },
            );
        });
        let both = total(parts, 2 * panels);
        let (by_gamma, by_beta) = both.split_at(panels);
        let n = x.rows() as f32;
        let a = self.scaled(gamma);
        let b: Vec<Row> = by_beta.iter().map(|v| Row(v.0.map(|v| v / n))).collect();
        let c: Vec<Row> = by_gamma
            .iter()
            .zip(&self.inverse)
            .map(|(v, inverse)| Row(std::array::from_fn(|i| v.0[i] * inverse.0[i] / n)))
            .collect();
        let back = |p: usize| Back { a: a[p], b: b[p], c: c[p], mean: self.mean[p] };
        if let Some(sum) = sum {
            let blocks = sum.par_blocks_mut().zip(by.par_blocks()).zip(x.par_blocks());
            blocks.with_min_len(least(x.len())).for_each(|((sum, by), x)| {
                vectorised(
                    #[inline(always)]
                    || {
                        let panels = sum.chunks_exact_mut(BLOCK).zip(by.chunks_exact(BLOCK));
                        for (p, ((sum, by), x)) in panels.zip(x.chunks_exact(BLOCK)).enumerate() {
                            let back = back(p);
                            for ((sum, by), x) in sum.iter_mut().zip(by).zip(x) {
                                add(sum, &back.through(by, x));
                            }
                        }
                    },
                );
            });
        } else {
            pass(
                x,
                by,
                #[inline(always)]
                |p, x, by| {
                    let back = back(p);
                    for (x, by) in x.iter().zip(by) {
                        *by = back.through(by, x);
                    }
                },
            );
        }
        [by_gamma, by_beta].map(|by| flat(by, gamma.len()))
    }

    /// $\gamma$ divided by the standard deviation.
    fn scaled(&self, gamma: &[f32]) -> Vec<Row> {
        let rows = padded(gamma).into_iter().zip(&self.inverse);
        rows.map(|(g, inverse)| Row(std::array::from_fn(|i| g.0[i] * inverse.0[i]))).collect()
    }
}

/// The backward pass through the normalisation of a panel.
struct Back {
    a: Row,
    b: Row,
    c: Row,
    mean: Row,
}

impl Back {
    /// $a (y - b - (x - m) c)$.
    #[inline(always)]
    fn through(&self, by: &Row, x: &Row) -> Row {
        let Self { a, b, c, mean } = self;
        let mut through = Row::default();
        for i in 0..WIDTH {
            through.0[i] = a.0[i] * (by.0[i] - b.0[i] - (x.0[i] - mean.0[i]) * c.0[i]);
        }
        through
    }
}

/// Gives `y` the shape of `x` and calls `change` with the index and the rows of each panel of both.
fn pass(x: &Batch, y: &mut Batch, change: impl Fn(usize, &[Row], &mut [Row]) + Sync) {
    y.resize(x.rows(), x.cols());
    let blocks = y.par_blocks_mut().zip(x.par_blocks());
    blocks.with_min_len(least(x.len())).for_each(|(y, x)| {
        vectorised(
            #[inline(always)]
            || {
                let panels = x.chunks_exact(BLOCK).zip(y.chunks_exact_mut(BLOCK));
                for (p, (x, y)) in panels.enumerate() {
                    change(p, x, y);
                }
            },
        );
    });
}

/// Writes $\max(x, 0)$ to `y`.
pub(super) fn relu(x: &Batch, y: &mut Batch) {
    pass(
        x,
        y,
        #[inline(always)]
        |_, x, y| {
            for (x, y) in x.iter().zip(y) {
                y.0 = x.0.map(|x| x.max(0.0));
            }
        },
    );
}

/// Replaces derivatives with respect to the activated `y` by those with respect to the inputs of the
/// activation. `kept` is the factor of dropout.
pub(super) fn relu_backward(y: &Batch, kept: f32, by: &mut Batch) {
    pass(
        y,
        by,
        #[inline(always)]
        |_, y, by| {
            for (y, by) in y.iter().zip(by) {
                *by = masked(by, y, kept);
            }
        },
    );
}

/// The backward pass through ReLU and dropout.
#[inline(always)]
fn masked(by: &Row, y: &Row, kept: f32) -> Row {
    let mut through = Row::default();
    for i in 0..WIDTH {
        // Computing both values is cheaper than a branch per number.
        let open = by.0[i] * kept;
        through.0[i] = if y.0[i] > 0.0 { open } else { 0.0 };
    }
    through
}

/// Adds `by` to `sum`.
pub(super) fn add_to(sum: &mut Batch, by: &Batch) {
    pass(
        by,
        sum,
        #[inline(always)]
        |_, by, sum| {
            for (sum, by) in sum.iter_mut().zip(by) {
                add(sum, by);
            }
        },
    );
}
