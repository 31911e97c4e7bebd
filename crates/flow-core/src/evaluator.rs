//! Passes of batches through a chain: with burn, or on a CPU with packed weights.

use std::sync::{Arc, OnceLock};

use burn::{
    module::Module,
    tensor::{Device, Tensor, TensorData},
};
use nalgebra::{DMatrix, DMatrixView, DVector};
use rayon::prelude::*;

use crate::{
    bijection::{
        chain::Chain,
        map::Bijection,
        standardise::{Standardise, check_finite},
    },
    config::FlowConfig,
    cpu::inference::{direction::Direction, flow::InferenceFlow},
    device::{Precision, is_cpu},
    error::FlowError,
    mapped::Mapped,
    marginals::Marginals,
    state_dict::{StateDict, to_host},
    units::Units,
};

/// Rows that the burn modules take together on a CPU.
const TILE: usize = 2048;
/// The same on a GPU, which needs more rows to be busy.
const GPU_TILE: usize = 16_384;

/// A chain with its standardisation.
#[derive(Clone, Debug)]
pub(crate) struct Evaluator {
    pub(crate) chain: Chain,
    pub(crate) standardise: Standardise,
    /// Between standardised outcomes and the chain.
    pub(crate) marginals: Marginals,
    pub(crate) config: FlowConfig,
    pub(crate) precision: Precision,
    /// Made on first use; `None` where burn computes.
    inference: OnceLock<Option<Arc<InferenceFlow>>>,
}

impl Evaluator {
    pub(crate) fn new(
        chain: Chain,
        standardise: Standardise,
        config: &FlowConfig,
        precision: Precision,
    ) -> Self {
        let (config, inference) = (config.clone(), OnceLock::new());
        let marginals = Marginals::default();
        Self { chain, standardise, marginals, config, precision, inference }
    }

    /// Replaces the weights.
    pub(crate) fn set_chain(&mut self, chain: Chain) {
        self.chain = chain;
        self.inference = OnceLock::new();
    }

    /// The weights under their `nflows` names.
    pub(crate) fn state_dict(&self) -> Result<StateDict, FlowError> {
        let mut state = StateDict::default();
        self.chain.export(&mut state)?;
        Ok(state)
    }

    fn check_batch(&self, x: DMatrixView<'_, f64>) -> Result<(), FlowError> {
        if x.nrows() != self.config.features() {
            return Err(FlowError::Features {
                expected: self.config.features(),
                actual: x.nrows(),
            });
        }
        check_finite(x)
    }

    /// The packed weights where this crate computes by itself, `None` where burn computes.
    ///
    /// # Errors
    /// [`FlowError::Weights`] when a linear map has no inverse in double precision.
    pub(crate) fn inference(&self) -> Result<Option<&InferenceFlow>, FlowError> {
        if self.inference.get().is_none() {
            let packed = if self.precision == Precision::F32 && is_cpu(&self.device()) {
                Some(Arc::new(InferenceFlow::pack(&self.config, &self.state_dict()?)?))
            } else {
                None
            };
            // Another thread may have been first, with the same weights.
            let _ = self.inference.set(packed);
        }
        Ok(self.inference.get().and_then(Option::as_deref))
    }

    /// The moments to convert with; none in standardised units.
    fn moments(&self, units: Units) -> Option<&Standardise> {
        (units == Units::Data).then_some(&self.standardise)
    }

    /// Maps a batch, with log-determinants.
    pub(crate) fn mapped(
        &self,
        direction: Direction,
        units: Units,
        x: DMatrixView<'_, f64>,
    ) -> Result<Mapped, FlowError> {
        let mut mapped = Mapped::default();
        self.map_into(direction, units, x, &mut mapped)?;
        Ok(mapped)
    }

    /// Maps a batch into the memory of `mapped`.
    pub(crate) fn map_into(
        &self,
        direction: Direction,
        units: Units,
        x: DMatrixView<'_, f64>,
        mapped: &mut Mapped,
    ) -> Result<(), FlowError> {
        self.check_batch(x)?;
        if self.marginals.are_affine() {
            return self.through_chain(direction, units, x, mapped);
        }
        let moments = &self.standardise;
        match direction {
            Direction::Encode => {
                let (z, ln_det) = self.marginals.encode(x, units, moments);
                self.through_chain(direction, Units::Standardised, z.as_view(), mapped)?;
                mapped.ln_det += ln_det;
            }
            Direction::Decode => {
                self.through_chain(direction, Units::Standardised, x, mapped)?;
                let Mapped { points, ln_det } = mapped;
                self.marginals.decode_into(points, ln_det, units, moments);
            }
        }
        Ok(())
    }

    /// Maps a batch with affine marginal maps.
    fn through_chain(
        &self,
        direction: Direction,
        units: Units,
        x: DMatrixView<'_, f64>,
        mapped: &mut Mapped,
    ) -> Result<(), FlowError> {
        let Some(inference) = self.inference()? else {
            *mapped = self.map_by_burn(direction, units, x)?;
            return Ok(());
        };
        if mapped.points.shape() != x.shape() {
            mapped.points = DMatrix::zeros(x.nrows(), x.ncols());
        }
        if mapped.ln_det.len() != x.ncols() {
            mapped.ln_det = DVector::zeros(x.ncols());
        }
        let (points, ln_det) = (mapped.points.as_mut_slice(), mapped.ln_det.as_mut_slice());
        inference.run(direction, self.moments(units), x, points, ln_det);
        Ok(())
    }

    /// Maps a batch without log-determinants.
    pub(crate) fn points(
        &self,
        direction: Direction,
        units: Units,
        x: DMatrixView<'_, f64>,
    ) -> Result<DMatrix<f64>, FlowError> {
        self.check_batch(x)?;
        if !self.marginals.are_affine() {
            return Ok(self.mapped(direction, units, x)?.points);
        }
        let Some(inference) = self.inference()? else {
            return Ok(self.map_by_burn(direction, units, x)?.points);
        };
        let mut points = DMatrix::zeros(x.nrows(), x.ncols());
        inference.run_points(direction, self.moments(units), x, points.as_mut_slice());
        Ok(points)
    }

    /// Maps a batch with the burn modules and affine marginal maps, tile by tile: in parallel on a CPU, one
    /// after the other on a GPU. Tiles are independent, so the result does not depend on the number of threads.
    pub(crate) fn map_by_burn(
        &self,
        direction: Direction,
        units: Units,
        x: DMatrixView<'_, f64>,
    ) -> Result<Mapped, FlowError> {
        let (d, n) = x.shape();
        let moments = self.moments(units);
        let x = match (direction, moments) {
            (Direction::Encode, Some(moments)) => moments.apply(x),
            _ => x.into_owned(),
        };
        let chain = self.chain.valid();
        let device = self.device();
        let options = self.precision.on(&device);
        let one = |rows: &[f64]| {
            // A column-major [d, n] batch is a row-major [n, d] tensor.
            let data = TensorData::new(rows.to_vec(), [rows.len() / d, d]);
            let rows = Tensor::from_data(data, options.clone());
            let (points, ln_det) = match direction {
                Direction::Encode => chain.encode(rows),
                Direction::Decode => chain.decode(rows),
            };
            Ok((to_host(points)?, to_host(ln_det)?))
        };
        let x = x.as_slice();
        let tiles: Result<Vec<_>, FlowError> = if is_cpu(&device) {
            x.par_chunks(d * TILE).map(one).collect()
        } else {
            x.chunks(d * GPU_TILE).map(one).collect()
        };
        let (points, ln_det): (Vec<_>, Vec<_>) = tiles?.into_iter().unzip();
        let points = DMatrix::from_vec(d, n, points.concat());
        let ln_det = DVector::from_vec(ln_det.concat());
        Ok(match (direction, moments) {
            (_, None) => Mapped { points, ln_det },
            (Direction::Encode, Some(moments)) => {
                Mapped { points, ln_det: ln_det.add_scalar(moments.ln_det()) }
            }
            (Direction::Decode, Some(moments)) => Mapped {
                points: moments.undo(points.as_view()),
                ln_det: ln_det.add_scalar(-moments.ln_det()),
            },
        })
    }

    /// The device that the chain is on.
    pub(crate) fn device(&self) -> Device {
        let first = self.chain.devices().into_iter().next();
        first.expect("every chain has parameters").without_autodiff()
    }
}
