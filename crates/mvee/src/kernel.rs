//! The inner loops over points, compiled for each instruction set and chosen at run time.
//!
//! Points are transposed into tiles of rows, so that one vector holds one coordinate of several points.
//! Multiplications and additions stay separate: the result has the same bits on every machine.

use pulp::{Simd, WithSimd};

/// Points per tile for norms.
const LANES: usize = 32;

/// Points per tile for moments.
const TILE: usize = 128;

/// Writes a function `map` of $\lVert T (x_i - c) \rVert^2$ of the columns into `out`; `t: [d, d]` is
/// row-major and lower-triangular.
pub(crate) struct SquaredNorms<'a, I, F> {
    pub(crate) columns: I,
    pub(crate) d: usize,
    pub(crate) c: &'a [f64],
    pub(crate) t: &'a [f64],
    pub(crate) out: &'a mut [f64],
    pub(crate) map: F,
}

impl<'x, I, F> WithSimd for SquaredNorms<'_, I, F>
where
    I: Iterator<Item = &'x [f64]>,
    F: Fn(f64) -> f64,
{
    type Output = ();

    #[expect(clippy::inline_always, reason = "must compile within the dispatched function")]
    #[inline(always)]
    fn with_simd<S: Simd>(mut self, _: S) {
        let mut tile = vec![[0.0; LANES]; self.d];
        for out in self.out.chunks_mut(LANES) {
            let mut group = [self.c; LANES];
            for (x, column) in group.iter_mut().zip(self.columns.by_ref().take(out.len())) {
                *x = column;
            }
            transpose_less(&group, self.c, &mut tile);
            let mut norm = [0.0; LANES];
            for (i, t) in self.t.chunks_exact(self.d).enumerate() {
                let mut z = [0.0; LANES];
                for (t, y) in t[..=i].iter().zip(&tile) {
                    for l in 0..LANES {
                        z[l] += t * y[l];
                    }
                }
                for l in 0..LANES {
                    norm[l] += z[l] * z[l];
                }
            }
            for norm in &mut norm {
                *norm = (self.map)(*norm);
            }
            out.copy_from_slice(&norm[..out.len()]);
        }
    }
}

/// `tile[j][l] = group[l][j] - c[j]`, in squares of four by four that stay in registers.
#[expect(clippy::inline_always, reason = "must compile within the dispatched function")]
#[inline(always)]
fn transpose_less(group: &[&[f64]; LANES], c: &[f64], tile: &mut [[f64; LANES]]) {
    let (squares, rest) = tile.as_chunks_mut::<4>();
    let done = 4 * squares.len();
    for (k, (rows, c)) in squares.iter_mut().zip(c.as_chunks::<4>().0).enumerate() {
        for l in (0..LANES).step_by(4) {
            let mut square = [[0.0; 4]; 4];
            for (y, x) in square.iter_mut().zip(&group[l..l + 4]) {
                let x = &x.as_chunks::<4>().0[k];
                for j in 0..4 {
                    y[j] = x[j] - c[j];
                }
            }
            for (j, row) in rows.iter_mut().enumerate() {
                for i in 0..4 {
                    row[l + i] = square[i][j];
                }
            }
        }
    }
    for (j, row) in rest.iter_mut().enumerate() {
        for (y, x) in row.iter_mut().zip(group) {
            *y = x[done + j] - c[done + j];
        }
    }
}

/// Sums of `y` and of `y yᵀ` (lower triangle) over the columns, `y = (x - shift) * factor`:
/// `[d]` and `[d, d]`, one after the other.
pub(crate) struct BlockMoments<'a, I> {
    pub(crate) columns: I,
    pub(crate) d: usize,
    pub(crate) shift: &'a [f64],
    pub(crate) factor: &'a [f64],
}

impl<'x, I: Iterator<Item = &'x [f64]>> WithSimd for BlockMoments<'_, I> {
    type Output = Vec<f64>;

    #[expect(clippy::inline_always, reason = "must compile within the dispatched function")]
    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> Vec<f64> {
        let d = self.d;
        let mut columns = self.columns.peekable();
        let mut sum = vec![0.0; d + d * d];
        let mut tile = vec![[0.0; TILE]; d];
        while columns.peek().is_some() {
            tile.fill([0.0; TILE]);
            for (l, x) in columns.by_ref().take(TILE).enumerate() {
                for (j, row) in tile.iter_mut().enumerate() {
                    row[l] = (x[j] - self.shift[j]) * self.factor[j];
                }
            }
            for i in 0..d {
                for j in 0..=i {
                    let mut acc = [0.0; LANES];
                    let (a, b) = (tile[i].as_chunks::<LANES>().0, tile[j].as_chunks::<LANES>().0);
                    for (a, b) in a.iter().zip(b) {
                        for l in 0..LANES {
                            acc[l] += a[l] * b[l];
                        }
                    }
                    sum[d + i * d + j] += acc.iter().sum::<f64>();
                }
                sum[i] += tile[i].iter().sum::<f64>();
            }
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use pulp::{Arch, Scalar};

    use super::*;

    #[test]
    fn every_instruction_set_gives_the_same_bits() {
        let (d, n) = (7, 301);
        let wave = |k: usize| ((k * k + 5 * k) as f64).sin();
        let x: Vec<f64> = (0..n * d).map(wave).collect();
        let t: Vec<f64> = (0..d * d).map(|k| wave(k + 9)).collect();
        let c: Vec<f64> = (0..d).map(|k| wave(k + 77)).collect();
        let mut out = [vec![0.0; n], vec![0.0; n]];
        let [plain, chosen] = &mut out;
        let norms = |out| {
            let columns = x.chunks_exact(d);
            SquaredNorms { columns, d, c: &c, t: &t, out, map: f64::sqrt }
        };
        norms(plain).with_simd(Scalar);
        Arch::new().dispatch(norms(chosen));
        assert_eq!(plain, chosen);
        for (x, found) in x.chunks_exact(d).zip(plain) {
            let rows = t.chunks_exact(d).enumerate();
            let z = rows.map(|(i, t)| (0..=i).map(|j| t[j] * (x[j] - c[j])).sum::<f64>());
            assert!((*found - z.map(|z| z * z).sum::<f64>().sqrt()).abs() < 1e-12);
        }
        let moments = || BlockMoments { columns: x.chunks_exact(d), d, shift: &c, factor: &t[..d] };
        assert_eq!(moments().with_simd(Scalar), Arch::new().dispatch(moments()));
    }
}
