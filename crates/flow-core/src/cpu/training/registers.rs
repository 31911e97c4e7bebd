//! What the two matrix products of a training step share.
//!
//! Both keep a block of results in registers while they read a few columns of one factor and the width
//! of a register of the other (Goto and van de Geijn, *Anatomy of high-performance matrix
//! multiplication*, ACM TOMS 2008). The layout of the factors needs no copies. The order of every sum is
//! fixed, so results do not depend on the number of threads.

use pulp::Simd;

use crate::cpu::{kernel::WIDTH, training::batch::Row};

/// Multiplications below which a second thread costs more than it saves.
const WORTH_SHARING: usize = 1 << 18;

/// Two registers of a row of panels: for each, its panel and its position in the panel.
pub(super) type Pair = [(usize, usize); 2];
/// Sums of `H` rows.
pub(super) type Sums<S, const H: usize> = [[<S as Simd>::f32s; 2]; H];

/// Fewest parts that a thread takes of a product of so many multiplications.
pub(super) fn least(multiplications: usize) -> usize {
    if multiplications < WORTH_SHARING { usize::MAX } else { 1 }
}

/// The registers of `panels` panels in pairs; the last one is repeated if their number is odd.
#[inline(always)]
pub(super) fn pairs<S: Simd>(panels: usize) -> impl Iterator<Item = Pair> {
    let each = WIDTH / S::F32_LANES;
    let last = panels * each - 1;
    let place = move |register: usize| (register / each, register % each);
    (0..=last).step_by(2).map(move |first| [place(first), place(last.min(first + 1))])
}

/// Register `place` of a row.
#[inline(always)]
pub(super) fn register<S: Simd>(row: &Row, place: usize) -> S::f32s {
    S::as_simd_f32s(&row.0).0[place]
}
