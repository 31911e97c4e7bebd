//! k-means++ seeding and a few Lloyd steps on weighted points: where a mixture fit starts.
//!
//! # References
//! - D. Arthur, S. Vassilvitskii: k-means++: the advantages of careful seeding. SODA (2007).

use nalgebra::{DMatrix, DMatrixView, DVectorView};
use rand::{Rng, RngExt};

/// Lloyd steps after the seeding.
const LLOYD_STEPS: usize = 8;

/// Hard responsibilities of `k` clusters of the columns of `x` with weights `w`, `[k, n]`; clusters
/// without weight are left out, so there may be fewer than `k` rows.
pub(crate) fn clusters(x: &DMatrix<f64>, w: &[f64], k: usize, rng: &mut impl Rng) -> DMatrix<f64> {
    let mut centres = seeds(x, w, k, rng);
    let mut labels = assign(x, &centres);
    for _ in 0..LLOYD_STEPS {
        let mut sums = DMatrix::zeros(x.nrows(), centres.ncols());
        let mut weights = vec![0.0; centres.ncols()];
        for ((column, w), label) in x.column_iter().zip(w).zip(&labels) {
            sums.column_mut(*label).axpy(*w, &column, 1.0);
            weights[*label] += w;
        }
        let kept: Vec<usize> = (0..weights.len()).filter(|k| weights[*k] > 0.0).collect();
        centres =
            DMatrix::from_fn(x.nrows(), kept.len(), |i, k| sums[(i, kept[k])] / weights[kept[k]]);
        let moved = assign(x, &centres);
        if moved == labels && kept.len() == weights.len() {
            break;
        }
        labels = moved;
    }
    let mut resp = DMatrix::zeros(centres.ncols(), x.ncols());
    labels.iter().enumerate().for_each(|(i, label)| resp[(*label, i)] = 1.0);
    let kept: Vec<usize> = (0..resp.nrows())
        .filter(|k| resp.row(*k).iter().zip(w).any(|(r, w)| r * w > 0.0))
        .collect();
    resp.select_rows(&kept)
}

/// k-means++ seeds, `[d, k]`: each new one with probability proportional to weight times squared
/// distance from those before.
fn seeds(x: &DMatrix<f64>, w: &[f64], k: usize, rng: &mut impl Rng) -> DMatrix<f64> {
    let mut chosen = vec![pick(w, rng)];
    let mut nearest: Vec<f64> = squared_distances(x, x.column(chosen[0])).collect();
    while chosen.len() < k {
        let mass: Vec<f64> = nearest.iter().zip(w).map(|(d, w)| d * w).collect();
        if mass.iter().sum::<f64>() <= 0.0 {
            break;
        }
        let next = pick(&mass, rng);
        for (near, far) in nearest.iter_mut().zip(squared_distances(x, x.column(next))) {
            *near = near.min(far);
        }
        chosen.push(next);
    }
    x.select_columns(&chosen)
}

/// An index with probability proportional to `mass`.
fn pick(mass: &[f64], rng: &mut impl Rng) -> usize {
    let mut u = rng.random::<f64>() * mass.iter().sum::<f64>();
    let last = mass.iter().rposition(|m| *m > 0.0).unwrap_or(0);
    for (i, m) in mass.iter().enumerate() {
        u -= m;
        if u < 0.0 {
            return i;
        }
    }
    last
}

fn squared_distances<'a>(
    x: &'a DMatrix<f64>,
    centre: DVectorView<'a, f64>,
) -> impl Iterator<Item = f64> + 'a {
    x.column_iter().map(move |column| {
        column.iter().zip(centre.iter()).map(|(a, b)| (a - b) * (a - b)).sum::<f64>()
    })
}

fn assign(x: &DMatrix<f64>, centres: &DMatrix<f64>) -> Vec<usize> {
    let distance = |a: DMatrixView<'_, f64>, b: DMatrixView<'_, f64>| {
        a.iter().zip(b.iter()).map(|(a, b)| (a - b) * (a - b)).sum::<f64>()
    };
    x.column_iter()
        .map(|column| {
            let mut best = (0, f64::INFINITY);
            for (k, centre) in centres.column_iter().enumerate() {
                let d = distance(column.as_view(), centre.as_view());
                if d < best.1 {
                    best = (k, d);
                }
            }
            best.0
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::rng;

    #[test]
    fn separated_groups_are_found_and_empty_clusters_left_out() {
        let x = DMatrix::from_fn(2, 90, |_, j| 10.0 * (j % 3) as f64 + 0.01 * (j / 3) as f64);
        let mut random = rng::stream(4, 0);
        let resp = clusters(&x, &[1.0; 90], 3, &mut random);
        assert_eq!(resp.nrows(), 3);
        for k in 0..3 {
            let groups: Vec<usize> =
                (0..90).filter(|j| resp[(k, *j)] > 0.5).map(|j| j % 3).collect();
            assert_eq!(groups.len(), 30);
            assert!(groups.iter().all(|g| *g == groups[0]));
        }
        let same = DMatrix::from_element(2, 10, 1.0);
        assert_eq!(clusters(&same, &[1.0; 10], 4, &mut random).nrows(), 1);
    }
}
