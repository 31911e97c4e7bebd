//! Small dense kernels on row-major lower-triangular matrices, written so that they vectorise.

/// Inner product of two slices of one length, summed in a fixed order in eight lanes.
pub(crate) fn dot(a: &[f64], b: &[f64]) -> f64 {
    let mut acc = [0.0; 8];
    let (a8, a_rest) = a.as_chunks::<8>();
    let (b8, b_rest) = b.as_chunks::<8>();
    for (x, y) in a8.iter().zip(b8) {
        for l in 0..8 {
            acc[l] += x[l] * y[l];
        }
    }
    let rest: f64 = a_rest.iter().zip(b_rest).map(|(x, y)| x * y).sum();
    ((acc[0] + acc[4]) + (acc[1] + acc[5])) + ((acc[2] + acc[6]) + (acc[3] + acc[7])) + rest
}

/// `y += s x`.
pub(crate) fn axpy(s: f64, x: &[f64], y: &mut [f64]) {
    for (y, x) in y.iter_mut().zip(x) {
        *y += s * x;
    }
}

/// `x *= s`.
pub(crate) fn scale(s: f64, x: &mut [f64]) {
    for x in x {
        *x *= s;
    }
}

/// Scales `x` to length 1 and returns the length it had.
pub(crate) fn normalize(x: &mut [f64]) -> f64 {
    let length = dot(x, x).sqrt();
    for x in x {
        *x /= length;
    }
    length
}

/// Replaces the lower triangle of the row-major `a: [n, n]` with its Cholesky factor and returns
/// the row of the first pivot at or below `floor` as an error.
pub(crate) fn cholesky(a: &mut [f64], n: usize, floor: f64) -> Result<(), usize> {
    for i in 0..n {
        let (above, row) = a.split_at_mut(i * n);
        let row = &mut row[..n];
        for j in 0..i {
            let other = &above[j * n..=j * n + j];
            row[j] = (row[j] - dot(&row[..j], &other[..j])) / other[j];
        }
        let pivot = row[i] - dot(&row[..i], &row[..i]);
        if pivot.is_nan() || pivot <= floor {
            return Err(i);
        }
        row[i] = pivot.sqrt();
        row[i + 1..].fill(0.0);
    }
    Ok(())
}

/// Inverse of the row-major lower-triangular `l: [n, n]`.
pub(crate) fn invert_lower(l: &[f64], n: usize) -> Vec<f64> {
    let mut t = vec![0.0; n * n];
    for i in 0..n {
        let (above, row) = t.split_at_mut(i * n);
        for k in 0..i {
            axpy(-l[i * n + k], &above[k * n..=k * n + k], &mut row[..=k]);
        }
        let diagonal = 1.0 / l[i * n + i];
        scale(diagonal, &mut row[..i]);
        row[i] = diagonal;
    }
    t
}

/// Product of two row-major lower-triangular matrices.
pub(crate) fn multiply_lower(a: &[f64], b: &[f64], n: usize) -> Vec<f64> {
    let mut c = vec![0.0; n * n];
    for i in 0..n {
        for k in 0..=i {
            let row = &mut c[i * n..(i + 1) * n];
            axpy(a[i * n + k], &b[k * n..=k * n + k], &mut row[..=k]);
        }
    }
    c
}

/// `L x` for a row-major lower-triangular `l`.
pub(crate) fn lower_times(l: &[f64], x: &[f64]) -> Vec<f64> {
    let n = x.len();
    (0..n).map(|i| dot(&l[i * n..=i * n + i], &x[..=i])).collect()
}

/// Lower triangle with positive diagonal `L` such that `L Lᵀ = F Fᵀ`, for any square `f`; or the
/// first row that depends on those before it, to rounding.
pub(crate) fn lower_of_factor(f: &nalgebra::DMatrix<f64>) -> Result<Vec<f64>, usize> {
    let n = f.nrows();
    let r = f.transpose().qr().r();
    let mut l = vec![0.0; n * n];
    for i in 0..n {
        let sign = r[(i, i)].signum();
        for k in i..n {
            l[k * n + i] = sign * r[(i, k)];
        }
    }
    for (i, row) in l.chunks_exact(n).enumerate() {
        let length = dot(row, row).sqrt();
        if !length.is_finite() || row[i].is_nan() || row[i] <= n as f64 * f64::EPSILON * length {
            return Err(i);
        }
    }
    Ok(l)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn factor_and_inverse_agree() {
        let n = 11;
        let b: Vec<f64> = (0..n * n).map(|k| ((k * k + 3 * k) as f64).sin()).collect();
        let row = |i: usize| &b[i * n..(i + 1) * n];
        let mut a = vec![0.0; n * n];
        for i in 0..n {
            for j in 0..n {
                a[i * n + j] = dot(row(i), row(j)) + if i == j { 0.5 } else { 0.0 };
            }
        }
        let mut l = a.clone();
        cholesky(&mut l, n, 0.0).unwrap();
        for i in 0..n {
            for j in 0..=i {
                let product = dot(&l[i * n..=i * n + j], &l[j * n..=j * n + j]);
                assert!((product - a[i * n + j]).abs() < 1e-12);
            }
        }
        let unit = multiply_lower(&invert_lower(&l, n), &l, n);
        for i in 0..n {
            for j in 0..n {
                assert!((unit[i * n + j] - f64::from(i == j)).abs() < 1e-12);
            }
        }
    }
}
