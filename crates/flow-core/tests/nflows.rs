//! Weights of the reference package are read and written unchanged; unsuitable ones are refused.

mod common;

use common::{config, flow, path};
use flow_core::{Flow, FlowConfig, FlowError, Precision, StateDict};

/// The reference counts batches; this library does not.
fn without_counts(state: &StateDict) -> Vec<(String, Vec<f64>)> {
    let counted = |name: &str| name.ends_with("num_batches_tracked");
    state.iter().filter(|(n, _)| !counted(n)).map(|(n, t)| (n.to_owned(), t.data.clone())).collect()
}

#[test]
fn weights_are_written_under_the_names_they_were_read_with() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["flow_i", "flow_iii", "flow_iv", "flow_v_extra"] {
        let theirs = path(&format!("{name}_weights.safetensors"));
        let flow = Flow::from_nflows(&theirs, &config(name)).unwrap();
        assert_eq!(flow.precision(), Precision::F32);
        let ours = folder.path().join("ours.safetensors");
        flow.to_nflows(&ours).unwrap();
        let (ours, theirs) = (StateDict::read(ours).unwrap(), StateDict::read(theirs).unwrap());
        // The reference weights are in single precision, so no digits are lost.
        assert_eq!(without_counts(&ours), without_counts(&theirs));
        let names = |s: &StateDict| {
            s.iter().map(|(n, t)| (n.to_owned(), t.shape.clone())).collect::<Vec<_>>()
        };
        assert_eq!(names(&ours), names(&theirs), "{name}");
    }
}

#[test]
fn weights_that_do_not_fit_are_named() {
    let file = path("flow_iii_weights.safetensors");
    let attempt = |config: &FlowConfig| Flow::from_nflows(&file, config).unwrap_err().to_string();
    let wider = attempt(&config("flow_iii").to_builder().hidden(20).build().unwrap());
    assert!(wider.contains("has shape [16, 4], not [20, 4]"), "{wider}");
    let shorter = attempt(&config("flow_iii").to_builder().steps(1).build().unwrap());
    assert!(shorter.contains("is not part of the flow"), "{shorter}");
    let longer = attempt(&config("flow_iii").to_builder().steps(3).build().unwrap());
    assert!(longer.contains("is missing"), "{longer}");

    let mut state = StateDict::read(&file).unwrap();
    let name = "_transform._transforms.2.autoregressive_net.initial_layer.mask";
    let mut mask = state.iter().find(|(n, _)| *n == name).unwrap().1.clone();
    mask.data[1] = 1.0;
    state.insert(name.to_owned(), mask);
    let reference = flow("flow_iii", Precision::F32);
    let moments = reference.standardise().clone();
    let device = flow_core::default_device();
    let error = Flow::from_state_dict(reference.config(), moments, state, Precision::F32, &device)
        .unwrap_err();
    assert!(error.to_string().contains("initial_layer.mask` has 1 at 1, not 0"), "{error}");
}

#[test]
fn files_of_another_kind_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    };
    for path in [
        write("weights.onnx", b"anything"),
        write("weights.pt", b"no pickle and no archive"),
        write("weights.safetensors", b"no header"),
    ] {
        let error = StateDict::read(&path).unwrap_err();
        assert!(matches!(error, FlowError::Format { .. }), "{error}");
        assert!(error.to_string().contains(path.to_str().unwrap()), "{error}");
    }
    for name in ["absent.pt", "absent.safetensors"] {
        let error = StateDict::read(folder.path().join(name)).unwrap_err();
        assert!(matches!(error, FlowError::File { action: "cannot read", .. }), "{error}");
    }
}
