//! A transport map as the joint distribution of a model's inputs.

use std::error::Error;
use std::fmt::Debug;

use inputs::Transform;
use nalgebra::{DMatrix, DMatrixView};

use crate::model::transport::Transport;

/// A [`Transport`], for example a flow that was trained on inputs observed in the field, as the joint
/// distribution of a model's inputs ([`inputs::Inputs::from_map`]). The latent space of the map is then
/// that of [`ModelLimitState`](crate::ModelLimitState), with the simulator behind it.
///
/// ```
/// use std::sync::Arc;
///
/// use inputs::Inputs;
/// use latent_is::{TransportInputs, problems};
///
/// let map = problems::by_name("banana-2").unwrap().target().unwrap().map; // or a `FlowTransport`
/// let names = ["wind", "gap"].map(|name| (name.to_owned(), "m".to_owned()));
/// let inputs = Inputs::from_map(names, Arc::new(TransportInputs::new(map)))?;
/// let w = inputs.sample(100, 7)?; // [2, 100]
/// let u = inputs.to_normal(w.as_view())?;
/// assert!((inputs.transform(u.as_view())? - w).amax() < 1e-9);
/// # Ok::<(), inputs::InputsError>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct TransportInputs<T> {
    transport: T,
}

impl<T: Transport> TransportInputs<T> {
    /// `transport` as a map to inputs.
    pub fn new(transport: T) -> Self {
        Self { transport }
    }
}

impl<T: Transport + Debug + Send + Sync> Transform for TransportInputs<T> {
    fn dim(&self) -> usize {
        self.transport.dim()
    }

    fn transform(
        &self,
        u: DMatrixView<'_, f64>,
    ) -> Result<DMatrix<f64>, Box<dyn Error + Send + Sync>> {
        Ok(self.transport.decode_points(u)?)
    }

    fn to_normal(
        &self,
        w: DMatrixView<'_, f64>,
    ) -> Result<DMatrix<f64>, Box<dyn Error + Send + Sync>> {
        Ok(self.transport.encode(w)?.points)
    }
}
