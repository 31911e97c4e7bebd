//! A spline layer on a tile.

use pulp::Simd;

use crate::cpu::{
    inference::{net::Net, spline::Spline, tile::Tile},
    kernel::WIDTH,
};

/// A spline layer.
#[derive(Clone, Debug)]
pub(super) struct Layer {
    pub(super) net: Net,
    pub(super) conditioning: Conditioning,
}

/// Which features the splines are conditioned on.
#[derive(Clone, Debug)]
pub(super) enum Conditioning {
    /// The splines of `transformed` features on the `identity` features.
    Coupling { identity: Vec<usize>, transformed: Vec<usize> },
    /// The spline of each feature on all features before it.
    Autoregressive,
}

impl Layer {
    #[inline(always)]
    pub(super) fn encode<S: Simd, const LN_DET: bool>(
        &self,
        simd: S,
        spline: &Spline,
        tile: &mut Tile,
    ) {
        tile.begin_layer::<LN_DET>();
        self.condition(simd, tile);
        match &self.conditioning {
            Conditioning::Coupling { transformed, .. } => {
                for (t, &feature) in transformed.iter().enumerate() {
                    self.transform::<true, LN_DET>(spline, t, feature, tile);
                }
            }
            Conditioning::Autoregressive => {
                for feature in 0..tile.features {
                    self.transform::<true, LN_DET>(spline, feature, feature, tile);
                }
            }
        }
        tile.end_layer::<LN_DET>();
    }

    #[inline(always)]
    pub(super) fn decode<S: Simd, const LN_DET: bool>(
        &self,
        simd: S,
        spline: &Spline,
        tile: &mut Tile,
    ) {
        tile.begin_layer::<LN_DET>();
        match &self.conditioning {
            Conditioning::Coupling { transformed, .. } => {
                self.condition(simd, tile);
                for (t, &feature) in transformed.iter().enumerate() {
                    self.transform::<false, LN_DET>(spline, t, feature, tile);
                }
            }
            // A feature needs all features before it, so one network pass per feature.
            Conditioning::Autoregressive => {
                for feature in 0..tile.features {
                    self.condition(simd, tile);
                    self.transform::<false, LN_DET>(spline, feature, feature, tile);
                }
            }
        }
        tile.end_layer::<LN_DET>();
    }

    /// Runs the conditioner: `tile.raw` holds its outputs.
    #[inline(always)]
    fn condition<S: Simd>(&self, simd: S, tile: &mut Tile) {
        let len = tile.features * WIDTH;
        tile.raw.resize(tile.x.len() / len * self.net.outputs() * WIDTH, 0.0);
        match &self.conditioning {
            Conditioning::Coupling { identity, .. } => {
                tile.condition.clear();
                for panel in tile.x.chunks_exact(len) {
                    for &i in identity {
                        tile.condition.extend_from_slice(&panel[i * WIDTH..][..WIDTH]);
                    }
                }
                let inputs = identity.len() * WIDTH;
                self.net.apply(simd, &tile.condition, inputs, &mut tile.raw, &mut tile.scratch);
            }
            Conditioning::Autoregressive => {
                self.net.apply(simd, &tile.x, len, &mut tile.raw, &mut tile.scratch);
            }
        }
    }

    /// Maps `feature` with the spline whose parameters are number `t` of the conditioner's outputs.
    #[inline(always)]
    fn transform<const ENCODE: bool, const LN_DET: bool>(
        &self,
        spline: &Spline,
        t: usize,
        feature: usize,
        tile: &mut Tile,
    ) {
        let x = tile.x.chunks_exact_mut(tile.features * WIDTH);
        let raw = tile.raw.chunks_exact(self.net.outputs() * WIDTH);
        for ((x, raw), ln_det) in x.zip(raw).zip(tile.layer_ln_det.chunks_exact_mut(WIDTH)) {
            let raw = &raw[t * spline.raw_len() * WIDTH..];
            let x = &mut x[feature * WIDTH..][..WIDTH];
            let x = x.try_into().expect("a row of the panel");
            let ln_det = ln_det.try_into().expect("a row of the panel");
            if ENCODE {
                spline.encode::<LN_DET>(raw, x, ln_det);
            } else {
                spline.decode::<LN_DET>(raw, x, ln_det);
            }
        }
    }
}
