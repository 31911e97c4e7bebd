//! Outcomes as a matrix with named features.

use nalgebra::DMatrix;

/// Outcomes with the names of their features, in physical units.
#[derive(Clone, Debug, PartialEq)]
pub struct OutcomeTable {
    /// Feature names, `[d]`; `x0`, `x1`, … if the file has none.
    pub names: Vec<String>,
    /// Outcomes, `[d, n]`, one per column.
    pub x: DMatrix<f64>,
}

impl OutcomeTable {
    /// The table without the column `name`; unchanged if there is no such column.
    #[must_use]
    pub fn without(self, name: &str) -> Self {
        let Some(i) = self.names.iter().position(|n| n == name) else { return self };
        let mut names = self.names;
        names.remove(i);
        Self { names, x: self.x.remove_row(i) }
    }
}
