//! The LU layer with its derivatives.

use nalgebra::DMatrix;

use crate::{
    bijection::lu_linear::lu_factors,
    cpu::training::tensors::{Cursor, Tensors},
};

/// Indices of the tensors of an LU layer. Sums over the batch are in double precision.
#[derive(Clone, Debug)]
pub(super) struct Lu {
    lower: usize,
    upper: usize,
    diagonal: usize,
    bias: usize,
}

impl Lu {
    /// A layer with the next tensors of `cursor`.
    pub(super) fn new(cursor: &mut Cursor) -> Self {
        let mut next = || cursor.trained();
        Self { lower: next(), upper: next(), diagonal: next(), bias: next() }
    }

    fn factors(&self, tensors: &Tensors) -> (DMatrix<f64>, DMatrix<f64>) {
        let host = |i: usize| tensors.values[i].iter().map(|v| f64::from(*v));
        lu_factors(host(self.lower), host(self.upper), host(self.diagonal))
    }

    /// Replaces rows of `x` by $L U x + b$; returns $\ln|\det L U|$.
    pub(super) fn forward(&self, tensors: &Tensors, x: &mut [f32]) -> f64 {
        let (lower, upper) = self.factors(tensors);
        let matrix = single(&(lower * &upper));
        map(&matrix, &tensors.values[self.bias], x);
        upper.diagonal().iter().map(|v| v.ln()).sum()
    }

    /// Derivatives with respect to the parameters and the inputs `x`. `by` holds the derivatives with
    /// respect to the outputs and is replaced by those with respect to the inputs. The derivatives with
    /// respect to the log-determinants of the rows have the sum -1.
    pub(super) fn backward(&self, tensors: &mut Tensors, x: &[f32], by: &mut [f32]) {
        let (lower, upper) = self.factors(tensors);
        let d = lower.nrows();
        let mut by_matrix = DMatrix::<f64>::zeros(d, d);
        let mut by_bias = vec![0.0_f64; d];
        for (x, by) in x.chunks_exact(d).zip(by.chunks_exact(d)) {
            for (j, x) in x.iter().enumerate() {
                let column = &mut by_matrix.as_mut_slice()[j * d..][..d];
                column.iter_mut().zip(by).for_each(|(m, by)| *m += f64::from(*by) * f64::from(*x));
            }
            by_bias.iter_mut().zip(by).for_each(|(b, by)| *b += f64::from(*by));
        }
        let by_lower = &by_matrix * upper.transpose();
        let by_upper = lower.transpose() * &by_matrix;
        let triangle = |m: &DMatrix<f64>, below: bool| -> Vec<f32> {
            let inside = |i: usize, j: usize| if below { j < i } else { j > i };
            let row = |i: usize| (0..d).filter(move |&j| inside(i, j)).map(move |j| (i, j));
            (0..d).flat_map(row).map(|at| m[at] as f32).collect()
        };
        tensors.grads[self.lower] = triangle(&by_lower, true);
        tensors.grads[self.upper] = triangle(&by_upper, false);
        let raw = &tensors.values[self.diagonal];
        tensors.grads[self.diagonal] = raw
            .iter()
            .enumerate()
            .map(|(i, raw)| {
                let by = by_upper[(i, i)] - 1.0 / upper[(i, i)];
                (by / (1.0 + (-f64::from(*raw)).exp())) as f32
            })
            .collect();
        tensors.grads[self.bias] = by_bias.iter().map(|b| *b as f32).collect();
        map(&single(&(lower * upper).transpose()), &vec![0.0; d], by);
    }
}

/// Row-major, in single precision.
fn single(matrix: &DMatrix<f64>) -> Vec<f32> {
    matrix.transpose().iter().map(|v| *v as f32).collect()
}

/// Replaces rows of `x` by $M x + b$.
fn map(matrix: &[f32], shift: &[f32], x: &mut [f32]) {
    let d = shift.len();
    let mut old = vec![0.0; d];
    for x in x.chunks_exact_mut(d) {
        old.copy_from_slice(x);
        for ((y, row), b) in x.iter_mut().zip(matrix.chunks_exact(d)).zip(shift) {
            *y = b + row.iter().zip(&old).map(|(m, v)| m * v).sum::<f32>();
        }
    }
}
