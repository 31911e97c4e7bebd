//! Weights of rows, and what is wrong with unsuitable ones.

use crate::train::settings::MIN_ROWS;

/// Why rows cannot be trained on with their weights.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RowWeightsError {
    /// The number of weights differs from that of the rows.
    #[error("there are {weights} weights for {rows} rows; give one weight per row")]
    Count {
        /// Weights given.
        weights: usize,
        /// Rows given.
        rows: usize,
    },
    /// A weight is negative, NaN or infinite.
    #[error(
        "the weight of row {row} is {value}; weights must be finite and at least 0: repair it, or set it to 0 to \
         leave the row out"
    )]
    Value {
        /// Index of the row.
        row: usize,
        /// Its weight.
        value: f64,
    },
    /// No row has a positive weight.
    #[error(
        "all {rows} weights are zero; if they are exponentials of log-weights, subtract the largest log-weight first"
    )]
    AllZero {
        /// Rows given.
        rows: usize,
    },
    /// A few large weights leave too little to train on.
    #[error(
        "with these weights, {rows} rows count as {effective:.1} effective ones; at least {needed} are needed: add \
         rows, or draw them from a distribution closer to the one that the weights lead to"
    )]
    TooFewEffective {
        /// Effective number of rows.
        effective: f64,
        /// Rows given.
        rows: usize,
        /// Effective rows needed.
        needed: usize,
    },
    /// A member of the ensemble of a flow of weighted rows was asked for.
    #[error(
        "the flow was trained on weighted rows, and members of an ensemble are trained without weights; make an \
         ensemble of a flow that was trained without weights"
    )]
    Member,
}

/// Weights of rows that can be trained with: at least one is positive, and none dominates.
#[derive(Debug)]
pub(crate) struct RowWeights<'a> {
    given: &'a [f64],
    relative: Vec<f64>,
    effective: f64,
}

impl<'a> RowWeights<'a> {
    /// Checks the weights of `rows` rows.
    pub(crate) fn new(given: &'a [f64], rows: usize) -> Result<Self, RowWeightsError> {
        if given.len() != rows {
            return Err(RowWeightsError::Count { weights: given.len(), rows });
        }
        let bad = given.iter().enumerate().find(|(_, w)| !(w.is_finite() && **w >= 0.0));
        if let Some((row, &value)) = bad {
            return Err(RowWeightsError::Value { row, value });
        }
        let largest = given.iter().copied().fold(0.0, f64::max);
        if largest == 0.0 {
            return Err(RowWeightsError::AllZero { rows });
        }
        // Sums of these overflow for no weights, and are exact for equal ones.
        let relative: Vec<f64> = given.iter().map(|w| w / largest).collect();
        let (sum, squares) = relative.iter().fold((0.0, 0.0), |(s, q), w| (s + w, q + w * w));
        let effective = sum * sum / squares;
        // Fewer rows than that are too few with any weights, which is another error.
        if rows >= MIN_ROWS && effective < MIN_ROWS as f64 {
            return Err(RowWeightsError::TooFewEffective { effective, rows, needed: MIN_ROWS });
        }
        Ok(Self { given, relative, effective })
    }

    /// The weights as they were given, `[n]`.
    pub(crate) fn given(&self) -> &[f64] {
        self.given
    }

    /// The weights as multiples of the largest one, `[n]`.
    pub(crate) fn relative(&self) -> &[f64] {
        &self.relative
    }

    /// Effective number of rows $(\sum_i w_i)^2 / \sum_i w_i^2$.
    pub(crate) fn effective(&self) -> f64 {
        self.effective
    }

    /// Number of rows with a positive weight.
    pub(crate) fn positive(&self) -> usize {
        self.relative.iter().filter(|w| **w > 0.0).count()
    }
}

/// Mean of values with weights, given as pairs `(weight, value)`; 0 if there are none.
pub(crate) fn weighted_mean(pairs: impl Iterator<Item = (f64, f64)>) -> f64 {
    let (total, sum) = pairs.fold((0.0, 0.0), |(total, sum), (w, v)| (total + w, sum + w * v));
    if total > 0.0 { sum / total } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_weights_leave_every_row() {
        for w in [1.0, 0.1, 1e-320, f64::MAX] {
            let given = vec![w; 37];
            let weights = RowWeights::new(&given, 37).unwrap();
            assert_eq!(weights.relative(), [1.0; 37]);
            assert!((weights.effective() - 37.0).abs() < 1e-12, "{}", weights.effective());
            assert_eq!(weights.positive(), 37);
        }
        // The fewest rows.
        assert!(RowWeights::new(&[0.3; 20], 20).is_ok());
    }

    #[test]
    fn unsuitable_weights_are_refused_with_their_place() {
        let error = |given: &[f64], rows| RowWeights::new(given, rows).unwrap_err();
        assert_eq!(error(&[1.0; 29], 30), RowWeightsError::Count { weights: 29, rows: 30 });
        for value in [-1e-9, f64::INFINITY, f64::NEG_INFINITY] {
            let mut given = [1.0; 30];
            given[7] = value;
            assert_eq!(error(&given, 30), RowWeightsError::Value { row: 7, value });
        }
        let message = error(&[&[1.0; 29][..], &[f64::NAN]].concat(), 30).to_string();
        assert!(message.contains("row 29 is NaN") && message.contains("set it to 0"), "{message}");
        assert_eq!(error(&[0.0; 30], 30), RowWeightsError::AllZero { rows: 30 });
        assert_eq!(error(&[], 0), RowWeightsError::AllZero { rows: 0 });
        // One weight of 11 and 29 of 1: 40^2 / 150 = 10.7 effective rows.
        let error = error(&[&[11.0][..], &[1.0; 29]].concat(), 30);
        let message = error.to_string();
        assert!(matches!(error, RowWeightsError::TooFewEffective { needed: 20, .. }), "{message}");
        assert!(message.contains("30 rows count as 10.7 effective ones"), "{message}");
        assert!(message.contains("at least 20"), "{message}");
    }

    #[test]
    fn a_mean_of_no_rows_is_zero() {
        assert!(weighted_mean(std::iter::empty()).abs() < f64::MIN_POSITIVE);
        let mean = weighted_mean([(1.0, 2.0), (3.0, 6.0)].into_iter());
        assert!((mean - 5.0).abs() < 1e-15, "{mean}");
    }
}
