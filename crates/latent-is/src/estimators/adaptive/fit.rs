//! The proposal of the next level: several candidates, and the one whose draws would vary least.
//!
//! With pooled weights $\omega_i = p(u_i)/\sum_m n_m q_m(u_i)$ of the points in the event, a proposal $q$
//! gives one draw the second moment
//!
//! $$ M(q) = \mathrm E_p[\mathbf 1 p/q] \approx \sum_i \omega_i \frac{p(u_i)}{q(u_i)}. \tag{1} $$
//!
//! Candidates are fitted to one half of the points and judged by (1) on the other, both ways, with the
//! explorer's share and an inflated copy blended in as in the final draws. They are
//!
//! - a mixture by expectation-maximisation, whose likelihood hardly sees a small mode;
//! - a Gaussian for each of 2, 4, 8, 16 and 24 clusters by the square roots of the weights, in which small modes
//!   count;
//! - above 20 coordinates instead a Gaussian for each *direction* in which a design point lies, with mean
//!   and variance along it from the points, and around zero and isotropic but for a few spikes across: a
//!   mean with a hundred free coordinates would be noise. Without design points the direction is
//!   that of a ridge regression of $g$ on $u$.
//!
//! The shares of the Gaussians then minimise (1) by a fixed-point iteration.

use nalgebra::{DMatrix, DVector};

use crate::error::Error;
use crate::estimators::cross_entropy::Propose;
use crate::math::rng;
use crate::math::special::ln_sum_exp;
use crate::mixture::GaussianMixture;
use crate::mixture::family::Family;
use crate::mixture::fit::{Components, Fitted, MixtureFit};
use crate::mixture::kmeans::clusters;
use crate::model::density::Density;
use crate::result::diagnostics::effective_sample_size;
use crate::search::explore::Explorer;
use crate::search::pool::Pool;

/// Numbers of clusters tried.
const CLUSTERS: [usize; 5] = [2, 4, 8, 16, 24];
/// Coordinates above which Gaussians are directed.
const MOST_FREE: usize = 20;
/// Share of the inflated copy in judging, and its factor.
const INFLATED: (f64, f64) = (0.1, 2.0);
/// Variance that the wider copies have along the radius on top: with half the nominal one the second moment
/// of an exponential tail is finite.
const TAIL: f64 = 0.5;
/// Share of the explorer in judging.
const EXPLORED: f64 = 0.05;
/// Steps towards the best shares.
const SHARE_STEPS: usize = 20;
/// Least share of a Gaussian, over an equal one.
const LEAST_SHARE: f64 = 0.05;
/// Largest improvement over the second-best that chance explains: a candidate must beat those before it.
const CLEARLY: f64 = 0.95;
/// Points that a Gaussian needs; covariances of few are shrunk.
const LEAST_MEMBERS: usize = 3;
/// Failures in a level that are enough to aim at the failure event.
const ENOUGH: u64 = 30;
/// Weight of the ridge, in units of the number of coordinates.
const RIDGE: f64 = 1.0;

/// Fits candidates and chooses.
pub(super) struct Proposer<'a> {
    pub(super) fit: MixtureFit,
    /// Where the starts led.
    pub(super) places: &'a [DVector<f64>],
}

/// Points of the event with their weights.
struct Elite {
    x: DMatrix<f64>,
    /// Logarithms of the pooled weights, and of the nominal density.
    ln_w: Vec<f64>,
    ln_p: Vec<f64>,
}

impl Elite {
    fn select(&self, kept: &[usize]) -> Self {
        Self {
            x: self.x.select_columns(kept),
            ln_w: kept.iter().map(|i| self.ln_w[*i]).collect(),
            ln_p: kept.iter().map(|i| self.ln_p[*i]).collect(),
        }
    }

    /// Weights that add up to one.
    fn weights(&self) -> Vec<f64> {
        let total = ln_sum_exp(&self.ln_w);
        self.ln_w.iter().map(|w| (w - total).exp()).collect()
    }
}

/// What may be tried.
#[derive(Clone, Copy, Debug)]
enum Candidate {
    Mixture,
    Clusters(usize),
    Places,
    Directed,
}

impl Propose for Proposer<'_> {
    fn propose(
        &self,
        pool: &Pool,
        ln_w: &[f64],
        explorer: Option<&Explorer>,
        seed: u64,
    ) -> Result<Fitted, Error> {
        let present: Vec<usize> = (0..ln_w.len()).filter(|i| ln_w[*i].is_finite()).collect();
        if present.is_empty() {
            return Err(Error::Weights);
        }
        let all = Elite { x: pool.x.clone(), ln_w: ln_w.to_vec(), ln_p: pool.ln_p.clone() };
        let elite = all.select(&present);
        let d = elite.x.nrows();
        let mut places: Vec<_> = self.places.to_vec();
        if d > MOST_FREE {
            places = places.iter().filter_map(|u| u.try_normalize(1e-9)).collect();
            if places.is_empty() {
                places.extend(regression(pool));
            }
        }
        let mut candidates = vec![Candidate::Mixture];
        if d > MOST_FREE {
            candidates.push(Candidate::Directed);
        } else {
            if places.len() > 1 {
                candidates.push(Candidate::Places);
            }
            candidates.extend(CLUSTERS.map(Candidate::Clusters));
        }
        let halves: [Vec<usize>; 2] =
            [0, 1].map(|parity| (parity..present.len()).step_by(2).collect());
        let [a, b] = halves.map(|half| elite.select(&half));
        let mut best: Option<(f64, Candidate, GaussianMixture)> = None;
        for candidate in candidates {
            let half = |half| self.make(candidate, half, &places, seed).ok().flatten();
            let (Some(qa), Some(qb)) = (half(&a), half(&b)) else { continue };
            let score = second_moment(&defended(&qa, explorer)?, &b)?
                + second_moment(&defended(&qb, explorer)?, &a)?;
            if best.as_ref().is_none_or(|(s, ..)| score < CLEARLY * s) {
                best = Some((score, candidate, qa.blend(&qb, 0.5)?));
            }
        }
        let chosen = best.as_ref().map_or(Candidate::Mixture, |(_, candidate, _)| *candidate);
        let whole = self.make(chosen, &elite, &places, seed).ok().flatten();
        // Two halves stand for the whole where fitting it again has lost what they saw.
        let mixture = match (whole, best) {
            (Some(whole), Some((_, _, both))) => {
                let moment = |q| second_moment(&defended(q, explorer)?, &elite);
                if moment(&whole)? <= moment(&both)? { whole } else { both }
            }
            (Some(mixture), None) | (None, Some((_, _, mixture))) => mixture,
            (None, None) => self.fit.fit(elite.x.as_view(), &elite.ln_w, seed)?.mixture,
        };
        let ess = effective_sample_size(&elite.ln_w);
        Ok(Fitted { mixture, ess, temper: 1.0, ln_likelihood: f64::NAN })
    }

    fn min_failures(&self) -> u64 {
        ENOUGH
    }
}

impl Proposer<'_> {
    fn make(
        &self,
        candidate: Candidate,
        from: &Elite,
        places: &[DVector<f64>],
        seed: u64,
    ) -> Result<Option<GaussianMixture>, Error> {
        // Half of a single point.
        if from.ln_w.is_empty() {
            return Ok(None);
        }
        let groups = match candidate {
            Candidate::Mixture => {
                let mixture = self.fit.fit(from.x.as_view(), &from.ln_w, seed)?.mixture;
                return Ok(Some(shared(tailed(&mixture)?, from)?));
            }
            Candidate::Clusters(k) => {
                let top = from.ln_w.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                let roots: Vec<f64> = from.ln_w.iter().map(|w| (0.5 * (w - top)).exp()).collect();
                let mut random = rng::stream(rng::derive(seed, "clusters", k as u64), 0);
                let resp = clusters(&from.x, &roots, k, &mut random);
                let members = |row: usize| {
                    (0..from.ln_w.len()).filter(|i| resp[(row, *i)] > 0.5).collect::<Vec<_>>()
                };
                (0..resp.nrows()).map(members).collect()
            }
            Candidate::Places => grouped(&from.x, |u, k| -(u - &places[k]).norm(), places.len()),
            Candidate::Directed => grouped(&from.x, |u, k| places[k].dot(u), places.len()),
        };
        let (mut means, mut covariances, mut mass) = (Vec::new(), Vec::new(), Vec::new());
        for (group, members) in groups.iter().enumerate() {
            if members.len() < LEAST_MEMBERS {
                continue;
            }
            let own = from.select(members);
            let (mean, covariance) = if matches!(candidate, Candidate::Directed) {
                directed(&own, &places[group])
            } else {
                let one = self.fit.with_components(Components::Fixed(1));
                let q = one.fit(own.x.as_view(), &own.ln_w, seed)?.mixture;
                (q.means().column(0).clone_owned(), q.covariance(0))
            };
            means.push(mean);
            covariances.push(covariance);
            mass.push(ln_sum_exp(&own.ln_w));
        }
        if means.is_empty() {
            return Ok(None);
        }
        let total = ln_sum_exp(&mass);
        let k = mass.len() as f64;
        let weights = mass.iter().map(|m| (m - total).exp().max(LEAST_SHARE / k)).collect();
        let q = GaussianMixture::new(weights, DMatrix::from_columns(&means), covariances)?;
        Ok(Some(shared(tailed(&q)?, from)?))
    }
}

/// The mixture with a copy of each Gaussian that is wider along the radius.
fn tailed(q: &GaussianMixture) -> Result<GaussianMixture, Error> {
    let covariances = (0..q.len())
        .map(|c| {
            let mut covariance = q.covariance(c);
            let mean = q.means().column(c);
            if let Some(radial) = mean.try_normalize(1e-9) {
                covariance.ger(TAIL, &radial, &radial, 1.0);
            }
            covariance
        })
        .collect();
    let copies = GaussianMixture::new(q.weights().to_vec(), q.means().clone(), covariances)?;
    q.blend(&copies, 0.5)
}

/// The mixture with shares that minimise (1).
fn shared(q: GaussianMixture, on: &Elite) -> Result<GaussianMixture, Error> {
    let k = q.len();
    if k == 1 {
        return Ok(q);
    }
    // Densities of the Gaussians at the points, `[n, k]`, each point's largest taken out.
    let mut density = DMatrix::zeros(on.ln_w.len(), k);
    for c in 0..k {
        let mean = q.means().columns(c, 1).clone_owned();
        let one = GaussianMixture::from_factors(vec![1.0], mean, vec![q.factors()[c].clone()])?;
        density.set_column(c, &one.ln_pdf(on.x.as_view())?);
    }
    let mut terms = DVector::zeros(on.ln_w.len());
    for (i, mut row) in density.row_iter_mut().enumerate() {
        let top = row.max();
        // w p q_k / q^2 with the largest out of each density: twice below, once above.
        terms[i] = on.ln_w[i] + on.ln_p[i] - top;
        row.iter_mut().for_each(|v| *v = (*v - top).exp());
    }
    let largest = terms.max();
    terms.apply(|t| *t = (*t - largest).exp());
    let mut shares = DVector::from_column_slice(q.weights());
    for _ in 0..SHARE_STEPS {
        let total = &density * &shares;
        let scaled = terms.zip_map(&total, |t, q| t / (q * q));
        let gains = density.tr_mul(&scaled);
        shares.zip_apply(&gains, |share, gain| *share *= gain.sqrt());
        shares /= shares.sum();
        shares.apply(|share| *share = share.max(LEAST_SHARE / k as f64));
    }
    GaussianMixture::from_factors(
        shares.as_slice().to_vec(),
        q.means().clone(),
        q.factors().to_vec(),
    )
}

/// The mixture as the final draws will defend it, about.
fn defended(q: &GaussianMixture, explorer: Option<&Explorer>) -> Result<GaussianMixture, Error> {
    let q = q.blend(&q.inflated(INFLATED.1)?, INFLATED.0)?;
    match explorer {
        Some(explorer) => q.blend(explorer.proposal(), EXPLORED),
        None => Ok(q),
    }
}

/// The second moment (1) of `q` relative to the squared mean.
fn second_moment(q: &GaussianMixture, on: &Elite) -> Result<f64, Error> {
    let ln_q = q.ln_pdf(on.x.as_view())?;
    let terms: Vec<f64> = (0..on.ln_w.len()).map(|i| on.ln_w[i] + on.ln_p[i] - ln_q[i]).collect();
    Ok((ln_sum_exp(&terms) - 2.0 * ln_sum_exp(&on.ln_w)).exp())
}

/// Columns by the group for which `rank` is largest.
fn grouped(
    x: &DMatrix<f64>,
    rank: impl Fn(&DVector<f64>, usize) -> f64,
    groups: usize,
) -> Vec<Vec<usize>> {
    let mut members = vec![Vec::new(); groups];
    for (i, u) in x.column_iter().enumerate() {
        let u = u.clone_owned();
        let best = (0..groups).max_by(|a, b| rank(&u, *a).total_cmp(&rank(&u, *b)));
        if let Some(best) = best {
            members[best].push(i);
        }
    }
    members
}

/// Mean and covariance of a Gaussian with a free mean and variance along the unit vector `a` alone.
fn directed(own: &Elite, a: &DVector<f64>) -> (DVector<f64>, DMatrix<f64>) {
    let d = a.len();
    let w = own.weights();
    let ess = 1.0 / w.iter().map(|w| w * w).sum::<f64>();
    let along: Vec<f64> = own.x.column_iter().map(|u| a.dot(&u)).collect();
    let mean: f64 = along.iter().zip(&w).map(|(t, w)| t * w).sum();
    let variance: f64 = along.iter().zip(&w).map(|(t, w)| w * (t - mean).powi(2)).sum();
    // One pseudo-observation at the nominal variance keeps it off zero.
    let variance = (ess * variance + 1.0 / (1.0 + mean * mean)) / (ess + 1.0);
    let mut across = own.x.clone();
    for ((mut column, t), w) in across.column_iter_mut().zip(&along).zip(&w) {
        column.axpy(-t, a, 1.0);
        column *= w.sqrt();
    }
    let mut covariance = &across * across.transpose();
    let level = covariance.trace() / (d - 1) as f64;
    covariance.ger(level, a, a, 1.0);
    // Few points leave eigenvalues near zero: towards the isotropic one by effective size.
    let towards = (d as f64 + 1.0) / (d as f64 + 1.0 + ess);
    covariance *= 1.0 - towards;
    covariance += DMatrix::from_diagonal_element(d, d, towards * level);
    let shaped = Family::Spiked.shape(covariance, ess);
    let project = DMatrix::identity(d, d) - a * a.transpose();
    let mut covariance = &project * shaped * &project;
    covariance.ger(variance, a, a, 1.0);
    (mean * a, covariance)
}

/// Direction in which $g$ falls by a ridge regression on all points; none when it is flat.
fn regression(pool: &Pool) -> Option<DVector<f64>> {
    let (d, n) = pool.x.shape();
    let mean = pool.x.column_mean();
    let level = pool.g.iter().sum::<f64>() / n as f64;
    let mut gram = DMatrix::from_diagonal_element(d, d, RIDGE * d as f64);
    let mut moment = DVector::zeros(d);
    for (u, g) in pool.x.column_iter().zip(&pool.g) {
        let centred = u - &mean;
        gram.ger(1.0, &centred, &centred, 1.0);
        moment.axpy(level - g, &centred, 1.0);
    }
    let slope = gram.cholesky()?.solve(&moment);
    let norm = slope.norm();
    (norm > 0.0 && norm.is_finite()).then(|| slope / norm)
}
