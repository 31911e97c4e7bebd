//! A fixed reordering of the features.

use burn::{module::Module, tensor::Tensor};

use crate::bijection::map::{Bijection, select_columns, zero_ln_det};

/// Reorders the features: encoded feature `j` is input feature `order[j]`.
#[derive(Module, Debug)]
pub struct Permutation {
    #[module(skip)]
    order: Vec<usize>,
    #[module(skip)]
    inverse: Vec<usize>,
}

impl Permutation {
    /// The permutation that reverses `d` features.
    pub fn reverse(d: usize) -> Self {
        Self::from_order((0..d).rev().collect())
    }

    /// A permutation from its order, which must contain each of `0..d` once.
    fn from_order(order: Vec<usize>) -> Self {
        Self { inverse: invert(&order), order }
    }

    pub(crate) fn order(&self) -> &[usize] {
        &self.order
    }
}

/// The order that undoes `order`.
pub(crate) fn invert(order: &[usize]) -> Vec<usize> {
    let mut inverse = vec![0; order.len()];
    order.iter().enumerate().for_each(|(to, &from)| inverse[from] = to);
    inverse
}

impl Bijection for Permutation {
    fn encode(&self, x: Tensor<2>) -> (Tensor<2>, Tensor<1>) {
        let ln_det = zero_ln_det(&x);
        (select_columns(x, &self.order), ln_det)
    }

    fn decode(&self, u: Tensor<2>) -> (Tensor<2>, Tensor<1>) {
        let ln_det = zero_ln_det(&u);
        (select_columns(u, &self.inverse), ln_det)
    }
}
