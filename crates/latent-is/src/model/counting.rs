//! Counting the points that go through a transport map.

use std::sync::atomic::{AtomicU64, Ordering};

use nalgebra::{DMatrix, DMatrixView};

use crate::error::EvalError;
use crate::model::transport::{Mapped, Transport};

/// A transport that counts the points it maps, in both directions together.
///
/// An [`Estimate`](crate::Estimate) counts evaluations of the limit state and of a surrogate; /// business of its methods, which see a density and a limit state. Where a pass through the map is
/// what costs, as with a large flow, count here.
///
/// ```
/// use latent_is::latent::ComposedLimitState;
/// use latent_is::{CountingTransport, CrossEntropy, Estimator, FnLimitState, StandardNormal, problems};
///
/// let map = CountingTransport::new(problems::by_name("warp-2").unwrap().target().unwrap().map);
/// let g = FnLimitState::new(2, |x: &[f64]| 3.0 - x[0]);
/// let composed = ComposedLimitState::new(&g, &map)?;
/// let estimate = CrossEntropy::default().estimate(&StandardNormal::new(2), &composed, 7)?;
/// // In latent space each evaluation takes one pass, and densities take none.
/// assert_eq!(map.evaluations(), estimate.counts.evaluations);
/// # Ok::<(), latent_is::Error>(())
/// ```
#[derive(Debug)]
pub struct CountingTransport<T> {
    transport: T,
    evaluations: AtomicU64,
}

impl<T: Transport> CountingTransport<T> {
    /// Counts what goes through `transport` from now on; a reference works too.
    pub fn new(transport: T) -> Self {
        Self { transport, evaluations: AtomicU64::new(0) }
    }

    /// Points mapped so far; a batch that the map refused counts.
    pub fn evaluations(&self) -> u64 {
        self.evaluations.load(Ordering::Relaxed)
    }

    fn count(&self, points: &DMatrixView<'_, f64>) {
        self.evaluations.fetch_add(points.ncols() as u64, Ordering::Relaxed);
    }
}

impl<T: Transport> Transport for CountingTransport<T> {
    fn dim(&self) -> usize {
        self.transport.dim()
    }

    fn decode(&self, u: DMatrixView<'_, f64>) -> Result<Mapped, EvalError> {
        self.count(&u);
        self.transport.decode(u)
    }

    fn decode_points(&self, u: DMatrixView<'_, f64>) -> Result<DMatrix<f64>, EvalError> {
        self.count(&u);
        self.transport.decode_points(u)
    }

    fn encode(&self, x: DMatrixView<'_, f64>) -> Result<Mapped, EvalError> {
        self.count(&x);
        self.transport.encode(x)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::rng;
    use crate::model::density::Density;
    use crate::model::latent::PushForward;
    use crate::problems;

    #[test]
    fn both_directions_count() {
        let target = problems::by_name("banana-2").unwrap().target().unwrap();
        let map = CountingTransport::new(target.map);
        let u = rng::standard_normal(2, 5, 1);
        let x = map.decode(u.as_view()).unwrap().points;
        assert_eq!(map.evaluations(), 5);
        PushForward::new(&map).ln_pdf(x.columns(0, 3)).unwrap();
        assert_eq!(map.evaluations(), 8);
    }
}
