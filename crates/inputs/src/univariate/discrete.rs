//! A choice between a few values.

use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use super::Univariate;
use crate::{
    check::Check,
    error::InputsError,
    special::score::{lower, score},
};

/// One of a few values, each with its probability.
///
/// As a function of $u$ it is a staircase: the values in increasing order. The score
/// ([`to_normal`](Univariate::to_normal)) of a value is the one in the middle of its probability; it
/// does not tell which $u$ the value came from. Values between those of the list have no score: NaN.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Parameters", into = "Parameters")]
pub struct Discrete {
    values: Vec<f64>,
    probabilities: Vec<f64>,
    /// Probability of each value and of those before it.
    up_to: Vec<f64>,
    /// Probability of each value and of those after it.
    from: Vec<f64>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Parameters {
    values: Vec<f64>,
    probabilities: Vec<f64>,
}

impl TryFrom<Parameters> for Discrete {
    type Error = InputsError;

    fn try_from(p: Parameters) -> Result<Self, InputsError> {
        Self::new(p.values, p.probabilities)
    }
}

impl From<Discrete> for Parameters {
    fn from(d: Discrete) -> Self {
        Self { values: d.values, probabilities: d.probabilities }
    }
}

impl Discrete {
    /// `values` in increasing order with their `probabilities`.
    ///
    /// # Errors
    /// [`InputsError`] unless the values are finite and increase, there are as many probabilities, all
    /// above 0, and their sum is 1 within 1e-9.
    pub fn new(values: Vec<f64>, probabilities: Vec<f64>) -> Result<Self, InputsError> {
        const NAME: &str = "discrete";
        if values.is_empty() || values.len() != probabilities.len() {
            return Err(InputsError::Lengths {
                distribution: NAME,
                values: values.len(),
                probabilities: probabilities.len(),
            });
        }
        Check(NAME).entries("values", &values, "finite", f64::is_finite)?.entries(
            "probabilities",
            &probabilities,
            "above 0 (leave values of probability 0 out)",
            |p| p > 0.0,
        )?;
        if let Some(i) = (1..values.len()).find(|i| values[i - 1] >= values[*i]) {
            return Err(InputsError::Entry {
                distribution: NAME,
                name: "values",
                index: i,
                condition: "above the value before it",
                value: values[i],
            });
        }
        let sum: f64 = probabilities.iter().sum();
        Check(NAME).that((sum - 1.0).abs() <= 1e-9, "probabilities", "of sum 1", sum)?;
        let running = |total: &mut f64, p: &f64| {
            *total += p / sum;
            Some(total.min(1.0))
        };
        let up_to = probabilities.iter().scan(0.0, running).collect();
        let mut from: Vec<f64> = probabilities.iter().rev().scan(0.0, running).collect();
        from.reverse();
        Ok(Self { values, probabilities, up_to, from })
    }

    /// The steps of the staircase: where in $u$, and by how much the value grows.
    pub(crate) fn steps(&self) -> impl Iterator<Item = (f64, f64)> {
        (1..self.values.len()).map(|i| {
            let u = score(self.up_to[i - 1].ln(), self.from[i].ln());
            (u, self.values[i] - self.values[i - 1])
        })
    }

    fn weighted(&self, f: impl Fn(f64) -> f64) -> f64 {
        let sum: f64 = self.probabilities.iter().sum();
        self.values.iter().zip(&self.probabilities).map(|(v, p)| f(*v) * p).sum::<f64>() / sum
    }
}

impl Univariate for Discrete {
    fn lower_quantile(&self, ln_p: f64) -> f64 {
        let p = ln_p.exp();
        let i = self.up_to.partition_point(|up_to| *up_to < p);
        self.values[i.min(self.values.len() - 1)]
    }

    fn upper_quantile(&self, ln_q: f64) -> f64 {
        let q = ln_q.exp();
        let i = self.from.partition_point(|from| *from > q);
        self.values[i.saturating_sub(1)]
    }

    fn ln_cdf(&self, w: f64) -> f64 {
        let i = self.values.partition_point(|v| *v <= w);
        if i == 0 { f64::NEG_INFINITY } else { self.up_to[i - 1].ln() }
    }

    fn ln_sf(&self, w: f64) -> f64 {
        let i = self.values.partition_point(|v| *v <= w);
        self.from.get(i).map_or(f64::NEG_INFINITY, |from| from.ln())
    }

    fn ln_pdf(&self, _: f64) -> Option<f64> {
        None
    }

    fn mean(&self) -> f64 {
        self.weighted(|v| v)
    }

    fn sd(&self) -> f64 {
        let mean = self.mean();
        self.weighted(|v| (v - mean).powi(2)).sqrt()
    }

    fn to_normal(&self, w: f64) -> f64 {
        let Ok(i) = self.values.binary_search_by(|v| v.partial_cmp(&w).unwrap_or(Ordering::Less))
        else {
            return f64::NAN;
        };
        let half = 0.5 * self.probabilities[i];
        let (below, above) = (self.up_to[i] - half, self.from[i] - half);
        if below < above { lower(below.ln()) } else { -lower(above.ln()) }
    }
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "these are exact")]
mod tests {
    use super::*;

    #[test]
    fn the_staircase_has_its_steps_where_the_probabilities_say() {
        // Phi(-1.2815515655446004) = 0.1.
        let d = Discrete::new(vec![-1.0, 2.0, 7.0], vec![0.1, 0.8, 0.1]).unwrap();
        let z = 1.2815515655446004;
        let values = [-40.0, -z - 1e-9, -z + 1e-9, 0.0, z - 1e-9, z + 1e-9, 40.0];
        assert_eq!(values.map(|u| d.at_normal(u)), [-1.0, -1.0, 2.0, 2.0, 2.0, 7.0, 7.0]);
        let steps: Vec<_> = d.steps().collect();
        assert!((steps[0].0 + z).abs() < 1e-14 && (steps[1].0 - z).abs() < 1e-14);
        assert_eq!((steps[0].1, steps[1].1), (3.0, 5.0));
        assert!((d.mean() - 2.2).abs() < 1e-15 && (d.sd() - 3.36_f64.sqrt()).abs() < 1e-14);
        for v in [-1.0, 2.0, 7.0] {
            assert_eq!(d.at_normal(d.to_normal(v)), v);
        }
        assert!(d.to_normal(3.0).is_nan());
    }

    #[test]
    fn bad_lists_are_refused_by_name() {
        let message =
            |v: &[f64], p: &[f64]| Discrete::new(v.to_vec(), p.to_vec()).unwrap_err().to_string();
        assert!(message(&[], &[]).contains("0 values"));
        assert!(message(&[1.0, 2.0], &[1.0]).contains("2 values and 1 probabilities"));
        assert!(message(&[1.0, f64::NAN], &[0.5, 0.5]).contains("`values[1]`"));
        assert!(message(&[1.0, 2.0], &[1.0, 0.0]).contains("`probabilities[1]`"));
        assert!(message(&[2.0, 1.0], &[0.5, 0.5]).contains("above the value before it"));
        assert!(message(&[1.0, 2.0], &[0.5, 0.6]).contains("got 1.1"));
    }
}
