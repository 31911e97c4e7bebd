//! Weights on the host, by name.

use std::collections::BTreeMap;

use burn::tensor::{Tensor, TensorCreationOptions, TensorData};

use crate::error::FlowError;

/// Problems that a message shows.
const SHOWN: usize = 8;

/// A tensor on the host, row-major.
#[derive(Clone, Debug, PartialEq)]
pub struct HostTensor {
    /// Length along each axis.
    pub shape: Vec<usize>,
    /// The entries; integers are stored as floats, exactly.
    pub data: Vec<f64>,
    /// Whether the tensor holds integers.
    pub integer: bool,
}

impl HostTensor {
    /// A list of floats.
    pub(crate) fn vector(data: Vec<f64>) -> Self {
        Self { shape: vec![data.len()], data, integer: false }
    }
}

/// All tensors of a flow under their `nflows` names.
///
/// Building a flow compares all names and shapes with its architecture, then removes the tensors it
/// uses. Problems are reported together.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StateDict {
    tensors: BTreeMap<String, HostTensor>,
    problems: Problems,
}

/// What is wrong with the tensors: the first problems, and the number of all.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Problems {
    first: Vec<String>,
    count: usize,
}

impl Problems {
    pub(crate) fn add(&mut self, problem: String) {
        self.count += 1;
        if self.first.len() < SHOWN {
            self.first.push(problem);
        }
    }

    pub(crate) fn result(&self) -> Result<(), FlowError> {
        let rest = match self.count - self.first.len() {
            0 if self.count == 0 => return Ok(()),
            0 => String::new(),
            more => format!("; and {more} more"),
        };
        Err(FlowError::Weights(self.first.join("; ") + &rest))
    }
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

    /// The tensor `name`.
    pub fn get(&self, name: &str) -> Option<&HostTensor> {
        self.tensors.get(name)
    }

    /// Removes the tensor `name`, of any shape.
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

    /// Adds a single integer under `name`.
    pub(crate) fn put_integer(&mut self, name: String, value: i64) {
        self.insert(name, HostTensor { shape: vec![], data: vec![value as f64], integer: true });
    }

    /// Removes the float tensor `name`, whose shape was checked. NaN and infinity are noted.
    pub(crate) fn take<const D: usize>(
        &mut self,
        name: &str,
        shape: [usize; D],
        options: &TensorCreationOptions,
    ) -> Tensor<D> {
        let data = self.take_host(name, &shape);
        Tensor::from_data(TensorData::new(data, shape), options.clone())
    }

    /// Removes a list of integers and notes a difference from `expected`.
    pub(crate) fn expect_integers(&mut self, name: &str, expected: &[usize]) {
        let expected: Vec<f64> = expected.iter().map(|&v| v as f64).collect();
        self.expect(name, &[expected.len()], &expected);
    }

    /// Removes `name`, whose shape was checked, and notes a difference from `expected`.
    pub(crate) fn expect(&mut self, name: &str, shape: &[usize], expected: &[f64]) {
        let found = self.take_host(name, shape);
        // NaN was noted.
        let place = found.iter().zip(expected).position(|(a, b)| (a - b).abs() > 0.0);
        if let Some(i) = place {
            let (found, expected) = (found[i], expected[i]);
            self.problems.add(format!("`{name}` has {found} at {i}, not {expected}"));
        }
    }

    fn take_host(&mut self, name: &str, shape: &[usize]) -> Vec<f64> {
        let tensor = self.tensors.remove(name).filter(|tensor| tensor.shape == shape);
        let tensor = tensor.expect("names and shapes are checked before a flow is built");
        if let Some(bad) = tensor.data.iter().find(|v| !v.is_finite()) {
            self.problems.add(format!("`{name}` holds {bad}"));
        }
        tensor.data
    }

    /// Ends the reading: noted problems are an error.
    pub(crate) fn finish(self) -> Result<(), FlowError> {
        self.problems.result()
    }
}

/// The entries of a tensor as `f64`, row-major.
pub(crate) fn to_host<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f64>, FlowError> {
    tensor.try_into_vec_as::<f64>().map_err(|error| FlowError::Execution(error.to_string()))
}
