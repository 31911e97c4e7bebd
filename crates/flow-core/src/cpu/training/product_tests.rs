//! Both products against sums in double precision.

use super::{
    batch::{BLOCK, Batch},
    factor::Factor,
    product::product,
    product_of_batches::product_of_batches,
};
use crate::cpu::kernel::WIDTH;

fn numbers(n: usize, seed: usize) -> Vec<f32> {
    (0..n).map(|i| ((i * 37 + seed * 101 + 11) % 97) as f32 / 97.0 - 0.5).collect()
}

fn batch(values: &[f32], cols: usize) -> Batch {
    let mut batch = Batch::default();
    batch.resize(values.len() / cols, cols);
    for (r, row) in values.chunks_exact(cols).enumerate() {
        batch.set_row(r, row.iter().copied());
    }
    batch
}

fn rows(batch: &Batch) -> Vec<f32> {
    let row = |r: usize| {
        let row = move |p| batch.panel(r / BLOCK, p)[r % BLOCK].0;
        (0..batch.panels()).flat_map(row).take(batch.cols())
    };
    (0..batch.rows()).flat_map(row).collect()
}

/// Each rounding error is below 6e-8 of a partial sum, which is at most k / 4.
fn close(ours: f32, terms: impl Iterator<Item = f64>, k: usize) -> bool {
    (f64::from(ours) - terms.sum::<f64>()).abs() < 1e-6 + 1e-7 * k as f64
}

const SHAPES: [[usize; 3]; 7] =
    [[1, 1, 1], [30, 1, 70], [7, 3, 5], [12, 2, 4], [97, 300, 33], [130, 64, 92], [310, 16, 16]];

/// Shapes with every kind of edge, against sums in double precision.
#[test]
fn products_with_weights_are_those_of_the_definition() {
    for [m, k, n] in SHAPES {
        let (a, b) = (numbers(m * k, 1), numbers(k * n, 2));
        let (bias, before) = (numbers(n, 3), numbers(m * n, 4));
        let (left, addend) = (batch(&a, k), batch(&before, n));
        let mut right = Factor::default();
        right.pack(&b, n);
        for bias in [None, Some(&*bias)] {
            for addend in [None, Some(&addend)] {
                let mut result = Batch::default();
                product(&left, &right, bias, addend, &mut result);
                assert!(
                    result.panel(0, result.panels() - 1)[0].0[(n - 1) % WIDTH + 1..]
                        .iter()
                        .all(|v| *v == 0.0)
                );
                for (at, value) in rows(&result).into_iter().enumerate() {
                    let (i, j) = (at / n, at % n);
                    let start =
                        bias.map_or(0.0, |bias| bias[j]) + addend.map_or(0.0, |_| before[at]);
                    let terms = (0..k).map(|t| f64::from(a[i * k + t]) * f64::from(b[t * n + j]));
                    let terms = terms.chain([f64::from(start)]);
                    assert!(close(value, terms, k), "{m} x {k} x {n}: {i}, {j}");
                }
            }
        }
    }
}

#[test]
fn products_of_batches_are_those_of_the_definition() {
    for [k, m, n] in SHAPES {
        let (a, b) = (numbers(k * m, 1), numbers(k * n, 2));
        let mut result = vec![f32::NAN; m * n];
        product_of_batches(&batch(&a, m), &batch(&b, n), &mut result);
        for (at, value) in result.into_iter().enumerate() {
            let (i, j) = (at / n, at % n);
            let terms = (0..k).map(|t| f64::from(a[t * m + i]) * f64::from(b[t * n + j]));
            assert!(close(value, terms, k), "{m} x {k} x {n}: {i}, {j}");
        }
    }
}
