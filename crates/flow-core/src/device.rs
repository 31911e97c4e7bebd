//! Which backend computes, in which precision.

use burn::tensor::{DType, Device, Tensor, TensorCreationOptions};
use serde::{Deserialize, Serialize};

use crate::FlowError;

/// Names of the devices in this build, the default first.
pub const DEVICES: &[&str] = &[
    #[cfg(feature = "flex")]
    "flex",
    #[cfg(feature = "ndarray")]
    "ndarray",
    #[cfg(feature = "wgpu")]
    "wgpu",
];

/// The device of that name.
///
/// # Errors
/// [`FlowError::Device`] when the name is unknown or its backend is not part of this build;
/// [`FlowError::NoAdapter`] when it finds no hardware.
pub fn device(name: &str) -> Result<Device, FlowError> {
    match name {
        #[cfg(feature = "flex")]
        "flex" => Ok(Device::flex()),
        #[cfg(feature = "ndarray")]
        "ndarray" => {
            #[expect(deprecated, reason = "deprecated upstream, kept because people ask for it")]
            let device = Device::ndarray();
            Ok(device)
        }
        #[cfg(feature = "wgpu")]
        "wgpu" => wgpu(),
        _ => Err(FlowError::Device { name: name.to_owned(), available: DEVICES.join(", ") }),
    }
}

/// The best adapter there is; without a GPU, a software driver.
#[cfg(feature = "wgpu")]
fn wgpu() -> Result<Device, FlowError> {
    use burn::tensor::DeviceKind;
    let works = |kind: DeviceKind| {
        // burn panics where there is no adapter of that kind.
        std::panic::catch_unwind(|| {
            let device = Device::wgpu(kind);
            let one = Tensor::<1>::ones([1], &device).into_scalar::<f32>();
            (one > 0.0).then_some(device)
        })
        .ok()
        .flatten()
    };
    works(DeviceKind::DefaultDevice)
        .or_else(|| works(DeviceKind::Cpu))
        .ok_or(FlowError::NoAdapter { name: "wgpu" })
}

/// The first device of this build: `flex` unless that feature is off.
pub fn default_device() -> Device {
    // burn's own default would be the GPU wherever its backend is part of the build.
    DEVICES.first().and_then(|name| device(name).ok()).unwrap_or_default()
}

/// Whether `device` is the CPU, where the engine computes instead of burn.
pub(crate) fn is_cpu(device: &Device) -> bool {
    let named =
        |name: &&&str| **name != "wgpu" && self::device(name).is_ok_and(|known| known == *device);
    DEVICES.iter().any(|name| named(&name))
}

/// Options that put a new tensor where `tensor` is, in its precision.
pub(crate) fn like<const D: usize>(tensor: &Tensor<D>) -> TensorCreationOptions {
    TensorCreationOptions::new(tensor.device()).with_dtype(tensor.dtype())
}

/// Width of the floats inside a flow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// Single precision, the usual one.
    #[default]
    F32,
    /// Double precision, where the backend has it; for tests.
    F64,
}

impl Precision {
    /// Options that put a new tensor on `device` in this precision.
    pub(crate) fn on(self, device: &Device) -> TensorCreationOptions {
        let dtype = match self {
            Self::F32 => DType::F32,
            Self::F64 => DType::F64,
        };
        TensorCreationOptions::new(device.clone()).with_dtype(dtype)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_the_first() {
        assert_eq!(default_device(), device(DEVICES[0]).unwrap());
    }

    #[test]
    fn an_unknown_device_is_refused_with_the_known_ones() {
        let message = device("abacus").unwrap_err().to_string();
        assert!(message.contains("`abacus`") && message.contains(DEVICES[0]), "{message}");
    }
}
