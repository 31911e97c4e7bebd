//! Weights on the host, by name.

use std::collections::BTreeMap;

use burn::tensor::{Tensor, TensorCreationOptions, TensorData};

use crate::FlowError;

/// A tensor on the host, row-major.
#[derive(Clone, Debug, PartialEq)]
pub struct HostTensor {
    /// Length along each axis.
    pub shape: Vec<usize>,
    /// The entries; integer tensors are held as floats, exactly.
    pub data: Vec<f64>,
    /// Whether the tensor holds integers.
    pub integer: bool,
}

/// All tensors of a flow under their `nflows` names.
///
/// Reading takes tensors out, so that what is left at the end is surplus. Problems are collected
/// and reported together.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StateDict {
    tensors: BTreeMap<String, HostTensor>,
    problems: Vec<String>,
}

impl StateDict {
    /// Adds a tensor under `name`.
    pub fn insert(&mut self, name: String, tensor: HostTensor) {
        self.tensors.insert(name, tensor);
    }

    /// The tensors, in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &HostTensor)> {
        self.tensors.iter().map(|(name, tensor)| (name.as_str(), tensor))
    }

    /// Takes the tensor `name` out, whatever its shape.
    pub(crate) fn remove(&mut self, name: &str) -> Option<HostTensor> {
        self.tensors.remove(name)
    }

    /// Adds a float tensor under `name`.
    pub(crate) fn put<const D: usize>(
        &mut self,
        name: String,
        tensor: Tensor<D>,
    ) -> Result<(), FlowError> {
        let shape = tensor.dims().to_vec();
        let data = to_host(tensor)?;
        self.insert(name, HostTensor { shape, data, integer: false });
        Ok(())
    }

    /// Adds a list of integers under `name`.
    pub(crate) fn put_integers(&mut self, name: String, values: &[usize]) {
        let data = values.iter().map(|&v| v as f64).collect();
        self.insert(name, HostTensor { shape: vec![values.len()], data, integer: true });
    }

    /// Takes the float tensor `name` out; a missing or mis-shaped one is noted and zeros stand in.
    pub(crate) fn take<const D: usize>(
        &mut self,
        name: &str,
        shape: [usize; D],
        options: &TensorCreationOptions,
    ) -> Tensor<D> {
        let data = self.take_host(name, &shape);
        Tensor::from_data(TensorData::new(data, shape), options.clone())
    }

    /// Takes `name` out and notes a difference from `expected`.
    pub(crate) fn expect_integers(&mut self, name: &str, expected: &[usize]) {
        let found = self.take_host(name, &[expected.len()]);
        if self.problems.is_empty() && !found.iter().zip(expected).all(|(&a, &b)| a == b as f64) {
            self.problems.push(format!("`{name}` is {found:?}, not {expected:?}"));
        }
    }

    fn take_host(&mut self, name: &str, shape: &[usize]) -> Vec<f64> {
        match self.tensors.remove(name) {
            Some(tensor) if tensor.shape == shape => {
                if let Some(bad) = tensor.data.iter().find(|v| !v.is_finite()) {
                    self.problems.push(format!("`{name}` holds {bad}"));
                }
                return tensor.data;
            }
            Some(tensor) => {
                self.problems.push(format!("`{name}` has shape {:?}, not {shape:?}", tensor.shape))
            }
            None => self.problems.push(format!("`{name}` is missing")),
        }
        vec![0.0; shape.iter().product()]
    }

    /// Ends the reading: what was noted or is left over is an error.
    pub(crate) fn finish(mut self) -> Result<(), FlowError> {
        let surplus = self.tensors.keys().map(|name| format!("`{name}` is not part of the flow"));
        self.problems.extend(surplus);
        if self.problems.is_empty() {
            return Ok(());
        }
        let shown = self.problems.len().min(8);
        let mut text = self.problems[..shown].join("; ");
        if self.problems.len() > shown {
            text += &format!("; and {} more", self.problems.len() - shown);
        }
        Err(FlowError::Weights(text))
    }
}

/// The entries of a tensor as `f64`, row-major.
pub(crate) fn to_host<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f64>, FlowError> {
    tensor.try_into_vec_as::<f64>().map_err(|error| FlowError::Execution(error.to_string()))
}
