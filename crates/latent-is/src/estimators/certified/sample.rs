//! All rows of a certified estimate, failing or not: a weighted sample of the nominal distribution.
//!
//! The rows were drawn for one event and answer questions about others, as long as enough of their weight lies there:
//! a changed criterion needs no new evaluation, and a flow trained on the weighted rows knows the tail.

use nalgebra::{DMatrix, DMatrixView, DVector};

use crate::error::{Error, EvalError};
use crate::estimators::certified::groups::{Groups, ln_weights};
use crate::estimators::certified::{Certified, CertifiedState};
use crate::result::estimate::{Estimate, WeightedSample};

/// Independent weighted rows in groups, as those of [`Certified::sample`].
#[derive(Clone, Debug, PartialEq)]
pub struct CertifiedSample {
    ln_w: DVector<f64>,
    groups: Vec<usize>,
}

impl CertifiedSample {
    /// The sample of rows with log-weights `ln_w: [n]`, the mean of whose exponentials over all rows is near one, and groups
    /// `groups: [n]`, from zero.
    ///
    /// # Errors
    /// [`Error::Setting`] when there is no row, the numbers differ, or a weight is infinite or NaN.
    pub fn new(ln_w: DVector<f64>, groups: Vec<usize>) -> Result<Self, Error> {
        Error::check(!groups.is_empty(), "the number of rows", "at least 1", 0)?;
        let (n, weights) = (groups.len(), ln_w.len());
        Error::check(n == weights, "the number of weights", "that of the groups", weights)?;
        let bad = ln_w.iter().find(|w| !w.is_finite()).copied();
        Error::check(bad.is_none(), "a log-weight", "finite", bad.unwrap_or(0.0))?;
        Ok(Self { ln_w, groups })
    }

    /// Logarithms of $p / \bar q$, `[n]`: the mean over all rows of the weights of those in an event is its
    /// probability.
    pub fn ln_w(&self) -> &DVector<f64> {
        &self.ln_w
    }

    /// The group of each row, `[n]`; 0 are nominal draws.
    pub fn groups(&self) -> &[usize] {
        &self.groups
    }

    /// Rows of each group.
    fn counts(&self) -> Vec<u64> {
        let groups = self.groups.iter().max().map_or(0, |last| last + 1);
        let mut counts = vec![0; groups];
        self.groups.iter().for_each(|group| counts[*group] += 1);
        counts
    }

    /// The probability of the event $g \le 0$ from values of $g$ at all rows, without a new evaluation. `families` are
    /// those of the estimate that the rows come from ([`Checks::families`](crate::estimate::Checks::families)), for the
    /// verdict, which calls an estimate certified by the same rule as that of [`Certified`].
    ///
    /// # Shapes
    /// - `points`: `[d, n]`, what the sample of the estimate is to hold of the failing rows; `g`: `[n]`
    ///
    /// # Errors
    /// [`EvalError::Dimension`] when the numbers of rows differ.
    pub fn estimate(
        &self,
        points: DMatrixView<'_, f64>,
        g: &[f64],
        families: f64,
    ) -> Result<Estimate, EvalError> {
        EvalError::check_dim(self.groups.len(), points.ncols())?;
        EvalError::check_dim(self.groups.len(), g.len())?;
        let rows = |holds: fn(f64) -> bool| -> Vec<usize> {
            (0..g.len()).filter(|row| holds(g[*row])).collect()
        };
        let (failing, nan) = (rows(|g| g <= 0.0), rows(f64::is_nan));
        let weights = |rows: &[usize]| rows.iter().map(|row| self.ln_w[*row]).collect::<Vec<_>>();
        let sample = WeightedSample {
            points: points.select_columns(&failing),
            ln_w: DVector::from_vec(weights(&failing)),
        };
        let of: Vec<usize> = failing.iter().map(|row| self.groups[*row]).collect();
        let counts = self.counts();
        let mut estimate = Groups { of: &of, counts: &counts }.estimate(sample, &weights(&nan));
        estimate.checks.families = Some(families);
        Ok(estimate)
    }
}

impl Certified {
    /// All rows of the estimate of a run that has ended with `state`, which `seed` made, in their order: the points
    /// `[d, n]` in standard normal space, and their weights. Nothing is evaluated; rows are drawn again.
    ///
    /// # Errors
    /// [`Error::Setting`] when the run has no fresh draws yet.
    pub fn sample(
        &self,
        state: &CertifiedState,
        seed: u64,
    ) -> Result<(DMatrix<f64>, CertifiedSample), Error> {
        let drawn = !state.rounds.is_empty();
        Error::check(drawn, "the state", "one with fresh draws", "an earlier one")?;
        let n = self.nominal_draws();
        let nominal = state.nominal(n, seed);
        let mut flat = nominal.as_slice()[n / 2 * state.dim..].to_vec();
        let mut groups = vec![0; n - n / 2];
        for (round, counts) in state.rounds.iter().enumerate() {
            flat.extend_from_slice(state.draw(round, counts, seed)?.as_slice());
            groups.extend(
                counts.iter().enumerate().flat_map(|(j, n)| std::iter::repeat_n(j + 1, *n)),
            );
        }
        let u = DMatrix::from_vec(state.dim, groups.len(), flat);
        let ln_w = ln_weights(&u, &state.proposals(), &state.rows.counts)?;
        Ok((u, CertifiedSample { ln_w: DVector::from_vec(ln_w), groups }))
    }
}
