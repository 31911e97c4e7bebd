//! The inputs of a model.

use std::sync::Arc;

use nalgebra::{DMatrix, DMatrixView, DVector};
use rayon::prelude::*;

use crate::{
    copula::Copula,
    correlation::Pair,
    error::InputsError,
    input::{Input, check_names},
    sample,
    transform::Transform,
    univariate::Univariate,
};

/// Samples per parallel task.
const BLOCK: usize = 256;

/// The random inputs of a model: names, units and a joint distribution, in order.
///
/// The joint distribution is the image of a standard normal $u$. Constants take no coordinate of $u$.
///
/// ```
/// use inputs::{Constant, Correlation, Inputs, LogNormal, Normal, Univariate};
///
/// let inputs = Inputs::builder()
///     .input("speed", "m/s", Normal::new(25.0, 2.0)?)
///     .input("friction", "1", LogNormal::from_moments(0.7, 0.07)?)
///     .input("slope", "1", Constant::new(0.02)?)
///     .correlation("speed", "friction", Correlation::OfInputs(-0.3))
///     .build()?;
/// assert_eq!((inputs.len(), inputs.latent_dim()), (3, 2));
/// let w = inputs.sample(1000, 7)?; // [3, 1000]
/// let u = inputs.to_normal(w.as_view())?; // [2, 1000]
/// assert!((inputs.transform(u.as_view())? - w).amax() < 1e-12);
/// # Ok::<(), inputs::InputsError>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Inputs {
    pub(crate) inputs: Vec<Input>,
    pub(crate) source: Source,
}

/// Where the joint distribution comes from.
#[derive(Clone, Debug)]
pub(crate) enum Source {
    /// One distribution per input and the copula of those that are correlated.
    Distributions {
        /// The input of each latent coordinate.
        coordinates: Vec<usize>,
        pairs: Vec<Pair>,
        copula: Option<Copula>,
    },
    /// A map that gives all inputs together.
    Map(Arc<dyn Transform>),
}

impl PartialEq for Source {
    /// Maps are equal when they are one and the same.
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Distributions { pairs: a, .. }, Self::Distributions { pairs: b, .. }) => a == b,
            (Self::Map(a), Self::Map(b)) => Arc::ptr_eq(a, b),
            _ => false,
        }
    }
}

impl Inputs {
    /// Inputs whose joint distribution is the image of a standard normal under `map`, by name and unit.
    ///
    /// # Errors
    /// [`InputsError`] when a name is empty or repeated, or the map has another number of inputs.
    pub fn from_map(
        names_and_units: impl IntoIterator<Item = (String, String)>,
        map: Arc<dyn Transform>,
    ) -> Result<Self, InputsError> {
        let inputs: Vec<Input> = names_and_units
            .into_iter()
            .map(|(name, unit)| Input { name, unit, distribution: None })
            .collect();
        check_names(&inputs)?;
        InputsError::check_dim(inputs.len(), map.dim())?;
        Ok(Self { inputs, source: Source::Map(map) })
    }

    /// Number of inputs `m`.
    pub fn len(&self) -> usize {
        self.inputs.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.inputs.is_empty()
    }

    /// The inputs one by one, in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Input> {
        self.inputs.iter()
    }

    /// The names, in order.
    pub fn names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.inputs.iter().map(|input| input.name.as_str())
    }

    /// The units, in order.
    pub fn units(&self) -> impl ExactSizeIterator<Item = &str> {
        self.inputs.iter().map(|input| input.unit.as_str())
    }

    /// Number of coordinates of the standard normal $u$: one per input that is not a constant, or that of
    /// the map.
    pub fn latent_dim(&self) -> usize {
        match &self.source {
            Source::Distributions { coordinates, .. } => coordinates.len(),
            Source::Map(map) => map.latent_dim(),
        }
    }

    /// The inputs at standard normal `u`, in parallel: $w_i = F_i^{-1}(\Phi(z_i))$ with $z = L u$, where
    /// $L L^\top$ holds the correlations of the normal scores.
    ///
    /// # Shapes
    /// - `u`: `[latent_dim, n]`; returns `[m, n]`
    ///
    /// # Errors
    /// [`InputsError::Dimension`] when `u` has another number of rows, [`InputsError::Map`] when a map fails.
    pub fn transform(&self, u: DMatrixView<'_, f64>) -> Result<DMatrix<f64>, InputsError> {
        InputsError::check_dim(self.latent_dim(), u.nrows())?;
        let (coordinates, copula) = match &self.source {
            Source::Distributions { coordinates, copula, .. } => (coordinates, copula),
            Source::Map(map) => {
                let w = map.transform(u).map_err(|e| InputsError::map(&*e))?;
                return InputsError::check_dim(self.len(), w.nrows()).map(|()| w);
            }
        };
        // Constants keep this value; the coordinates overwrite the others.
        let constants = self.mean();
        let one = |z: &[f64], w: &mut [f64]| {
            w.copy_from_slice(constants.as_slice());
            for (place, z) in coordinates.iter().zip(z) {
                if let Some(distribution) = &self.inputs[*place].distribution {
                    w[*place] = distribution.at_normal(*z);
                }
            }
        };
        Ok(in_parallel(u, self.len(), |z, w| {
            if let Some(copula) = copula {
                copula.correlate(z);
            }
            one(z, w);
        }))
    }

    /// The standard normal `u` of inputs: the inverse of [`transform`](Self::transform) as far as there is
    /// one. It is infinite beyond the support of a distribution; a discrete value has the score in the
    /// middle of its probability; constants are ignored.
    ///
    /// # Shapes
    /// - `w`: `[m, n]`; returns `[latent_dim, n]`
    ///
    /// # Errors
    /// As [`transform`](Self::transform).
    pub fn to_normal(&self, w: DMatrixView<'_, f64>) -> Result<DMatrix<f64>, InputsError> {
        InputsError::check_dim(self.len(), w.nrows())?;
        let (coordinates, copula) = match &self.source {
            Source::Distributions { coordinates, copula, .. } => (coordinates, copula),
            Source::Map(map) => return map.to_normal(w).map_err(|e| InputsError::map(&*e)),
        };
        Ok(in_parallel(w, self.latent_dim(), |w, u| {
            for (place, u) in coordinates.iter().zip(&mut *u) {
                if let Some(distribution) = &self.inputs[*place].distribution {
                    *u = distribution.to_normal(w[*place]);
                }
            }
            if let Some(copula) = copula {
                copula.decorrelate(u);
            }
        }))
    }

    /// `n` independent draws, a function of `seed` alone; the first do not depend on `n`.
    ///
    /// # Shapes
    /// - returns `[m, n]`
    ///
    /// # Errors
    /// [`InputsError::Map`] when a map fails.
    pub fn sample(&self, n: usize, seed: u64) -> Result<DMatrix<f64>, InputsError> {
        self.transform(sample::standard_normal(self.latent_dim(), n, seed).as_view())
    }

    /// The means, `[m]`; NaN where an input has none or a map does not tell it.
    pub fn mean(&self) -> DVector<f64> {
        let mean = |input: &Input| input.distribution.as_ref().map_or(f64::NAN, Univariate::mean);
        DVector::from_iterator(self.len(), self.inputs.iter().map(mean))
    }

    /// The standard deviations, `[m]`; not finite where an input has none or a map does not tell it.
    pub fn sd(&self) -> DVector<f64> {
        let sd = |input: &Input| input.distribution.as_ref().map_or(f64::NAN, Univariate::sd);
        DVector::from_iterator(self.len(), self.inputs.iter().map(sd))
    }

    /// The inputs at $u = 0$, `[m]`: the medians.
    ///
    /// # Errors
    /// [`InputsError::Map`] when a map fails.
    pub fn median(&self) -> Result<DVector<f64>, InputsError> {
        let origin = DMatrix::zeros(self.latent_dim(), 1);
        Ok(self.transform(origin.as_view())?.column(0).into_owned())
    }

    /// The correlation of the normal scores of two inputs, by place; `None` when one is a constant, is not
    /// there or comes from a map.
    pub fn score_correlation(&self, first: usize, second: usize) -> Option<f64> {
        let Source::Distributions { coordinates, copula, .. } = &self.source else {
            return None;
        };
        let coordinate = |place: usize| coordinates.binary_search(&place).ok();
        let (i, j) = (coordinate(first)?, coordinate(second)?);
        let independent = if i == j { 1.0 } else { 0.0 };
        Some(copula.as_ref().map_or(independent, |c| c.score_correlation(i, j)))
    }
}

impl<'a> IntoIterator for &'a Inputs {
    type Item = &'a Input;
    type IntoIter = std::slice::Iter<'a, Input>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// Applies `f` to every column; `f` may change its copy of the column.
fn in_parallel(
    columns: DMatrixView<'_, f64>,
    rows: usize,
    f: impl Fn(&mut [f64], &mut [f64]) + Sync,
) -> DMatrix<f64> {
    let mut out = DMatrix::zeros(rows, columns.ncols());
    if rows > 0 {
        out.as_mut_slice().par_chunks_mut(rows * BLOCK).enumerate().for_each(|(block, out)| {
            let mut copy = vec![0.0; columns.nrows()];
            for (j, out) in out.chunks_exact_mut(rows).enumerate() {
                let column = columns.column(block * BLOCK + j);
                copy.iter_mut().zip(column.iter()).for_each(|(copy, v)| *copy = *v);
                f(&mut copy, out);
            }
        });
    }
    out
}
