//! Reads reference files and compares with them.

#![allow(dead_code, reason = "each test binary uses a part")]

use std::{collections::BTreeMap, path::PathBuf};

use burn::tensor::{DType, Tensor, TensorCreationOptions, TensorData};
use flow_core::{
    Flow, FlowConfig, HostTensor, LinearKind, Precision, StateDict, TransformKind,
    bijection::Standardise,
};

pub(crate) struct Golden(BTreeMap<String, HostTensor>);

pub(crate) fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

impl Golden {
    pub(crate) fn read(name: &str) -> Self {
        let state = StateDict::read(path(name)).unwrap();
        Self(state.iter().map(|(name, tensor)| (name.to_owned(), tensor.clone())).collect())
    }

    pub(crate) fn get(&self, name: &str) -> &HostTensor {
        self.0.get(name).unwrap_or_else(|| panic!("no `{name}`"))
    }

    pub(crate) fn tensor<const D: usize>(&self, name: &str) -> Tensor<D> {
        tensor_of(self.get(name))
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Holds `actual` to tensor `name` within `max(1e-10 (1 + |value|), 100 noise)` row by row.
    pub(crate) fn check(&self, name: &str, actual: &[f64]) {
        let (prefix, base) = name.rsplit_once('.').map_or(("", name), |(p, b)| (p, b));
        let dot = if prefix.is_empty() { "" } else { "." };
        let noise = self.0.get(&format!("{prefix}{dot}noise.{base}"));
        let expected = self.get(name);
        assert_eq!(expected.data.len(), actual.len(), "{name}");
        let width = expected.data.len() / expected.shape[0];
        for (i, (a, e)) in actual.iter().zip(&expected.data).enumerate() {
            let noise = noise.map_or(0.0, |n| n.data[i / width]);
            let allowed = (1e-10 * (1.0 + e.abs())).max(100.0 * noise);
            assert!((a - e).abs() <= allowed, "{name}[{i}]: {a} against {e}, noise {noise:e}");
        }
    }
}

pub(crate) fn options() -> TensorCreationOptions {
    TensorCreationOptions::new(flow_core::default_device()).with_dtype(DType::F64)
}

pub(crate) fn tensor_of<const D: usize>(tensor: &HostTensor) -> Tensor<D> {
    Tensor::from_data(TensorData::new(tensor.data.clone(), tensor.shape.clone()), options())
}

pub(crate) fn vec<const D: usize>(tensor: Tensor<D>) -> Vec<f64> {
    tensor.try_into_vec_as::<f64>().unwrap()
}

pub(crate) fn largest_difference(a: &[f64], b: &[f64]) -> f64 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

/// Architecture of the reference flow `name`.
pub(crate) fn config(name: &str) -> FlowConfig {
    let text = std::fs::read_to_string(path(&format!("{name}.json"))).unwrap();
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    let h = &json["hyperparameters"];
    let int = |key: &str| h[key].as_u64().unwrap() as usize;
    FlowConfig::builder(int("features"))
        .transform(match h["base"].as_str().unwrap() {
            "rq-c" => TransformKind::Coupling,
            "rq-ar" => TransformKind::Autoregressive,
            other => panic!("{other}"),
        })
        .hidden(int("hidden_features"))
        .steps(int("num_flow_steps"))
        .bins(int("num_bins"))
        .tail_bound(h["tail_bound"].as_f64().unwrap())
        .linear(match h["linear"].as_str().unwrap() {
            "lu" => LinearKind::Lu,
            "permutation" => LinearKind::Permutation,
            other => panic!("{other}"),
        })
        .batch_norm(h["use_batch_norm"].as_bool().unwrap())
        .dropout(h["dropout_probability"].as_f64().unwrap())
        .build()
        .unwrap()
}

/// The reference flow `name`, without standardisation.
pub(crate) fn flow(name: &str, precision: Precision) -> Flow {
    let config = config(name);
    let d = config.features();
    let same = Standardise::new(vec![0.0; d], vec![1.0; d]).unwrap();
    let state = StateDict::read(path(&format!("{name}_weights.safetensors"))).unwrap();
    Flow::from_state_dict(&config, same, state, precision, &flow_core::default_device()).unwrap()
}
