//! A grid of square cells over the track. Most cells hold the side of the polygon from which
//! [`Track::locate`] measures distances; the others hold the vertices that can be nearest.

use super::Track;

/// Approximate largest number of cells.
const CELLS: f64 = 131_072.0;
/// Smallest cell, m.
const SMALLEST: f64 = 1.0;
/// Width of the grid beyond the half-width of the track, m.
const MARGIN: f64 = 10.0;

/// Finds the side from which the distance of a point is measured; up to rounding it is that of
/// [`Track::locate`].
#[derive(Clone, Debug)]
pub(crate) struct Grid {
    track: Track,
    /// The line through each side: unit normal (1) and offset (m).
    lines: Vec<[f64; 3]>,
    /// Corner of the first cell, m.
    pub(crate) origin: [f64; 2],
    /// One over the size of a cell, 1/m.
    pub(crate) scale: f64,
    /// Columns and rows.
    pub(crate) size: [usize; 2],
    /// The index of a side, or the number of sides plus the index of a list of vertices.
    cells: Vec<u32>,
    /// Vertices that can be nearest.
    lists: Vec<Vec<u32>>,
}

impl Grid {
    pub(crate) fn new(track: &Track) -> Self {
        let reach = track.half_width + MARGIN;
        let bound = |axis: usize| {
            let range = track
                .vertices
                .iter()
                .fold((f64::MAX, f64::MIN), |(low, high), v| (low.min(v[axis]), high.max(v[axis])));
            (range.0 - reach, range.1 + reach)
        };
        let (x, y) = (bound(0), bound(1));
        let (width, height) = (x.1 - x.0, y.1 - y.0);
        let cell = (width * height / CELLS).sqrt().max(SMALLEST);
        let size = [width, height].map(|length| (length / cell).ceil() as usize);
        let n = track.vertices.len();
        let mut grid = Self {
            lines: (0..n).map(|side| line(track, side)).collect(),
            track: track.clone(),
            origin: [x.0, y.0],
            scale: 1.0 / cell,
            size,
            cells: Vec::with_capacity(size[0] * size[1]),
            lists: vec![(0..n as u32).collect()],
        };
        for row in 0..size[1] {
            for column in 0..size[0] {
                let edge = row == 0 || column == 0 || row + 1 == size[1] || column + 1 == size[0];
                // Points outside the grid belong to the outermost cells, which hold the list of all
                // vertices.
                let code = if edge {
                    n as u32
                } else {
                    grid.code(
                        [x.0 + (column as f64 + 0.5) * cell, y.0 + (row as f64 + 0.5) * cell],
                        cell,
                    )
                };
                grid.cells.push(code);
            }
        }
        grid
    }

    /// Returns the code of a cell: its side, or the list of vertices that can be nearest.
    fn code(&mut self, center: [f64; 2], cell: f64) -> u32 {
        // No point of the cell is farther from its center, so no distance differs by more within it.
        let radius = cell * 0.708;
        let distance = |i: usize| super::squared(center, self.track.vertices[i]).sqrt();
        let n = self.track.vertices.len();
        let least = (0..n).map(distance).fold(f64::INFINITY, f64::min);
        let candidates: Vec<usize> =
            (0..n).filter(|i| distance(*i) <= least + 2.0 * radius).collect();
        let only = |i: usize| {
            let [previous, next] = self.track.neighbours(i);
            let difference = distance(next) - distance(previous);
            let sure = difference.abs() > 2.0 * radius;
            sure.then_some(if difference < 0.0 { i } else { previous })
        };
        let first = only(candidates[0]);
        if let Some(side) = first.filter(|_| candidates.iter().all(|i| only(*i) == first)) {
            return side as u32;
        }
        let list: Vec<u32> = candidates.into_iter().map(|i| i as u32).collect();
        let place = self.lists.iter().position(|l| *l == list).unwrap_or_else(|| {
            self.lists.push(list);
            self.lists.len() - 1
        });
        (n + place) as u32
    }

    /// Returns the line of a point (m) in cell `cell`: unit normal and offset, so that the distance is
    /// `|line[0] x + line[1] y + line[2]|`.
    #[inline(always)]
    pub(crate) fn line(&self, cell: usize, point: [f64; 2]) -> [f64; 3] {
        let n = self.lines.len();
        let code = self.cells.get(cell).map_or(n, |code| *code as usize);
        match self.lines.get(code) {
            Some(line) => *line,
            None => self.lines[self.side(code - n, point)],
        }
    }

    /// Returns the side of a point whose nearest vertex is in list `list`.
    #[inline(never)]
    fn side(&self, list: usize, point: [f64; 2]) -> usize {
        let nearest = self.track.nearest(point, self.lists[list].iter().map(|i| *i as usize));
        let [previous, _] = self.track.neighbours(nearest);
        if self.track.neighbour(point, nearest) == previous { previous } else { nearest }
    }
}

/// Returns the line through side `side`, which joins vertex `side` to the next vertex.
fn line(track: &Track, side: usize) -> [f64; 3] {
    let (v, w) = (track.vertices[side], track.vertices[(side + 1) % track.vertices.len()]);
    let (dx, dy) = (w[0] - v[0], w[1] - v[1]);
    let length = (dx * dx + dy * dy).sqrt();
    [dy / length, -dx / length, (dx * v[1] - dy * v[0]) / length]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_distance_everywhere() {
        let bent = Track::new(vec![[0.0, 0.0], [90.0, 5.0], [40.0, 30.0], [80.0, 70.0]], 6.0);
        for track in [Track::default(), bent.unwrap()] {
            let grid = Grid::new(&track);
            let mut known = 0;
            let n = 700;
            for i in 0..n * n {
                let at = |axis: usize, k: usize| {
                    let length = grid.size[axis] as f64 / grid.scale;
                    grid.origin[axis] + length * (1.04 * (k as f64 + 0.37) / n as f64 - 0.02)
                };
                let point = [at(0, i % n), at(1, i / n)];
                let cell = [0, 1].map(|axis| {
                    let place = (point[axis] - grid.origin[axis]) * grid.scale;
                    place.clamp(0.0, (grid.size[axis] - 1) as f64) as usize
                });
                let cell = cell[1] * grid.size[0] + cell[0];
                let [a, b, c] = grid.line(cell, point);
                let distance = (a * point[0] + b * point[1] + c).abs();
                let expected = track.locate(point).distance;
                assert!((distance - expected).abs() < 1e-12, "{point:?}: {distance} {expected}");
                known += usize::from((grid.cells[cell] as usize) < grid.lines.len());
            }
            assert!(known > n * n * 4 / 5, "{known}");
        }
    }
}
