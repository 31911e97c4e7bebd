//! Number of evaluations per level.

use serde::{Deserialize, Serialize};

/// Coordinates that are few: an explorer can follow them.
pub(crate) const FEW_COORDINATES: usize = 4;

/// Evaluations of a level: a number, or one that grows with the number of coordinates, since modes are the harder to
/// come across the more there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum LevelSize {
    /// Whatever the number of coordinates.
    Fixed(usize),
    /// By the number of coordinates.
    ByCoordinates {
        /// Up to [`FEW_COORDINATES`].
        few: usize,
        /// Above.
        many: usize,
    },
}

impl LevelSize {
    /// Evaluations of a level in `dim` coordinates.
    pub(crate) fn at(self, dim: usize) -> usize {
        match self {
            Self::Fixed(n) => n,
            Self::ByCoordinates { few, many } => {
                if dim <= FEW_COORDINATES {
                    few
                } else {
                    many
                }
            }
        }
    }

    /// The smallest that a level can have.
    pub(crate) fn least(self) -> usize {
        self.at(0).min(self.at(usize::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_coordinates_get_larger_levels() {
        let size = LevelSize::ByCoordinates { few: 600, many: 1200 };
        assert_eq!([2, 4, 5, 100].map(|d| size.at(d)), [600, 600, 1200, 1200]);
        assert_eq!((size.least(), LevelSize::Fixed(50).at(9)), (600, 50));
        for size in [size, LevelSize::Fixed(50)] {
            let text = serde_json::to_string(&size).unwrap();
            assert_eq!(serde_json::from_str::<LevelSize>(&text).unwrap(), size);
        }
    }
}
