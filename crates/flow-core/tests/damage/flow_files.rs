//! Files of flows.

use flow_core::{
    Flow, FlowConfig, FlowError, FlowFile, LinearKind, Precision, TrainingRecord, TransformKind,
    bijection::Standardise, default_device,
};
use proptest::prelude::*;

use crate::{Damage, bound, cases, edit, small, used, within};

fn bytes_of(config: &FlowConfig) -> Vec<u8> {
    let d = config.features();
    let moments = Standardise::new(vec![1.0; d], vec![2.0; d]).unwrap();
    let flow = Flow::init(config, moments, 1, Precision::F32, &default_device()).unwrap();
    let record = TrainingRecord {
        losses: vec![3.0, 2.5],
        held_out: vec![-3.0, -2.5],
        rows: 500,
        epoch: 2,
        ..TrainingRecord::default()
    };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("flow.safetensors");
    FlowFile::new(flow, record).save(&path).unwrap();
    std::fs::read(path).unwrap()
}

fn read(bytes: &[u8]) -> Result<FlowFile, FlowError> {
    within(bound(bytes.len()), || {
        FlowFile::from_bytes(bytes, "some.safetensors", &default_device())
    })
}

fn configs() -> [FlowConfig; 2] {
    let masked = small().to_builder().transform(TransformKind::Autoregressive).batch_norm(true);
    [small(), masked.linear(LinearKind::Permutation).build().unwrap()]
}

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn damaged_files_are_read_or_refused(damage in Damage::any(), which in 0..2_usize) {
        if let Ok(file) = read(&damage.of(&bytes_of(&configs()[which]))) {
            used(&file.flow);
        }
    }

    /// Whatever a configuration asks for, a flow has the size of its tensors.
    #[test]
    fn any_configuration_is_compared_with_the_tensors(
        sizes in prop::array::uniform4(prop_oneof![1..10_usize, 1..5000_usize, any::<usize>()]),
        masked in any::<bool>(),
        permuted in any::<bool>(),
    ) {
        let [features, hidden, steps, bins] = sizes;
        let builder = FlowConfig::builder(features).hidden(hidden).steps(steps).bins(bins);
        let transform = [TransformKind::Coupling, TransformKind::Autoregressive][usize::from(masked)];
        let linear = [LinearKind::Lu, LinearKind::Permutation][usize::from(permuted)];
        let Ok(config) = builder.transform(transform).linear(linear).build() else { return Ok(()) };
        let file = read(&bytes_of(&small())).unwrap();
        let state = file.flow.state_dict().unwrap();
        // As many moments as the tensors have features.
        let moments = file.flow.standardise().clone();
        let result = within(bound(0), || {
            Flow::from_state_dict(&config, moments, state, Precision::F32, &default_device())
        });
        prop_assert!(result.is_err() || config.features() == 2);
    }
}

#[test]
fn edited_metadata_are_read_or_refused() {
    for config in configs() {
        let good = bytes_of(&config);
        read(&good).unwrap();
        for key in ["config", "training", "precision"] {
            let files = edit::files(&good, key);
            assert!(!files.is_empty());
            for file in files {
                if let Ok(file) = read(&file) {
                    used(&file.flow);
                }
            }
        }
    }
}

#[test]
fn a_configuration_of_another_size_is_refused_with_its_tensors_or_its_memory() {
    let good = bytes_of(&small());
    let (header, data) = edit::parts(&good);
    let refused = |from: &str, to: &str| {
        let mut header = header.clone();
        let text = header["__metadata__"]["config"].as_str().unwrap();
        assert!(text.contains(from), "{text}");
        header["__metadata__"]["config"] = text.replace(from, to).into();
        read(&edit::file(&header, data)).unwrap_err().to_string()
    };
    let text = refused("\"hidden\":4", "\"hidden\":8000");
    assert!(text.contains("has shape [4, 1], not [8000, 1]"), "{text}");
    let text = refused("\"hidden\":4", "\"hidden\":100000");
    assert!(text.contains("some.safetensors") && text.contains("GiB of memory"), "{text}");
    let text = refused("\"steps\":1", "\"steps\":1000");
    assert!(text.contains("is missing") && text.contains(" more"), "{text}");
    let text = refused("\"steps\":1", "\"steps\":1000000000");
    assert!(text.contains("GiB of memory"), "{text}");
    let text = refused("\"features\":2", "\"features\":3000");
    assert!(text.contains("the flow has 3000 features"), "{text}");
}
