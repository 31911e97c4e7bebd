//! Devices and precision.

use burn::tensor::{DType, Device, Tensor, TensorCreationOptions};
use serde::{Deserialize, Serialize};

use crate::error::FlowError;

/// Names of the devices of this build, the default first.
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
/// [`FlowError::NoAdapter`] when the backend finds no hardware.
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

/// The default adapter, or a software driver where there is no GPU.
#[cfg(feature = "wgpu")]
fn wgpu() -> Result<Device, FlowError> {
    use burn::tensor::DeviceKind;
    let works = |kind: DeviceKind| {
        // burn panics if there is no adapter of that kind.
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
    // burn's own default is the GPU wherever its backend is part of the build.
    DEVICES.first().and_then(|name| device(name).ok()).unwrap_or_default()
}

/// Whether `device` is the CPU, where the `cpu` module computes in single precision instead of burn.
pub(crate) fn is_cpu(device: &Device) -> bool {
    let named =
        |name: &&&str| **name != "wgpu" && self::device(name).is_ok_and(|known| known == *device);
    DEVICES.iter().any(|name| named(&name))
}

/// Options for a new tensor on the device of `tensor` and in its precision.
pub(crate) fn like<const D: usize>(tensor: &Tensor<D>) -> TensorCreationOptions {
    TensorCreationOptions::new(tensor.device()).with_dtype(tensor.dtype())
}

/// Precision of the numbers inside a flow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// Single precision, the default.
    #[default]
    F32,
    /// Double precision, for tests; not every backend has it.
    F64,
}

impl Precision {
    /// Options for a new tensor on `device` in this precision.
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
