//! What repeated runs on a problem with a known answer say about an estimator and its verdicts.

use serde::{Deserialize, Serialize};

use super::Errors;
use crate::error::Error;
use crate::result::estimate::Estimate;
use crate::result::verdict::Status;

/// Relative error beyond which an estimate counts as off.
const OFF: f64 = 0.5;

/// What one run is judged by.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Repetition {
    /// The estimate; zero for a run that ended in an error.
    pub pf: f64,
    /// Limit-state evaluations.
    pub evaluations: u64,
    /// Ends of the 95 % interval.
    pub interval: (f64, f64),
    /// The verdict's word; none for a run that ended in an error.
    pub status: Option<Status>,
}

impl From<&Estimate> for Repetition {
    fn from(e: &Estimate) -> Self {
        let interval = e.interval(0.95);
        Self {
            pf: e.pf(),
            evaluations: e.counts.evaluations,
            interval: (interval.lower(), interval.upper()),
            status: Some(e.verdict().status),
        }
    }
}

impl Repetition {
    /// A run that ended in an error: it counts as an estimate of zero.
    pub fn error() -> Self {
        Self { pf: 0.0, evaluations: 0, interval: (0.0, 0.0), status: None }
    }

    fn converged(&self) -> bool {
        self.status == Some(Status::Converged)
    }

    /// Whether the run itself warns against its estimate.
    fn flagged(&self) -> bool {
        self.status.is_none_or(|status| status >= Status::Suspect)
    }
}

/// Numbers of runs by whether they are off by more than half and whether they say "converged".
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confusion {
    /// Within half, and converged.
    pub good_converged: u64,
    /// Within half, and not converged.
    pub good_other: u64,
    /// Off, and converged: what must not happen.
    pub off_converged: u64,
    /// Off, and not converged.
    pub off_other: u64,
}

impl std::ops::Add for Confusion {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            good_converged: self.good_converged + other.good_converged,
            good_other: self.good_other + other.good_other,
            off_converged: self.off_converged + other.off_converged,
            off_other: self.off_other + other.off_other,
        }
    }
}

/// Figures of repeated runs.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Repeated {
    /// Number of runs.
    pub runs: u64,
    /// Mean signed relative error.
    pub bias: f64,
    /// Mean absolute relative error.
    pub abs_error: f64,
    /// Standard deviation over the truth.
    pub cov: f64,
    /// Root of the mean squared relative error.
    pub rmse: f64,
    /// Mean evaluations.
    pub evaluations: f64,
    /// Work-normalised variance: evaluations times squared RMSE. Crude Monte Carlo has `(1 - P) / P`.
    pub wnv: f64,
    /// Share of 95 % intervals that contain the truth.
    pub coverage: f64,
    /// Share of runs whose verdict warns against them.
    pub flagged: f64,
    /// Share of runs off by more than half without a warning.
    pub hidden: f64,
    /// Runs that ended in an error.
    pub errors: u64,
    /// Off or not against converged or not.
    pub confusion: Confusion,
}

impl Repeated {
    /// Figures of `runs` of a problem with probability `pf`.
    ///
    /// # Errors
    /// [`Error::TooFew`] without a run, [`Error::Setting`] unless `pf` is positive.
    pub fn new(runs: &[Repetition], pf: f64) -> Result<Self, Error> {
        let estimates: Vec<f64> = runs.iter().map(|r| r.pf).collect();
        let errors = Errors::new(&estimates, pf)?;
        let n = runs.len() as f64;
        let off = |r: &Repetition| (r.pf / pf - 1.0).abs() > OFF;
        let count =
            |holds: &dyn Fn(&Repetition) -> bool| runs.iter().filter(|r| holds(r)).count() as u64;
        let evaluations = runs.iter().map(|r| r.evaluations as f64).sum::<f64>() / n;
        Ok(Self {
            runs: runs.len() as u64,
            bias: errors.bias,
            abs_error: errors.abs_mean,
            cov: errors.sd / pf,
            rmse: errors.rmse,
            evaluations,
            wnv: evaluations * errors.rmse.powi(2),
            coverage: count(&|r| r.interval.0 <= pf && pf <= r.interval.1) as f64 / n,
            flagged: count(&Repetition::flagged) as f64 / n,
            hidden: count(&|r| off(r) && !r.flagged()) as f64 / n,
            errors: count(&|r| r.status.is_none()),
            confusion: Confusion {
                good_converged: count(&|r| !off(r) && r.converged()),
                good_other: count(&|r| !off(r) && !r.converged()),
                off_converged: count(&|r| off(r) && r.converged()),
                off_other: count(&|r| off(r) && !r.converged()),
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_runs_by_hand() {
        let run = |pf: f64, status| Repetition {
            pf,
            evaluations: 100,
            interval: (0.8 * pf, 1.2 * pf),
            status: Some(status),
        };
        let runs = [
            run(1.1, Status::Converged),
            run(0.3, Status::Converged),
            run(0.2, Status::Suspect),
            Repetition::error(),
        ];
        let r = Repeated::new(&runs, 1.0).unwrap();
        let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-12, "{a} against {b}");
        close(r.bias, 0.4 - 1.0);
        close(r.evaluations, 75.0);
        close(r.rmse, ((0.01_f64 + 0.49 + 0.64 + 1.0) / 4.0).sqrt());
        close(r.wnv, 75.0 * r.rmse * r.rmse);
        close(r.coverage, 0.25);
        close(r.flagged, 0.5);
        close(r.hidden, 0.25);
        let expected =
            Confusion { good_converged: 1, good_other: 0, off_converged: 1, off_other: 2 };
        assert_eq!((r.confusion, r.errors), (expected, 1));
        assert!(Repeated::new(&[], 1.0).is_err());
    }
}
