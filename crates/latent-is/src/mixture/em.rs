//! Weighted expectation-maximisation.
//!
//! With weights $w_i$ that add up to one, responsibilities $r_{ik}$ and $s_k = \sum_i w_i r_{ik}$,
//!
//! $$ \pi_k = s_k, \quad m_k = \frac{1}{s_k} \sum_i w_i r_{ik} x_i, \quad
//!    C_k = \frac{1}{s_k} \sum_i w_i r_{ik} (x_i - m_k)(x_i - m_k)^\top + \varepsilon I. \tag{2} $$
//!
//! A component that few effective points support is singular up to $\varepsilon$ and turns the
//! proposal into a needle. The guarded form therefore shrinks $C_k$ towards $\mathrm{tr}(C_k)/d I$
//! by $t_k = \min(1, (d+1)/(s_k \mathrm{ESS}))$ and drops a component with
//! $s_k \mathrm{ESS} < 2(d+1)$.

use nalgebra::{DMatrix, DMatrixView};
use serde::{Deserialize, Serialize};

use super::kernel::{Kernel, Moments};
use super::{Family, GaussianMixture};
use crate::error::{Error, EvalError};

/// How long expectation-maximisation runs and how it keeps covariances regular.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct EmSettings {
    /// Added to the diagonal of every covariance at every step: $\varepsilon$.
    pub ridge: f64,
    /// Stops when the objective changes by less than this share of itself.
    pub tolerance: f64,
    /// Stops after this many iterations.
    pub max_iterations: usize,
    /// Shrinks covariances and drops components by effective size.
    pub guarded: bool,
}

/// The outcome of expectation-maximisation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EmTrace {
    /// The last mixture.
    pub mixture: GaussianMixture,
    /// The objective $\sum_i w_i \log q(x_i) / \sum_i w_i$ after each iteration.
    pub ln_likelihood: Vec<f64>,
    /// Whether the tolerance was reached.
    pub converged: bool,
}

impl EmTrace {
    /// The last value of the objective.
    pub fn objective(&self) -> f64 {
        self.ln_likelihood.last().copied().unwrap_or(f64::NEG_INFINITY)
    }
}

/// Weighted expectation-maximisation from given responsibilities.
///
/// One iteration is an M-step from the current responsibilities and an E-step with its result.
///
/// # Shapes
/// - `x`: `[d, n]`; `w`: `[n]`, non-negative; `resp`: `[k, n]`
///
/// # Errors
/// [`Error::Evaluation`] when the shapes disagree, [`Error::Weights`] when no weight is positive or
/// one is not a number, [`Error::Mixture`] when a component vanishes or becomes singular.
pub fn expectation_maximization(
    x: DMatrixView<'_, f64>,
    w: &[f64],
    resp: &DMatrix<f64>,
    settings: &EmSettings,
) -> Result<EmTrace, Error> {
    EvalError::check_dim(x.ncols(), w.len())?;
    EvalError::check_dim(x.ncols(), resp.ncols())?;
    let total: f64 = w.iter().sum();
    if !total.is_finite() || total <= 0.0 || w.iter().any(|w| *w < 0.0) {
        return Err(Error::Weights);
    }
    let w: Vec<f64> = w.iter().map(|w| w / total).collect();
    let x = x.clone_owned();
    iterate(x.as_slice(), x.nrows(), &w, start(&x, &w, resp), settings, Family::Full)
}

/// Sums of an M-step and the centres they are taken about.
pub(super) struct Start {
    moments: Moments,
    centres: Vec<f64>,
}

impl Start {
    /// The sums that one E-step with `mixture` gives.
    pub(super) fn from_mixture(x: &[f64], w: &[f64], mixture: &GaussianMixture) -> Self {
        let moments = Kernel::new(mixture).moments(x, w);
        Self { moments, centres: mixture.means().as_slice().to_vec() }
    }
}

/// The sums that given responsibilities yield, about the weighted mean of all points.
pub(super) fn start(x: &DMatrix<f64>, w: &[f64], resp: &DMatrix<f64>) -> Start {
    let mut mean = vec![0.0; x.nrows()];
    for (column, w) in x.column_iter().zip(w) {
        mean.iter_mut().zip(column.iter()).for_each(|(m, v)| *m += w * v);
    }
    let centres = mean.repeat(resp.nrows());
    Start { moments: Moments::from_responsibilities(x.as_slice(), w, resp, &centres), centres }
}

/// Effective sample size $1/\sum w_i^2$ of weights that add up to one.
pub(super) fn effective_size(w: &[f64]) -> f64 {
    1.0 / w.iter().map(|w| w * w).sum::<f64>()
}

/// Iterates from `start`; `w` add up to one.
pub(super) fn iterate(
    x: &[f64],
    d: usize,
    w: &[f64],
    start: Start,
    settings: &EmSettings,
    family: Family,
) -> Result<EmTrace, Error> {
    let ess = effective_size(w);
    let Start { mut moments, mut centres } = start;
    let mut trace: Vec<f64> = Vec::new();
    loop {
        if settings.guarded {
            drop_weak(&mut moments, &mut centres, d, ess, least(family, d));
        }
        let mixture = update(&moments, &centres, d, ess, settings, family)?;
        let kernel = Kernel::new(&mixture);
        moments = kernel.moments(x, w);
        centres = mixture.means().as_slice().to_vec();
        let value = moments.ln_likelihood;
        let converged = trace
            .last()
            .is_some_and(|last: &f64| (value - last).abs() < settings.tolerance * value.abs());
        trace.push(value);
        if converged || trace.len() >= settings.max_iterations {
            return Ok(EmTrace { mixture, ln_likelihood: trace, converged });
        }
    }
}

/// Effective points that a component needs: $2(d + 1)$ for a full covariance, half of it for one with
/// few parameters.
pub(super) fn least(family: Family, d: usize) -> f64 {
    (d + 1) as f64 * if family == Family::Full { 2.0 } else { 1.0 }
}

/// Removes components that fewer than `least` effective points support, the weakest first, as long as
/// another is left.
fn drop_weak(moments: &mut Moments, centres: &mut Vec<f64>, d: usize, ess: f64, least: f64) {
    let packed = d * (d + 1) / 2;
    while moments.weight.len() > 1 {
        let total: f64 = moments.weight.iter().sum();
        let (weakest, weight) = moments
            .weight
            .iter()
            .copied()
            .enumerate()
            .min_by(|a, b| a.1.total_cmp(&b.1))
            .expect("more than one component");
        if weight / total * ess >= least {
            break;
        }
        moments.weight.remove(weakest);
        moments.first.drain(weakest * d..(weakest + 1) * d);
        moments.second.drain(weakest * packed..(weakest + 1) * packed);
        centres.drain(weakest * d..(weakest + 1) * d);
    }
}

/// The M-step (2) from moments about `centres`.
fn update(
    moments: &Moments,
    centres: &[f64],
    d: usize,
    ess: f64,
    settings: &EmSettings,
    family: Family,
) -> Result<GaussianMixture, Error> {
    let k = moments.weight.len();
    let total: f64 = moments.weight.iter().sum();
    let mut means = DMatrix::zeros(d, k);
    let mut covariances = Vec::with_capacity(k);
    for component in 0..k {
        let weight = moments.weight[component];
        let shift: Vec<f64> =
            moments.first[component * d..][..d].iter().map(|v| v / weight).collect();
        for i in 0..d {
            means[(i, component)] = centres[component * d + i] + shift[i];
        }
        let mut second = moments.second[component * d * (d + 1) / 2..].iter();
        let mut covariance = DMatrix::zeros(d, d);
        for i in 0..d {
            for j in 0..=i {
                let sum = second.next().expect("one entry for each j <= i");
                let value = sum / weight - shift[i] * shift[j];
                covariance[(i, j)] = value;
                covariance[(j, i)] = value;
            }
        }
        if family != Family::Full {
            covariance = family.shape(covariance, (weight / total * ess).max(2.0));
        } else if settings.guarded {
            let t = ((d + 1) as f64 / (weight / total * ess)).min(1.0);
            let isotropic = t * covariance.trace() / d as f64;
            covariance *= 1.0 - t;
            covariance.iter_mut().step_by(d + 1).for_each(|v| *v += isotropic);
        }
        covariance.iter_mut().step_by(d + 1).for_each(|v| *v += settings.ridge);
        covariances.push(covariance);
    }
    GaussianMixture::new(moments.weight.clone(), means, covariances)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::density::Density;

    #[test]
    fn a_needle_is_widened_and_a_ghost_is_dropped() {
        // Twelve points: ten on a line, two alone; unguarded, the second component is singular.
        let x = DMatrix::from_fn(2, 12, |i, j| {
            if j < 10 { if i == 0 { j as f64 } else { 0.0 } } else { 50.0 + i as f64 + j as f64 }
        });
        let w = vec![1.0; 12];
        let resp = DMatrix::from_fn(2, 12, |k, j| f64::from(u8::from((k == 0) == (j < 10))));
        let settings =
            EmSettings { ridge: 1e-9, tolerance: 1e-6, max_iterations: 50, guarded: true };
        let guarded = expectation_maximization(x.as_view(), &w, &resp, &settings).unwrap().mixture;
        assert_eq!(guarded.len(), 1);
        let plain = EmSettings { guarded: false, ..settings };
        let needle = expectation_maximization(x.as_view(), &w, &resp, &plain).unwrap().mixture;
        assert_eq!(needle.len(), 2);
        let smallest = |q: &GaussianMixture| {
            q.factors()
                .iter()
                .flat_map(|l| l.diagonal().iter().copied().collect::<Vec<_>>())
                .fold(f64::INFINITY, f64::min)
        };
        assert!(smallest(&needle) < 1e-4);
        assert!(smallest(&guarded) > 0.1);
    }

    #[test]
    fn the_objective_rises_and_weights_count_as_copies() {
        let x = crate::math::rng::standard_normal(3, 300, 5);
        let w: Vec<f64> = (0..300).map(|i| f64::from(i % 3)).collect();
        let resp =
            DMatrix::from_fn(
                2,
                300,
                |k, j| if x[(0, j)] > 0.0 { k as f64 } else { 1.0 - k as f64 },
            );
        let settings =
            EmSettings { ridge: 0.0, tolerance: 0.0, max_iterations: 40, guarded: false };
        let run = expectation_maximization(x.as_view(), &w, &resp, &settings).unwrap();
        assert!(run.ln_likelihood.windows(2).all(|l| l[1] >= l[0] - 1e-12));
        let copies: Vec<usize> = (0..300).flat_map(|i| vec![i; i % 3]).collect();
        let many = expectation_maximization(
            x.select_columns(&copies).as_view(),
            &vec![1.0; copies.len()],
            &resp.select_columns(&copies),
            &settings,
        )
        .unwrap();
        let at = |q: &GaussianMixture| q.ln_pdf(x.as_view()).unwrap();
        assert!((at(&run.mixture) - at(&many.mixture)).amax() < 1e-9);
    }
}
