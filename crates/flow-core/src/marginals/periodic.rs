//! A feature that repeats after a period, such as an angle.

use serde::{Deserialize, Serialize};

use crate::marginals::{
    map::{Image, MarginalMap},
    quantile::QuantileMap,
};

/// Cells of the circle in the search for its emptiest place.
const CELLS: usize = 72;

/// A periodic feature, cut open where the fewest values are. Values that differ by a period are one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PeriodicMap {
    /// The period.
    pub(super) period: f64,
    /// Where the circle is cut open.
    pub(super) cut: f64,
    /// The smallest value that decoding gives.
    pub(super) base: f64,
    /// The map of the values from the cut to one period later.
    pub(super) open: QuantileMap,
}

impl PeriodicMap {
    /// The period.
    pub fn period(&self) -> f64 {
        self.period
    }

    /// Where the circle is cut open.
    pub fn cut(&self) -> f64 {
        self.cut
    }

    /// The value between the cut and one period later that is `x` up to periods.
    fn opened(&self, x: f64) -> f64 {
        self.cut + (x - self.cut).rem_euclid(self.period)
    }
}

/// The middle of the emptiest cell of the circle, with its neighbours taken into account.
pub(super) fn emptiest(values: &[f64], period: f64) -> f64 {
    let mut counts = [0_usize; CELLS];
    for x in values {
        let cell = (x.rem_euclid(period) / period * CELLS as f64) as usize;
        counts[cell.min(CELLS - 1)] += 1;
    }
    let around = |i: usize| (0..5).map(|k| counts[(i + CELLS + k - 2) % CELLS]).sum::<usize>();
    let cell = (0..CELLS).min_by_key(|&i| around(i)).unwrap_or(0);
    (cell as f64 + 0.5) / CELLS as f64 * period
}

impl MarginalMap for PeriodicMap {
    fn encode(&self, x: f64) -> Image {
        self.open.encode(self.opened(x))
    }

    fn decode(&self, z: f64) -> Image {
        let image = self.open.decode(z);
        Image { value: self.base + (image.value - self.base).rem_euclid(self.period), ..image }
    }
}
