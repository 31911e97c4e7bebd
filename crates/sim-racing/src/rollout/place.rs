//! Distances from the centre line, by the grid.

use sim_core::lanes::{MAX_LANES, Real};

use super::clip::clip;
use crate::track::grid::Grid;

/// The grid and its size.
pub(super) struct Places<'a> {
    grid: &'a Grid,
    /// Index of the last column and of the last row.
    last: [f64; 2],
}

impl<'a> Places<'a> {
    pub(super) fn new(grid: &'a Grid) -> Self {
        Self { grid, last: grid.size.map(|cells| (cells - 1) as f64) }
    }

    /// Returns the distance of each point from the centre line, all in m.
    #[inline(always)]
    pub(super) fn distance<R: Real>(&self, x: R, y: R) -> R {
        let Grid { origin, scale, size, .. } = self.grid;
        let column = clip((x - origin[0]) * *scale, 0.0, self.last[0]);
        let row = clip((y - origin[1]) * *scale, 0.0, self.last[1]);
        let mut lanes = [[0.0; MAX_LANES]; 4];
        x.store(&mut lanes[0]);
        y.store(&mut lanes[1]);
        column.store(&mut lanes[2]);
        row.store(&mut lanes[3]);
        let [xs, ys, columns, rows] = &lanes;
        let mut line = [[0.0; MAX_LANES]; 3];
        for lane in 0..R::LANES {
            let cell = (rows[lane] as u32 as usize) * size[0] + (columns[lane] as u32 as usize);
            let [a, b, c] = self.grid.line(cell, [xs[lane], ys[lane]]);
            (line[0][lane], line[1][lane], line[2][lane]) = (a, b, c);
        }
        (x.load(&line[0]) * x + x.load(&line[1]) * y + x.load(&line[2])).abs()
    }
}
