//! Points as contiguous columns, and the passes over all of them.
//!
//! Every pass divides the columns into blocks of a fixed size, processes the blocks in parallel and
//! combines the results in order, so that no result depends on the number of threads.

use nalgebra::DMatrixView;
use pulp::Arch;
use rayon::prelude::*;

use crate::error::MveeError;
use crate::kernel::{BlockMoments, SquaredNorms};
use crate::linalg::{dot, scale};

/// Columns per block.
const BLOCK: usize = 4096;

/// `n` points of `d` coordinates, borrowed or owned.
#[derive(Clone, Debug)]
pub(crate) struct Points<'a> {
    pub(crate) d: usize,
    pub(crate) n: usize,
    source: Source<'a>,
}

#[derive(Clone, Debug)]
enum Source<'a> {
    View(DMatrixView<'a, f64>),
    Owned(Vec<f64>),
}

/// Smallest and largest value of each coordinate.
pub(crate) struct Bounds {
    pub(crate) low: Vec<f64>,
    pub(crate) high: Vec<f64>,
}

/// Mean and covariance `[d, d]` (row-major) of scaled points.
pub(crate) struct Moments {
    pub(crate) mean: Vec<f64>,
    pub(crate) covariance: Vec<f64>,
}

impl<'a> Points<'a> {
    pub(crate) fn from_view(view: DMatrixView<'a, f64>) -> Self {
        let (d, n) = view.shape();
        Self { d, n, source: Source::View(view) }
    }

    /// Takes coordinates, one point after the other.
    pub(crate) fn owned(d: usize, data: Vec<f64>) -> Points<'static> {
        Points { d, n: data.len() / d, source: Source::Owned(data) }
    }

    pub(crate) fn view(&self) -> DMatrixView<'_, f64> {
        match &self.source {
            Source::View(view) => view.as_view(),
            Source::Owned(data) => DMatrixView::from_slice(data, self.d, self.n),
        }
    }

    pub(crate) fn column(&self, i: usize) -> &[f64] {
        match &self.source {
            Source::View(view) => view.column(i).data.into_slice(),
            Source::Owned(data) => &data[i * self.d..(i + 1) * self.d],
        }
    }

    /// All points in order, each a slice of its coordinates.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &[f64]> {
        (0..self.n).map(|i| self.column(i))
    }

    /// The points from `start` on, at most `count`.
    fn range(&self, start: usize, count: usize) -> impl Iterator<Item = &[f64]> {
        (start..self.n.min(start + count)).map(|i| self.column(i))
    }

    /// First points of the blocks, in parallel.
    fn blocks(&self) -> rayon::iter::StepBy<rayon::range::Iter<usize>> {
        (0..self.n).into_par_iter().step_by(BLOCK)
    }

    /// Bounds of every coordinate; refuses NaN and infinity with their place.
    pub(crate) fn bounds(&self) -> Result<Bounds, MveeError> {
        let d = self.d;
        let partial: Vec<_> = self
            .blocks()
            .map(|start| {
                let first = self.column(start).to_vec();
                let (mut low, mut high) = (first.clone(), first);
                let mut poison = vec![0.0; d];
                for x in self.range(start, BLOCK) {
                    for j in 0..d {
                        let v = x[j];
                        low[j] = if v < low[j] { v } else { low[j] };
                        high[j] = if v > high[j] { v } else { high[j] };
                        poison[j] += v * 0.0; // NaN for NaN and infinity
                    }
                }
                (low, high, poison.iter().any(|p| p.is_nan()))
            })
            .collect();
        if partial.iter().any(|p| p.2) {
            for (point, x) in self.iter().enumerate() {
                if let Some(coordinate) = x.iter().position(|v| !v.is_finite()) {
                    return Err(MveeError::NotFinite { point, coordinate, value: x[coordinate] });
                }
            }
        }
        let mut all = Bounds { low: partial[0].0.clone(), high: partial[0].1.clone() };
        for (low, high, _) in &partial {
            for j in 0..d {
                all.low[j] = all.low[j].min(low[j]);
                all.high[j] = all.high[j].max(high[j]);
            }
        }
        Ok(all)
    }

    /// Mean and covariance of `(x - shift) * factor`, taken coordinate by coordinate.
    pub(crate) fn moments(&self, shift: &[f64], factor: &[f64]) -> Moments {
        let d = self.d;
        let partial: Vec<Vec<f64>> = self
            .blocks()
            .map(|start| {
                let columns = self.range(start, BLOCK);
                Arch::new().dispatch(BlockMoments { columns, d, shift, factor })
            })
            .collect();
        let mut sum = vec![0.0; d + d * d];
        for part in &partial {
            sum.iter_mut().zip(part).for_each(|(s, p)| *s += p);
        }
        let n = self.n as f64;
        scale(1.0 / n, &mut sum);
        let covariance = sum.split_off(d);
        let mut moments = Moments { mean: sum, covariance };
        for i in 0..d {
            for j in 0..=i {
                let c = moments.covariance[i * d + j] - moments.mean[i] * moments.mean[j];
                moments.covariance[i * d + j] = c;
                moments.covariance[j * d + i] = c;
            }
        }
        moments
    }

    /// Writes $\lVert T (x_i - c) \rVert^2$ of every point into `out: [n]`; `t` is row-major and
    /// lower-triangular.
    pub(crate) fn squared_norms(&self, c: &[f64], t: &[f64], out: &mut [f64]) {
        self.map_squared_norms(c, t, out, |norm| norm);
    }

    /// Writes a function of the squared norms instead.
    pub(crate) fn map_squared_norms(
        &self,
        c: &[f64],
        t: &[f64],
        out: &mut [f64],
        map: impl Fn(f64) -> f64 + Copy + Sync,
    ) {
        let block = |(start, out)| {
            let columns = self.range(start, BLOCK);
            Arch::new().dispatch(SquaredNorms { columns, d: self.d, c, t, out, map });
        };
        if self.n <= BLOCK {
            return block((0, out));
        }
        self.blocks().zip(out.par_chunks_mut(BLOCK)).for_each(block);
    }

    /// $T (x_i - c)$ for the points `ids`, as new points.
    pub(crate) fn transformed(&self, ids: &[usize], c: &[f64], t: &[f64]) -> Points<'static> {
        let d = self.d;
        let mut data = vec![0.0; d * ids.len()];
        data.par_chunks_mut(BLOCK * d).zip(ids.par_chunks(BLOCK)).for_each(|(out, ids)| {
            let mut y = vec![0.0; d];
            for (out, &id) in out.chunks_exact_mut(d).zip(ids) {
                let x = self.column(id);
                y.iter_mut().zip(x.iter().zip(c)).for_each(|(y, (x, c))| *y = x - c);
                for i in 0..d {
                    out[i] = dot(&t[i * d..=i * d + i], &y[..=i]);
                }
            }
        });
        Points::owned(d, data)
    }
}

/// Indices of the `k` largest of `values`, largest first; ties go to the lower index.
pub(crate) fn largest(values: &[f64], k: usize, above: f64) -> Vec<usize> {
    let mut floor = above;
    if values.len() > 64 * k.max(64) {
        // Every `step`-th value gives a first threshold.
        let step = values.len() / 4096;
        let mut sample: Vec<f64> = values.iter().step_by(step.max(1)).copied().collect();
        let keep = (4 * k / step.max(1)).max(16).min(sample.len() - 1);
        sample.sort_unstable_by(|a, b| b.total_cmp(a));
        floor = floor.max(sample[keep]);
    }
    let mut ids: Vec<usize> = (0..values.len()).filter(|&i| values[i] > floor).collect();
    if ids.len() < k && floor > above {
        ids = (0..values.len()).filter(|&i| values[i] > above).collect();
    }
    let order = |a: &usize, b: &usize| values[*b].total_cmp(&values[*a]).then(a.cmp(b));
    if ids.len() > k {
        ids.select_nth_unstable_by(k, order);
        ids.truncate(k);
    }
    ids.sort_unstable_by(order);
    ids
}
