//! A feature of whole numbers.

use serde::{Deserialize, Serialize};

use crate::marginals::{
    map::{Image, MarginalMap},
    quantile::QuantileMap,
};

/// A feature of whole numbers: each stands for the values within one half of it, and decoding rounds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct IntegerMap {
    /// The map of the numbers with the noise that fills the gaps between them.
    pub(super) filled: QuantileMap,
}

impl IntegerMap {
    /// The map of the numbers with the gaps between them filled.
    pub fn filled(&self) -> &QuantileMap {
        &self.filled
    }
}

impl MarginalMap for IntegerMap {
    fn encode(&self, x: f64) -> Image {
        self.filled.encode(x)
    }

    fn spread(&self, x: f64, position: f64) -> Image {
        self.filled.encode(x + position - 0.5)
    }

    fn decode(&self, z: f64) -> Image {
        let image = self.filled.decode(z);
        Image { value: image.value.round(), ..image }
    }
}
