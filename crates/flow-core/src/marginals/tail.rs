//! The tail of a marginal map: a generalised Pareto distribution beyond a threshold.

use serde::{Deserialize, Serialize};
use tails::{GeneralisedPareto, normal};

use crate::marginals::map::Image;

/// Beyond this place of the normal scale the map is linear. A tail that ends has no numbers left to tell
/// places apart there (probability 2e-33).
const FARTHEST: f64 = 12.0;
/// The same for a tail that does not end.
const FARTHEST_OF_UNBOUNDED: f64 = 37.0;

/// The distribution of the excesses over a threshold, in the direction away from the middle.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ParetoTail {
    /// Share of the values beyond the threshold.
    pub share: f64,
    /// Shape of the generalised Pareto distribution: positive for a heavy tail, negative for one that ends.
    pub shape: f64,
    /// Standard error of the shape; absent when the end is given, infinite for a tail that ends so abruptly that the
    /// likelihood says nothing about it.
    #[serde(with = "shape_error")]
    pub shape_error: Option<f64>,
    /// Scale, in the unit of the feature.
    pub scale: f64,
}

impl ParetoTail {
    fn distribution(&self) -> GeneralisedPareto {
        GeneralisedPareto::new(self.shape, self.scale).expect("checked when it was made or read")
    }

    /// Whether the numbers are those of a tail.
    pub(super) fn is_valid(&self) -> bool {
        GeneralisedPareto::new(self.shape, self.scale).is_ok()
            && self.share > 0.0
            && self.share < 0.5
    }

    /// Logarithm of the density of an excess.
    pub(super) fn ln_pdf(&self, y: f64) -> f64 {
        self.distribution().ln_pdf(y)
    }

    /// The place of the threshold on the normal scale, positive.
    pub(super) fn begin(&self) -> f64 {
        -normal::inverse_ln_cdf(self.share.ln())
    }

    fn farthest(&self) -> f64 {
        if self.shape < 0.0 { FARTHEST } else { FARTHEST_OF_UNBOUNDED }
    }

    /// Logarithm of the conditional probability beyond the place `z`.
    fn ln_sf_at(&self, z: f64) -> f64 {
        (normal::ln_cdf(-z) - self.share.ln()).min(0.0)
    }

    /// Logarithm of the slope $\mathrm dz/\mathrm dy$ at the place `z`: from equal changes of both probabilities,
    /// $\varphi(z) \mathrm dz = \bar F(y) h(y) \mathrm dy$ with the hazard $h = \exp(\xi \ln \bar F)/\sigma$.
    pub(super) fn ln_slope(&self, z: f64) -> f64 {
        let ln_pdf = -0.5 * (z * z + normal::LN_2PI);
        normal::ln_cdf(-z) - ln_pdf + self.shape * self.ln_sf_at(z) - self.scale.ln()
    }

    /// The place on the normal scale of the excess `y` $\ge 0$.
    pub(super) fn encode(&self, y: f64) -> Image {
        let end = self.farthest();
        let far = self.distribution().inverse_ln_sf(self.ln_sf_at(end));
        if y >= far {
            let ln_slope = self.ln_slope(end);
            return Image { value: end + (y - far) * ln_slope.exp(), ln_slope };
        }
        let z = -normal::inverse_ln_cdf(self.share.ln() + self.distribution().ln_sf(y));
        Image { value: z, ln_slope: self.ln_slope(z) }
    }

    /// The excess at the place `z` of the normal scale, at least [`begin`](Self::begin).
    pub(super) fn decode(&self, z: f64) -> Image {
        let end = self.farthest();
        let ln_slope = self.ln_slope(z.min(end));
        let y = self.distribution().inverse_ln_sf(self.ln_sf_at(z.min(end)));
        let beyond = (z - end).max(0.0);
        let beyond = if beyond > 0.0 { beyond * (-ln_slope).exp() } else { 0.0 };
        Image { value: y + beyond, ln_slope: -ln_slope }
    }
}

/// JSON has no infinity: an infinite error is written as -1.
mod shape_error {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[expect(clippy::ref_option, reason = "the signature serde asks for")]
    pub(super) fn serialize<S: Serializer>(error: &Option<f64>, to: S) -> Result<S::Ok, S::Error> {
        error.map(|error| if error.is_finite() { error } else { -1.0 }).serialize(to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<f64>, D::Error> {
        let error = Option::<f64>::deserialize(from)?;
        Ok(error.map(|error| if error < 0.0 { f64::INFINITY } else { error }))
    }
}
