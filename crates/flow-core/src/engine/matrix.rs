//! Products of a packed matrix with a panel of rows.
//!
//! A panel holds [`WIDTH`] samples, feature by feature: `panel[i * WIDTH + r]` is feature `i` of
//! sample `r`. A matrix is packed in blocks of [`HEIGHT`] outputs, `block[k * HEIGHT + i]` being the
//! weight of input `k` for output `i`, so that the innermost loop reads both one after the other and
//! keeps a block of results in registers.

use pulp::Simd;

/// Samples in a panel: three registers of sixteen lanes.
pub(super) const WIDTH: usize = 48;
/// Outputs in a block.
pub(super) const HEIGHT: usize = 8;

/// What happens to a product before it is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Then {
    /// Nothing.
    Store,
    /// $\max(y, 0)$.
    Relu,
    /// It is added to what is there.
    Add,
}

/// $y = W x + b$, packed.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Matrix {
    blocks: Vec<f32>,
    bias: Vec<f32>,
    inputs: usize,
}

impl Matrix {
    /// Packs `weight`, `[outputs, inputs]` row by row.
    pub(super) fn new(weight: &[f64], bias: &[f64]) -> Self {
        let outputs = bias.len();
        let inputs = weight.len() / outputs;
        let padded = outputs.div_ceil(HEIGHT) * HEIGHT;
        let mut blocks = vec![0.0; padded * inputs];
        for (o, row) in weight.chunks(inputs.max(1)).enumerate().take(outputs) {
            for (k, w) in row.iter().enumerate() {
                blocks[(o / HEIGHT * inputs + k) * HEIGHT + o % HEIGHT] = *w as f32;
            }
        }
        let mut packed = vec![0.0; padded];
        packed.iter_mut().zip(bias).for_each(|(p, b)| *p = *b as f32);
        Self { blocks, bias: packed, inputs }
    }

    /// Outputs, rounded up to whole blocks: what a panel of results must have room for.
    pub(super) fn padded(&self) -> usize {
        self.bias.len()
    }

    /// Products for several panels; `x` holds panels of `x_len` and `y` of `y_len` numbers.
    #[inline(always)]
    pub(super) fn apply<S: Simd>(
        &self,
        simd: S,
        x: &[f32],
        x_len: usize,
        y: &mut [f32],
        y_len: usize,
        then: Then,
    ) {
        let size = self.inputs * HEIGHT;
        for (b, bias) in self.bias.chunks_exact(HEIGHT).enumerate() {
            let block = &self.blocks[b * size..][..size];
            for (x, y) in x.chunks_exact(x_len).zip(y.chunks_exact_mut(y_len)) {
                let x = &x[..self.inputs * WIDTH];
                let y = &mut y[b * HEIGHT * WIDTH..][..HEIGHT * WIDTH];
                if S::F32_LANES >= 16 {
                    product::<S, HEIGHT>(simd, block, 0, bias, x, y, then);
                } else {
                    // Half as many registers: half the outputs at a time.
                    product::<S, { HEIGHT / 2 }>(simd, block, 0, bias, x, y, then);
                    product::<S, { HEIGHT / 2 }>(simd, block, HEIGHT / 2, bias, x, y, then);
                }
            }
        }
    }
}

/// Outputs `first..first + H` of a block for one panel, three registers of samples at a time.
#[inline(always)]
fn product<S: Simd, const H: usize>(
    simd: S,
    block: &[f32],
    first: usize,
    bias: &[f32],
    x: &[f32],
    y: &mut [f32],
    then: Then,
) {
    let lanes = S::F32_LANES;
    let (x, _) = S::as_simd_f32s(x);
    let (y, _) = S::as_mut_simd_f32s(y);
    // Registers in a row of the panel.
    let row = WIDTH / lanes;
    for start in (0..row).step_by(3) {
        let mut sums = [[simd.splat_f32s(0.0); 3]; H];
        for (i, sums) in sums.iter_mut().enumerate() {
            *sums = [simd.splat_f32s(bias[first + i]); 3];
        }
        for (x, w) in x.chunks_exact(row).zip(block.chunks_exact(HEIGHT)) {
            let x: &[_; 3] = x[start..start + 3].try_into().expect("three registers");
            let w: &[f32; H] = w[first..first + H].try_into().expect("a block's weights");
            for i in 0..H {
                let w = simd.splat_f32s(w[i]);
                for j in 0..3 {
                    sums[i][j] = simd.mul_add_e_f32s(w, x[j], sums[i][j]);
                }
            }
        }
        for (i, sums) in sums.iter().enumerate() {
            let y = &mut y[(first + i) * row + start..][..3];
            for (y, sum) in y.iter_mut().zip(sums) {
                *y = match then {
                    Then::Store => *sum,
                    Then::Relu => simd.max_f32s(*sum, simd.splat_f32s(0.0)),
                    Then::Add => simd.add_f32s(*y, *sum),
                };
            }
        }
    }
}
