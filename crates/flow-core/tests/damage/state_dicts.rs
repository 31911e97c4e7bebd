//! Weights of `nflows` in both formats.

use std::path::PathBuf;

use flow_core::{Flow, StateDict};
use proptest::prelude::*;

use crate::{Damage, bound, cases, small, used, within};

fn data(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name)
}

/// Reads `bytes` from a file with the extension of `name`.
fn read(name: &str, bytes: &[u8]) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    let flow = within(bound(bytes.len()), || Flow::from_nflows(&path, &small()));
    if let Ok(flow) = flow {
        used(&flow);
    }
}

proptest! {
    #![proptest_config(cases(512))]

    #[test]
    fn damaged_pt_files_are_read_or_refused(damage in Damage::any(), legacy in any::<bool>()) {
        let name = if legacy { "small_legacy.pt" } else { "small.pt" };
        read("weights.pt", &damage.of(&std::fs::read(data(name)).unwrap()));
    }

    #[test]
    fn damaged_safetensors_files_are_read_or_refused(damage in Damage::any()) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("good.safetensors");
        Flow::from_nflows(data("small.pt"), &small()).unwrap().to_nflows(&path).unwrap();
        read("weights.safetensors", &damage.of(&std::fs::read(path).unwrap()));
    }
}

#[test]
fn both_layouts_of_torch_hold_the_same_flow() {
    let read = |name| StateDict::read(data(name)).unwrap();
    assert_eq!(read("small.pt"), read("small_legacy.pt"));
    used(&Flow::from_nflows(data("small_legacy.pt"), &small()).unwrap());
}

/// Eight gibibytes from a file of eight kilobytes.
#[test]
fn numbers_that_are_stored_once_and_repeated_are_refused_by_name() {
    let path = data("stride_zero.pt");
    let length = std::fs::metadata(&path).unwrap().len() as usize;
    let error = within(bound(length), || StateDict::read(&path)).unwrap_err().to_string();
    assert!(error.contains("stride_zero.pt cannot be used"), "{error}");
    assert!(error.contains("`_transform._transforms.1.bias` with shape [2147483648]"), "{error}");
    assert!(error.contains("8589934592 bytes") && error.contains("stride of 0"), "{error}");
}
