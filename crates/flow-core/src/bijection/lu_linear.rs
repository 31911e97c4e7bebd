//! A linear layer, stored as the product of two triangular matrices.

use burn::{
    module::{Module, Param},
    tensor::{Int, Tensor, TensorCreationOptions, TensorData, activation::softplus},
};
use nalgebra::DMatrix;

use crate::{
    bijection::map::{Bijection, zero_ln_det},
    device::like,
    error::FlowError,
    state_dict::{StateDict, to_host},
};

/// Smallest entry on the diagonal of $U$.
const EPSILON: f64 = 1e-3;

/// $u = L U x + b$ with unit lower triangular $L$ and upper triangular $U$ whose diagonal is
/// positive (Oliva et al., *Transformation autoregressive networks*, ICML 2018).
///
/// Decoding inverts the two factors on the host in double precision. Gradients do not pass through
/// this inverse to the parameters.
#[derive(Module, Debug)]
pub struct LuLinear {
    /// Below the diagonal of $L$, row by row, `[d (d - 1) / 2]`.
    lower: Param<Tensor<1>>,
    /// Above the diagonal of $U$, row by row, `[d (d - 1) / 2]`.
    upper: Param<Tensor<1>>,
    /// The diagonal of $U$ before soft-plus and offset, `[d]`.
    diagonal: Param<Tensor<1>>,
    /// `[d]`
    bias: Param<Tensor<1>>,
}

impl LuLinear {
    /// The identity on `d` features.
    pub(crate) fn identity(d: usize, options: &TensorCreationOptions) -> Self {
        let zeros = |n: usize| Param::from_tensor(Tensor::zeros([n], options.clone()));
        let start = ((1.0 - EPSILON).exp() - 1.0).ln();
        Self {
            lower: zeros(d * (d - 1) / 2),
            upper: zeros(d * (d - 1) / 2),
            diagonal: Param::from_tensor(Tensor::full([d], start, options.clone())),
            bias: zeros(d),
        }
    }

    /// A layer from its entries: below the diagonal of $L$ and above that of $U$, row by row
    /// (`[d (d - 1) / 2]` each), the unconstrained diagonal of $U$ and the bias (`[d]` each).
    pub fn from_entries(
        lower: Tensor<1>,
        upper: Tensor<1>,
        diagonal: Tensor<1>,
        bias: Tensor<1>,
    ) -> Self {
        let [lower, upper, diagonal, bias] = [lower, upper, diagonal, bias].map(Param::from_tensor);
        Self { lower, upper, diagonal, bias }
    }

    pub(crate) fn export(&self, prefix: &str, state: &mut StateDict) -> Result<(), FlowError> {
        state.put(format!("{prefix}.lower_entries"), self.lower.val())?;
        state.put(format!("{prefix}.upper_entries"), self.upper.val())?;
        state.put(format!("{prefix}.unconstrained_upper_diag"), self.diagonal.val())?;
        state.put(format!("{prefix}.bias"), self.bias.val())
    }

    pub(crate) fn import(
        prefix: &str,
        d: usize,
        state: &mut StateDict,
        options: &TensorCreationOptions,
    ) -> Self {
        let mut take = |name: &str, n: usize| state.take(&format!("{prefix}.{name}"), [n], options);
        Self::from_entries(
            take("lower_entries", d * (d - 1) / 2),
            take("upper_entries", d * (d - 1) / 2),
            take("unconstrained_upper_diag", d),
            take("bias", d),
        )
    }

    fn dim(&self) -> usize {
        self.bias.dims()[0]
    }

    /// The diagonal of $U$, `[d]`.
    fn upper_diagonal(&self) -> Tensor<1> {
        softplus(self.diagonal.val(), 1.0).add_scalar(EPSILON)
    }

    /// $L$ and $U$, each `[d, d]`.
    fn factors(&self) -> (Tensor<2>, Tensor<2>) {
        let d = self.dim();
        // Entries of [0, 1, lower...] and of [0, diagonal..., upper...], by position in the matrix.
        let lower_from = |i: usize, j: usize| match i.cmp(&j) {
            std::cmp::Ordering::Less => 0,
            std::cmp::Ordering::Equal => 1,
            std::cmp::Ordering::Greater => 2 + i * (i - 1) / 2 + j,
        };
        let upper_from = |i: usize, j: usize| match i.cmp(&j) {
            std::cmp::Ordering::Less => 1 + d + i * (2 * d - i - 1) / 2 + (j - i - 1),
            std::cmp::Ordering::Equal => 1 + i,
            std::cmp::Ordering::Greater => 0,
        };
        let lower = self.lower.val();
        let options = like(&lower);
        let zero = Tensor::<1>::zeros([1], options.clone());
        let one = Tensor::<1>::ones([1], options);
        let lower = Tensor::cat(vec![zero.clone(), one, lower], 0);
        let upper = Tensor::cat(vec![zero, self.upper_diagonal(), self.upper.val()], 0);
        (place(lower, d, lower_from), place(upper, d, upper_from))
    }

    /// The inverse of $L U$ in double precision, `[d, d]`, and the log-determinant of $L U$.
    fn inverse(&self) -> (DMatrix<f64>, f64) {
        let d = self.dim();
        let host = |t: Tensor<2>| {
            let data = to_host(t.detach()).expect("a device that computes can be read");
            DMatrix::from_row_slice(d, d, &data)
        };
        let (lower, upper) = self.factors();
        let (lower, upper) = (host(lower), host(upper));
        let identity = DMatrix::identity(d, d);
        let inverse = lower
            .solve_lower_triangular(&identity)
            .and_then(|right| upper.solve_upper_triangular(&right))
            .expect("both diagonals are positive");
        (inverse, upper.diagonal().map(f64::ln).sum())
    }
}

/// $L$ and $U$ on the host, from their entries as [`LuLinear`] holds them.
pub(crate) fn lu_factors(
    mut lower_entries: impl Iterator<Item = f64>,
    mut upper_entries: impl Iterator<Item = f64>,
    diagonal: impl ExactSizeIterator<Item = f64>,
) -> (DMatrix<f64>, DMatrix<f64>) {
    let softplus = |v: f64| v.max(0.0) + (-v.abs()).exp().ln_1p();
    let d = diagonal.len();
    let (mut lower, mut upper) = (DMatrix::identity(d, d), DMatrix::zeros(d, d));
    let expected = "as many entries as a triangle has";
    for (i, diagonal) in diagonal.enumerate() {
        (0..i).for_each(|j| lower[(i, j)] = lower_entries.next().expect(expected));
        (i + 1..d).for_each(|j| upper[(i, j)] = upper_entries.next().expect(expected));
        upper[(i, i)] = softplus(diagonal) + EPSILON;
    }
    (lower, upper)
}

/// The `[d, d]` matrix whose entry (i, j) is `entries[from(i, j)]`.
fn place(entries: Tensor<1>, d: usize, from: impl Fn(usize, usize) -> usize) -> Tensor<2> {
    let indices: Vec<i64> = (0..d * d).map(|p| from(p / d, p % d) as i64).collect();
    let device = entries.device().without_autodiff();
    let indices = Tensor::<1, Int>::from_ints(indices.as_slice(), &device);
    entries.select(0, indices).reshape([d, d])
}

impl Bijection for LuLinear {
    fn encode(&self, x: Tensor<2>) -> (Tensor<2>, Tensor<1>) {
        let n = x.dims()[0];
        let (lower, upper) = self.factors();
        let weight = lower.matmul(upper).transpose();
        let u = x.matmul(weight) + self.bias.val().unsqueeze();
        let ln_det = self.upper_diagonal().log().sum().expand([n]);
        (u, ln_det)
    }

    fn decode(&self, u: Tensor<2>) -> (Tensor<2>, Tensor<1>) {
        let d = self.dim();
        let (inverse, ln_det) = self.inverse();
        // Rows are multiplied by the transpose; the column-major inverse is its row-major transpose.
        let weight =
            Tensor::<2>::from_data(TensorData::new(inverse.as_slice().to_vec(), [d, d]), like(&u));
        let ln_det = zero_ln_det(&u).add_scalar(-ln_det);
        let x = (u - self.bias.val().unsqueeze()).matmul(weight);
        (x, ln_det)
    }
}
