//! The linear part between two spline layers as one matrix per direction.

use nalgebra::{DMatrix, DVector};

use crate::{
    bijection::lu_linear::lu_factors,
    cpu::{inference::weights::Weights, kernel::WIDTH},
    error::FlowError,
};

/// $u = M x + b$ with its inverse and $\ln|\det M|$.
#[derive(Clone, Debug)]
pub(super) struct Affine {
    encode: Map,
    decode: Map,
    pub(super) ln_det: f64,
}

/// $y = M x + b$, with a row-major matrix.
#[derive(Clone, Debug)]
struct Map {
    matrix: Vec<f32>,
    shift: Vec<f32>,
}

impl Affine {
    /// Combines the layers with the given prefixes, in encoding order.
    ///
    /// # Errors
    /// [`FlowError::Weights`] when the entries are so large that the product has no inverse in double
    /// precision.
    pub(super) fn new(
        weights: &Weights<'_>,
        d: usize,
        prefixes: &[String],
    ) -> Result<Self, FlowError> {
        let mut matrix = DMatrix::<f64>::identity(d, d);
        let mut shift = DVector::<f64>::zeros(d);
        let mut ln_det = 0.0;
        for prefix in prefixes {
            let permutation = format!("{prefix}._permutation");
            let (m, b) = if let Some(order) = weights.0.get(&permutation) {
                let m =
                    DMatrix::from_fn(d, d, |i, j| f64::from(u8::from(order.data[i] as usize == j)));
                (m, DVector::zeros(d))
            } else {
                let (m, ln) = lu(weights, prefix);
                ln_det += ln;
                (m, DVector::from_column_slice(weights.get(&format!("{prefix}.bias"))))
            };
            shift = &m * shift + b;
            matrix = m * matrix;
        }
        let inverse = matrix.clone().try_inverse().ok_or_else(|| {
            let layers = prefixes.join("` and `");
            FlowError::Weights(format!("the linear map of `{layers}` has no inverse"))
        })?;
        let back = -(&inverse * &shift);
        Ok(Self { encode: Map::new(&matrix, &shift), decode: Map::new(&inverse, &back), ln_det })
    }

    /// Maps one panel, in encoding direction if `encode`.
    #[inline(always)]
    pub(super) fn apply(&self, encode: bool, x: &mut [f32], scratch: &mut Vec<f32>) {
        let map = if encode { &self.encode } else { &self.decode };
        scratch.clear();
        scratch.extend_from_slice(x);
        let d = map.shift.len();
        for (i, y) in x.chunks_exact_mut(WIDTH).enumerate() {
            y.fill(map.shift[i]);
            for (m, x) in map.matrix[i * d..][..d].iter().zip(scratch.chunks_exact(WIDTH)) {
                y.iter_mut().zip(x).for_each(|(y, x)| *y += m * x);
            }
        }
    }
}

impl Map {
    fn new(matrix: &DMatrix<f64>, shift: &DVector<f64>) -> Self {
        Self {
            // Matrices are column-major, so the memory of the transpose is row-major.
            matrix: matrix.transpose().iter().map(|v| *v as f32).collect(),
            shift: shift.iter().map(|v| *v as f32).collect(),
        }
    }
}

/// $L U$ from its entries, and the logarithm of its determinant.
fn lu(weights: &Weights<'_>, prefix: &str) -> (DMatrix<f64>, f64) {
    let entries = |name: &str| weights.get(&format!("{prefix}.{name}")).iter().copied();
    let (lower, upper) = lu_factors(
        entries("lower_entries"),
        entries("upper_entries"),
        entries("unconstrained_upper_diag"),
    );
    let ln_det = upper.diagonal().iter().map(|v| v.ln()).sum();
    (lower * upper, ln_det)
}
