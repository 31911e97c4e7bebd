//! Where the search for design points starts, and what it led to.
//!
//! Starts go out in rounds: the first from the origin and from points that failed (or came nearest to it) far
//! from each other, the next from failing points that nothing found so far *explains*. A design point $u^\ast$ with
//! outward direction $a$ explains what lies beyond its tangent plane, $a \cdot u \ge \beta - 1/2$; a failing
//! point on the safe side of all these planes belongs to another mode or to a boundary that is strongly
//! curved. Rounds end when all failing points are explained, or lead to nothing new.

use nalgebra::{DMatrix, DVector};
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::estimators::form::{DesignPoint, DesignPoints, Form, SAME};
use crate::math::special::ln_sum_exp;
use crate::mixture::GaussianMixture;
use crate::model::density::{Density, StandardNormal};
use crate::model::limit_state::LimitState;
use crate::result::estimate::{Estimate, StartsRecord};
use crate::search::explore::{LN_NEGLIGIBLE, cover};
use crate::search::pool::Pool;

/// Starts of a round.
const ROUND: usize = 4;
/// Rounds without a new place after which the starts end.
const DRY_ROUNDS: usize = 2;
/// Share of the first level's points, those with the smallest values, to start from when none fails.
const LOWEST: f64 = 0.1;
/// A start that ended with a value below this share of the largest seen has come near failure.
const NEAR: f64 = 0.1;
/// How far before a tangent plane its design point still explains a failure.
const SLACK: f64 = 0.5;

/// Coordinates above which a design point says nothing about where draws lie.
const MOST_COVERED: usize = 20;

/// What the starts of a search for design points led to.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Starts {
    /// All ends.
    pub(super) found: DesignPoints,
    /// The ends that count: design points, and others that came near failure, in order of finding them.
    places: Vec<DesignPoint>,
    /// Levels before the last starts.
    pub(super) after: usize,
}

impl Starts {
    /// Where the starts led, in order of finding it.
    pub(super) fn places(&self) -> Vec<DVector<f64>> {
        self.places.iter().map(|place| place.point.clone()).collect()
    }

    /// Starts from the origin and from the points of the first level, at most `most` times and with at most
    /// `limit` evaluations.
    pub(super) fn first(
        &mut self,
        form: &Form,
        g: &dyn LimitState,
        pool: &Pool,
        most: usize,
        limit: u64,
    ) -> Result<(), Error> {
        let mut order: Vec<usize> = (0..pool.g.len()).collect();
        order.sort_by(|a, b| pool.g[*a].total_cmp(&pool.g[*b]));
        let failing = pool.failures();
        let lowest = (LOWEST * order.len() as f64).ceil() as usize;
        order.truncate(if failing > 0 { failing } else { lowest });
        let mut from = vec![DVector::zeros(pool.x.nrows())];
        let first = spread(pool, &mut order, (ROUND - 1).min(most - 1));
        from.extend(first);
        self.rounds(form, g, pool, (order, from), most, limit)
    }

    /// Starts from failing points that nothing explains yet, at most `most` times and with at most `limit`
    /// evaluations.
    pub(super) fn further(
        &mut self,
        form: &Form,
        g: &dyn LimitState,
        pool: &Pool,
        most: usize,
        limit: u64,
    ) -> Result<(), Error> {
        let ln_w: Vec<f64> = pool.ln_weights().collect();
        let failing: Vec<usize> = (0..ln_w.len()).filter(|i| pool.g[*i] <= 0.0).collect();
        let total = ln_sum_exp(&failing.iter().map(|i| ln_w[*i]).collect::<Vec<_>>());
        let order = failing.into_iter().filter(|i| ln_w[*i] - total > LN_NEGLIGIBLE).collect();
        self.rounds(form, g, pool, (order, Vec::new()), most, limit)
    }

    /// Rounds of starts: `from` first, then points of the pool that are in `left` and unexplained, until `limit`
    /// evaluations do not allow one more gradient.
    fn rounds(
        &mut self,
        form: &Form,
        g: &dyn LimitState,
        pool: &Pool,
        (mut left, mut from): (Vec<usize>, Vec<DVector<f64>>),
        most: usize,
        limit: u64,
    ) -> Result<(), Error> {
        let before = self.found.evaluations;
        let one = pool.x.nrows() as u64 + 2;
        let near = NEAR * pool.g.iter().copied().fold(0.0, f64::max);
        let (mut made, mut dry) = (0, 0);
        while made < most && dry < DRY_ROUNDS {
            let left_over = limit.saturating_sub(self.found.evaluations - before);
            if left_over < one {
                break;
            }
            if from.is_empty() {
                left.retain(|i| pool.g[*i] > 0.0 || !self.explain(&pool.x.column(*i).into()));
                from = spread(pool, &mut left, ROUND.min(most - made));
            }
            if from.is_empty() {
                break;
            }
            let starts = DMatrix::from_columns(&from);
            let more = form.search_on(g, self.found.origin, starts.as_view(), left_over)?;
            made += from.len();
            from.clear();
            dry = if self.add(more, near) { 0 } else { dry + 1 };
        }
        Ok(())
    }

    /// Adds what a round found, and tells whether a place is among it.
    fn add(&mut self, more: DesignPoints, near: f64) -> bool {
        let known = self.places.len();
        let close = more.unfinished.iter().filter(|end| end.value <= near);
        // A negative index belongs to the far side of a failure event that does not hold the origin.
        for end in more.points.iter().chain(close).filter(|end| end.beta() > 0.0) {
            if self.places.iter().all(|place| (&place.point - &end.point).norm() > SAME) {
                self.places.push(end.clone());
            }
        }
        self.found.merge(more);
        self.places.len() > known
    }

    /// Whether a failing point lies beyond the tangent plane of a place.
    fn explain(&self, u: &DVector<f64>) -> bool {
        self.places.iter().any(|place| place.direction.dot(u) >= place.beta() - SLACK)
    }
}

/// Takes at most `most` points of the pool that lie far from each other out of `left`.
fn spread(pool: &Pool, left: &mut Vec<usize>, most: usize) -> Vec<DVector<f64>> {
    if left.is_empty() || most == 0 {
        return Vec::new();
    }
    let chosen = cover(&pool.x.select_columns(left.iter()), most).0;
    let points = chosen.iter().map(|i| pool.x.column(left[*i]).into()).collect();
    let mut place = 0..;
    left.retain(|_| !chosen.contains(&place.next().unwrap_or_default()));
    points
}

/// A Gaussian with unit covariance at each place; none when there is no place.
pub(super) fn seeds(places: &[DVector<f64>]) -> Result<Option<GaussianMixture>, Error> {
    if places.is_empty() {
        return Ok(None);
    }
    let d = places[0].len();
    let covariances = vec![DMatrix::identity(d, d); places.len()];
    let weights = vec![1.0; places.len()];
    Ok(Some(GaussianMixture::new(weights, DMatrix::from_columns(places), covariances)?))
}

/// The record of what the starts found, beside the final estimate.
pub(super) fn record(found: &DesignPoints, estimate: &Estimate) -> StartsRecord {
    let weight = |end: &DesignPoint| {
        let q = estimate.proposal.as_ref().filter(|_| end.point.len() <= MOST_COVERED)?;
        let nominal = StandardNormal::new(end.point.len());
        let u = DMatrix::from_columns(std::slice::from_ref(&end.point));
        let ln_p = nominal.ln_pdf(u.as_view()).ok()?;
        let ln_q = q.over(&nominal).ln_pdf_given(u.as_view(), &ln_p).ok()?;
        Some((ln_p[0] - ln_q[0] - estimate.ln_pf).exp()).filter(|w| w.is_finite())
    };
    StartsRecord {
        starts: found.starts,
        converged: found.converged,
        distinct: found.points.len(),
        heaviest: found.points.iter().filter_map(weight).reduce(f64::max),
    }
}
