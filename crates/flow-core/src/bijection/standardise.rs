//! Feature-wise standardisation to mean 0 and standard deviation 1.

use burn::{
    module::Module,
    tensor::{Tensor, TensorData},
};
use nalgebra::{DMatrix, DMatrixView};

use crate::{
    bijection::map::{Bijection, zero_ln_det},
    device::like,
    error::FlowError,
};

/// $x_{\text{std},i} = (x_i - m_i) / s_i$ with the moments of the training data.
///
/// Batches are standardised on the host in double precision, because features far from zero would
/// lose digits in single precision.
#[derive(Module, Debug)]
pub struct Standardise {
    #[module(skip)]
    mean: Vec<f64>,
    #[module(skip)]
    sd: Vec<f64>,
}

impl Standardise {
    /// From given means and standard deviations.
    ///
    /// # Errors
    /// [`FlowError::Setting`] when the lengths differ, a mean is not finite or a standard deviation
    /// is not positive and finite.
    pub fn new(mean: Vec<f64>, sd: Vec<f64>) -> Result<Self, FlowError> {
        if mean.len() != sd.len() {
            return Err(FlowError::setting("sd", "as long as the mean", sd.len()));
        }
        if let Some(bad) = mean.iter().find(|m| !m.is_finite()) {
            return Err(FlowError::setting("mean", "finite", bad));
        }
        if let Some(bad) = sd.iter().find(|s| !(s.is_finite() && **s > 0.0)) {
            return Err(FlowError::setting("sd", "positive and finite", bad));
        }
        Ok(Self { mean, sd })
    }

    /// From the mean and the standard deviation (divisor n − 1) of each feature.
    ///
    /// # Shapes
    /// - `x`: `[d, n]`
    ///
    /// # Errors
    /// [`FlowError::TooFewRows`] for fewer than two rows, [`FlowError::NotFinite`] for NaN or infinity,
    /// [`FlowError::ConstantFeature`] for a feature with a single value.
    pub fn from_data(x: DMatrixView<'_, f64>) -> Result<Self, FlowError> {
        let n = x.ncols();
        if n < 2 {
            return Err(FlowError::TooFewRows { rows: n, needed: 2 });
        }
        check_finite(x)?;
        let mean: Vec<f64> = x.row_iter().map(|row| row.sum() / n as f64).collect();
        let mut sd = Vec::with_capacity(mean.len());
        for (feature, (row, m)) in x.row_iter().zip(&mean).enumerate() {
            let (least, most) = (row.min(), row.max());
            if least >= most {
                return Err(FlowError::ConstantFeature { feature, value: least });
            }
            let squares: f64 = row.iter().map(|v| (v - m).powi(2)).sum();
            sd.push((squares / (n - 1) as f64).sqrt());
        }
        Self::new(mean, sd)
    }

    /// From the weighted mean and standard deviation of each feature. With weights $w_i$ of sum 1 and mean $m$, the
    /// variance is
    ///
    /// $$ s^2 = \frac{\sum_i w_i (x_i - m)^2}{1 - \sum_i w_i^2}, $$
    ///
    /// which is unbiased for weights that do not depend on the outcomes. Equal weights give the divisor n − 1.
    ///
    /// # Shapes
    /// - `x`: `[d, n]`
    /// - `weights`: `[n]`, multiples of the largest one; at least two are positive
    ///
    /// # Errors
    /// As [`from_data`](Self::from_data), where rows of weight zero do not count.
    pub(crate) fn from_weighted(
        x: DMatrixView<'_, f64>,
        weights: &[f64],
    ) -> Result<Self, FlowError> {
        check_finite(x)?;
        let total: f64 = weights.iter().sum();
        let divisor = total - weights.iter().map(|w| w * w).sum::<f64>() / total;
        let (mut mean, mut sd) = (Vec::new(), Vec::new());
        for (feature, row) in x.row_iter().enumerate() {
            let weighted = || row.iter().zip(weights).filter(|(_, w)| **w > 0.0);
            let m = weighted().map(|(v, w)| v * w).sum::<f64>() / total;
            let squares: f64 = weighted().map(|(v, w)| w * (v - m).powi(2)).sum();
            let s = (squares / divisor).sqrt();
            let least = weighted().map(|(v, _)| *v).fold(f64::INFINITY, f64::min);
            let most = weighted().map(|(v, _)| *v).fold(f64::NEG_INFINITY, f64::max);
            // Weights can be so small that the variance underflows.
            if least >= most || s == 0.0 {
                return Err(FlowError::ConstantFeature { feature, value: least });
            }
            mean.push(m);
            sd.push(s);
        }
        Self::new(mean, sd)
    }

    /// The means, `[d]`.
    pub fn mean(&self) -> &[f64] {
        &self.mean
    }

    /// The standard deviations, `[d]`.
    pub fn sd(&self) -> &[f64] {
        &self.sd
    }

    /// $\ln|\det \partial x_\text{std}/\partial x| = -\sum_i \ln s_i$, the same for every sample.
    pub fn ln_det(&self) -> f64 {
        -self.sd.iter().map(|s| s.ln()).sum::<f64>()
    }

    /// Standardises a batch on the host.
    ///
    /// # Shapes
    /// - `x`: `[d, n]`, and so is the result
    pub fn apply(&self, x: DMatrixView<'_, f64>) -> DMatrix<f64> {
        DMatrix::from_fn(x.nrows(), x.ncols(), |i, j| (x[(i, j)] - self.mean[i]) / self.sd[i])
    }

    /// Undoes [`apply`](Self::apply).
    ///
    /// # Shapes
    /// - `x_std`: `[d, n]`, and so is the result
    pub fn undo(&self, x_std: DMatrixView<'_, f64>) -> DMatrix<f64> {
        let (d, n) = x_std.shape();
        DMatrix::from_fn(d, n, |i, j| x_std[(i, j)] * self.sd[i] + self.mean[i])
    }

    /// `values` as one row, in the precision and on the device of `tensor`.
    fn row(values: &[f64], tensor: &Tensor<2>) -> Tensor<2> {
        Tensor::from_data(TensorData::new(values.to_vec(), [1, values.len()]), like(tensor))
    }
}

/// Refuses NaN and infinity.
pub(crate) fn check_finite(x: DMatrixView<'_, f64>) -> Result<(), FlowError> {
    for (row, column) in x.column_iter().enumerate() {
        if let Some((feature, value)) = column.iter().enumerate().find(|(_, v)| !v.is_finite()) {
            return Err(FlowError::NotFinite { row, feature, value: *value });
        }
    }
    Ok(())
}

impl Bijection for Standardise {
    fn encode(&self, x: Tensor<2>) -> (Tensor<2>, Tensor<1>) {
        let ln_det = zero_ln_det(&x).add_scalar(self.ln_det());
        let (mean, sd) = (Self::row(&self.mean, &x), Self::row(&self.sd, &x));
        ((x - mean) / sd, ln_det)
    }

    fn decode(&self, x_std: Tensor<2>) -> (Tensor<2>, Tensor<1>) {
        let ln_det = zero_ln_det(&x_std).add_scalar(-self.ln_det());
        let (mean, sd) = (Self::row(&self.mean, &x_std), Self::row(&self.sd, &x_std));
        (x_std * sd + mean, ln_det)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{deviation, normals};

    #[test]
    fn equal_weights_give_the_moments_without_weights() {
        let x = normals(3, 500, 1).add_scalar(10.0);
        let without = Standardise::from_data(x.as_view()).unwrap();
        for w in [1.0, 0.1] {
            let with = Standardise::from_weighted(x.as_view(), &[w; 500]).unwrap();
            for [_, largest] in
                [deviation(with.mean(), without.mean()), deviation(with.sd(), without.sd())]
            {
                assert!(largest < 1e-12, "{largest:e}");
            }
        }
    }

    #[test]
    fn weights_count_rows() {
        // Weights of 2 have the moments of rows that occur twice, up to the divisor.
        let x = normals(2, 300, 2);
        let weights: Vec<f64> = (0..300).map(|j| f64::from(j % 3)).collect();
        let rows: Vec<usize> = (0..300).flat_map(|j| std::iter::repeat_n(j, j % 3)).collect();
        let twice = Standardise::from_data(x.select_columns(&rows).as_view()).unwrap();
        let with = Standardise::from_weighted(x.as_view(), &weights).unwrap();
        // 300 rows in total, with a sum of squares of 500.
        let factor = ((300.0_f64 - 1.0) / (300.0 - 500.0 / 300.0)).sqrt();
        let sd: Vec<f64> = twice.sd().iter().map(|s| s * factor).collect();
        assert!(deviation(with.mean(), twice.mean())[1] < 1e-14);
        assert!(deviation(with.sd(), &sd)[1] < 1e-14);
    }

    #[test]
    fn a_feature_that_is_constant_where_weights_are_positive_is_refused() {
        let mut x = normals(2, 100, 3);
        x.row_mut(1).columns_mut(0, 60).fill(2.5);
        let mut weights = [1.0; 100];
        weights[60..].fill(0.0);
        let error = Standardise::from_weighted(x.as_view(), &weights).unwrap_err();
        let is = |error| matches!(error, FlowError::ConstantFeature { feature: 1, value: 2.5 });
        assert!(is(error));
        // The variance underflows.
        weights[60..].fill(f64::from_bits(1));
        x.row_mut(1).columns_mut(60, 40).fill(2.5 + 1e-9);
        assert!(is(Standardise::from_weighted(x.as_view(), &weights).unwrap_err()));
    }
}
