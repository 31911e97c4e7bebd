//! An empirical distribution, given by values.

use serde::{Deserialize, Serialize};

use super::Univariate;
use crate::{check::Check, error::InputsError};

/// The distribution of observed values, by interpolation between them.
///
/// With the values in increasing order, $x_1 \le \dots \le x_n$, the quantile function is the line
/// through the points $((i - 1) / (n - 1), x_i)$ (type 7 of Hyndman and Fan, *The American
/// Statistician* 50 (1996); the default of R and NumPy). A value that is repeated holds a probability
/// of its own, so there is no density.
///
/// Nothing lies beyond the smallest and the greatest value. Where a failure needs such values, take a
/// distribution with tails.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Parameters", into = "Parameters")]
pub struct Table {
    /// In increasing order.
    values: Vec<f64>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Parameters {
    values: Vec<f64>,
}

impl TryFrom<Parameters> for Table {
    type Error = InputsError;

    fn try_from(p: Parameters) -> Result<Self, InputsError> {
        Self::new(p.values)
    }
}

impl From<Table> for Parameters {
    fn from(Table { values }: Table) -> Self {
        Self { values }
    }
}

impl Table {
    /// The distribution of `values`, in any order.
    ///
    /// # Errors
    /// [`InputsError`] unless all are finite and two of them differ.
    pub fn new(mut values: Vec<f64>) -> Result<Self, InputsError> {
        Check("table").entries("values", &values, "finite", f64::is_finite)?;
        values.sort_by(f64::total_cmp);
        match (values.first(), values.last()) {
            (Some(first), Some(last)) if first < last => Ok(Self { values }),
            _ => Err(InputsError::SameValues { values: values.len() }),
        }
    }

    /// Steps between values, as a number.
    fn steps(&self) -> f64 {
        (self.values.len() - 1) as f64
    }

    /// Steps from the first value to `w`, at the end of a repeated value.
    fn place(&self, w: f64) -> f64 {
        let i = self.values.partition_point(|v| *v <= w);
        if i == 0 {
            0.0
        } else if i == self.values.len() {
            self.steps()
        } else {
            let (low, high) = (self.values[i - 1], self.values[i]);
            (i - 1) as f64 + (w - low) / (high - low)
        }
    }

    /// Steps from `w` to the last value, from the end of a repeated value.
    fn place_from_end(&self, w: f64) -> f64 {
        let i = self.values.partition_point(|v| *v <= w);
        if i == 0 {
            self.steps()
        } else if i == self.values.len() {
            0.0
        } else {
            let (low, high) = (self.values[i - 1], self.values[i]);
            (self.values.len() - 1 - i) as f64 + (high - w) / (high - low)
        }
    }
}

impl Univariate for Table {
    fn lower_quantile(&self, ln_p: f64) -> f64 {
        let place = self.steps() * ln_p.exp();
        let i = (place as usize).min(self.values.len() - 2);
        let (low, high) = (self.values[i], self.values[i + 1]);
        low + (high - low) * (place - i as f64)
    }

    fn upper_quantile(&self, ln_q: f64) -> f64 {
        let place = self.steps() * ln_q.exp();
        let i = (place as usize).min(self.values.len() - 2);
        let last = self.values.len() - 1 - i;
        let (low, high) = (self.values[last - 1], self.values[last]);
        high - (high - low) * (place - i as f64)
    }

    fn ln_cdf(&self, w: f64) -> f64 {
        if w < self.values[0] { f64::NEG_INFINITY } else { (self.place(w) / self.steps()).ln() }
    }

    fn ln_sf(&self, w: f64) -> f64 {
        (self.place_from_end(w) / self.steps()).ln()
    }

    fn ln_pdf(&self, _: f64) -> Option<f64> {
        None
    }

    /// Of the interpolation: the mean of a uniform value on each step.
    fn mean(&self) -> f64 {
        self.values.windows(2).map(|v| 0.5 * v[0] + 0.5 * v[1]).sum::<f64>() / self.steps()
    }

    fn sd(&self) -> f64 {
        let mean = self.mean();
        let second = |v: &[f64]| {
            let (a, b) = (v[0] - mean, v[1] - mean);
            (a * a + a * b + b * b) / 3.0
        };
        (self.values.windows(2).map(second).sum::<f64>() / self.steps()).sqrt()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_interpolate_and_scores_undo_it() {
        let table = Table::new(vec![10.0, 0.0, 2.0, 2.0, 4.0]).unwrap();
        for (p, w) in [(0.0, 0.0), (0.125, 1.0), (0.25, 2.0), (0.3, 2.0), (0.5, 2.0)] {
            assert!((table.lower_quantile(f64::ln(p)) - w).abs() < 1e-14);
        }
        for (q, w) in [(0.0, 10.0), (0.125, 7.0), (0.25, 4.0), (0.5, 2.0)] {
            assert!((table.upper_quantile(f64::ln(q)) - w).abs() < 1e-14);
        }
        for u in [-3.0, -1.0, 0.1, 1.0, 3.0] {
            assert!((table.to_normal(table.at_normal(u)) - u).abs() < 1e-12, "{u}");
        }
        assert_eq!((table.at_normal(-40.0), table.at_normal(40.0)), (0.0, 10.0));
        assert!((table.mean() - 13.0 / 4.0).abs() < 1e-15);
        // The variance by the segments 0-2, 2-2, 2-4, 4-10: the mean of the squares is 55/3.
        let second = (4.0 / 3.0 + 4.0 + 28.0 / 3.0 + 52.0) / 4.0;
        assert!((table.sd().powi(2) - (second - 3.25 * 3.25)).abs() < 1e-13);
    }

    #[test]
    fn lists_without_two_different_values_are_refused() {
        assert!(Table::new(vec![]).unwrap_err().to_string().contains("two different values"));
        assert!(Table::new(vec![1.0, 1.0]).unwrap_err().to_string().contains("got 2"));
        let error = Table::new(vec![1.0, f64::INFINITY]).unwrap_err().to_string();
        assert!(error.contains("`values[1]`"), "{error}");
    }
}
