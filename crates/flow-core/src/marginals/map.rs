//! What every marginal map is.

/// A number on the other side of a map, with the logarithm of the derivative there.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Image {
    /// The number.
    pub value: f64,
    /// Logarithm of the derivative of the map.
    pub ln_slope: f64,
}

/// An increasing map between the values of one feature and a standard normal scale.
///
/// On values that are no point masses it is a bijection, and the two logarithms of derivatives are opposite. A
/// point mass is an interval of the normal scale: all of it decodes to the value, and the value encodes to its
/// middle.
pub trait MarginalMap {
    /// The place of the value `x` on the normal scale, with $\ln \mathrm dz / \mathrm dx$.
    fn encode(&self, x: f64) -> Image;

    /// The value at the place `z` of the normal scale, with $\ln \mathrm dx / \mathrm dz$.
    fn decode(&self, z: f64) -> Image;

    /// The place of the value `x` for training: where [`encode`](Self::encode) gives one place to many values, it
    /// spreads them by `position`, which is uniform in (0, 1).
    fn spread(&self, x: f64, position: f64) -> Image {
        let _ = position;
        self.encode(x)
    }
}
