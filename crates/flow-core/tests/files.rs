//! Flows in files: an exact round trip, and a clear message for every file that is not a flow.

use flow_core::{
    Flow, FlowConfig, FlowError, FlowFile, Precision, TrainSettings, TrainingRecord, TransformKind,
    bijection::Standardise, default_device, fit, fit_member, marginals::MarginalChoice,
};
use nalgebra::DMatrix;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

fn normals(d: usize, n: usize) -> DMatrix<f64> {
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    DMatrix::from_fn(d, n, |_, _| StandardNormal.sample(&mut rng))
}

/// A small flow after a short training, so that batch statistics differ from their initial values.
fn file() -> FlowFile {
    let config = FlowConfig::builder(3).hidden(8).steps(2).build().unwrap();
    let settings = TrainSettings::builder().epochs(1).batch_size(64).build().unwrap();
    let x = normals(3, 512).map(|v| 0.1 * v + 7.0);
    let trained = fit(x.as_view(), &config, &settings, &default_device(), &mut ()).unwrap();
    FlowFile::new(trained.flow, trained.record)
}

#[test]
fn a_flow_is_read_back_exactly() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("flow.safetensors");
    let before = file();
    before.save(&path).unwrap();
    let after = FlowFile::load(&path, &default_device()).unwrap();

    assert_eq!(after.record, before.record);
    assert_eq!(after.flow.config(), before.flow.config());
    assert_eq!(after.flow.standardise().mean(), before.flow.standardise().mean());
    assert_eq!(after.flow.standardise().sd(), before.flow.standardise().sd());
    assert_eq!(after.flow.state_dict().unwrap(), before.flow.state_dict().unwrap());
    let u = normals(3, 100);
    assert_eq!(after.flow.decode(u.as_view()).unwrap(), before.flow.decode(u.as_view()).unwrap());
    // No other file remains.
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

/// Masks are averaged too and must keep their exact values.
#[test]
fn an_averaged_autoregressive_flow_is_read_back() {
    let builder = FlowConfig::builder(3).transform(TransformKind::Autoregressive);
    let config = builder.hidden(8).steps(2).build().unwrap();
    let settings = TrainSettings::builder().epochs(2).batch_size(64).average(0.999);
    let settings = settings.build().unwrap();
    let x = normals(3, 512);
    let trained = fit(x.as_view(), &config, &settings, &default_device(), &mut ()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("flow.safetensors");
    let before = FlowFile::new(trained.flow, trained.record);
    before.save(&path).unwrap();
    let after = FlowFile::load(&path, &default_device()).unwrap();
    assert_eq!(after.flow.state_dict().unwrap(), before.flow.state_dict().unwrap());
}

#[test]
fn damaged_and_foreign_files_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("flow.safetensors");
    file().save(&path).unwrap();
    let good = std::fs::read(&path).unwrap();
    let message = |bytes: &[u8]| {
        FlowFile::from_bytes(bytes, "some.safetensors", &default_device()).unwrap_err().to_string()
    };
    let replaced = |from: &str, to: &str| {
        assert_eq!(from.len(), to.len());
        let at = good.windows(from.len()).position(|w| w == from.as_bytes()).unwrap();
        let mut bytes = good.clone();
        bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
        bytes
    };

    for cut in [0, 4, 100, good.len() / 2, good.len() - 1] {
        let message = message(&good[..cut]);
        assert!(message.contains("truncated") && message.contains("some.safetensors"), "{message}");
    }
    assert!(message(b"certainly not a flow, but longer than a header").contains("truncated"));
    assert!(
        message(&replaced("latent-is flow", "another format")[..]).contains("not a latent-is flow")
    );
    let version = message(&replaced("\"version\":\"1\"", "\"version\":\"9\""));
    assert!(
        version.contains("format version 9") && version.contains("reads version 1"),
        "{version}"
    );
    let missing = message(&replaced("initial_layer.bias", "initial_layer.bisa"));
    assert!(missing.contains("initial_layer.bias` is missing"), "{missing}");
    assert!(missing.contains("initial_layer.bisa` is not part of the flow"), "{missing}");
}

/// Files of earlier versions call the transform `base`.
#[test]
fn a_file_of_an_earlier_version_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("flow.safetensors");
    let before = file();
    before.save(&path).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    let (length, rest) = bytes.split_at(8);
    let length = u64::from_le_bytes(length.try_into().unwrap()) as usize;
    let (header, data) = rest.split_at(length);
    let header = std::str::from_utf8(header).unwrap();
    let earlier = header.replace(r#"\"transform\":"#, r#"\"base\":"#);
    assert_ne!(earlier, header);
    let earlier = [&(earlier.len() as u64).to_le_bytes(), earlier.as_bytes(), data].concat();
    let after = FlowFile::from_bytes(&earlier, "earlier.safetensors", &default_device()).unwrap();
    assert_eq!(after.flow.config(), before.flow.config());
    assert_eq!(after.flow.state_dict().unwrap(), before.flow.state_dict().unwrap());
}

#[test]
fn a_missing_file_and_an_unwritable_folder_are_named() {
    let error = FlowFile::load("/nowhere/flow.safetensors", &default_device()).unwrap_err();
    assert!(error.to_string().starts_with("cannot read /nowhere/flow.safetensors"), "{error}");
    let error = file().save("Cargo.toml/flow.safetensors").unwrap_err();
    assert!(error.to_string().starts_with("cannot write Cargo.toml/flow.safetensors"), "{error}");
}

#[test]
fn weights_of_another_architecture_are_refused() {
    let flow = file().flow;
    let config = flow.config().to_builder().hidden(9).build().unwrap();
    let same = Standardise::new(vec![0.0; 3], vec![1.0; 3]).unwrap();
    let state = flow.state_dict().unwrap();
    let error = Flow::from_state_dict(&config, same, state, Precision::F32, &default_device());
    let Err(FlowError::Weights(text)) = error else { panic!("{error:?}") };
    assert!(text.contains("has shape [8, 8], not [9, 9]"), "{text}");
    assert_ne!(file().record, TrainingRecord::default());
}

/// Exponential features with their marginal maps, and two members of an ensemble.
fn with_members() -> FlowFile {
    let config = FlowConfig::builder(2).hidden(8).steps(2).build().unwrap();
    let settings = TrainSettings::builder().epochs(1).marginals([MarginalChoice::Auto]);
    let settings = settings.build().unwrap();
    let x = normals(2, 1_000).map(|v| v.abs().powi(3));
    let trained = fit(x.as_view(), &config, &settings, &default_device(), &mut ()).unwrap();
    let members = (0..2).map(|k| {
        let (flow, record) = (&trained.flow, &trained.record);
        fit_member(x.as_view(), flow, record, k, &default_device(), &mut (), None).unwrap()
    });
    let members = members.collect();
    FlowFile::new(trained.flow, trained.record).with_rows(x.as_view()).with_members(members)
}

#[test]
fn members_of_an_ensemble_are_read_back_exactly() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("flow.safetensors");
    let before = with_members();
    before.save(&path).unwrap();
    let after = FlowFile::load(&path, &default_device()).unwrap();
    assert_eq!(after.members.len(), 2);
    let u = normals(2, 50);
    let decoded = |flow: &Flow| flow.decode(u.as_view()).unwrap();
    assert_eq!(decoded(&after.flow), decoded(&before.flow));
    for (read, member) in after.members.iter().zip(&before.members) {
        assert_eq!(read.marginals(), member.marginals());
        assert_eq!(decoded(read), decoded(member));
        // Other rows and another seed, and the same units.
        assert_ne!(decoded(read), decoded(&before.flow));
        assert_ne!(read.marginals(), before.flow.marginals());
        assert_eq!(read.standardise().mean(), before.flow.standardise().mean());
    }
    assert_ne!(decoded(&after.members[0]), decoded(&after.members[1]));
    // The same members again.
    assert_eq!(decoded(&with_members().members[1]), decoded(&after.members[1]));

    let bytes = std::fs::read(&path).unwrap();
    let replaced = |from: &str, to: &str| {
        let at = bytes.windows(from.len()).position(|w| w == from.as_bytes()).unwrap();
        let mut bytes = bytes.clone();
        bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
        FlowFile::from_bytes(&bytes, "some.safetensors", &default_device()).unwrap_err().to_string()
    };
    // A tensor, not the marginal maps.
    let missing = replaced("member.1._", "member.7._");
    assert!(missing.contains("`member.7.") && missing.contains("not part of"), "{missing}");
    let count = replaced("\"members\":\"2\"", "\"members\":\"9\"");
    assert!(count.contains("is missing"), "{count}");
}

#[test]
fn members_of_another_architecture_are_not_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("flow.safetensors");
    let other = with_members().with_members(vec![file().flow]);
    let error = other.save(&path).unwrap_err().to_string();
    assert!(error.contains("of the architecture") && !path.exists(), "{error}");
}

#[test]
fn a_flow_of_free_features_is_read_back_with_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("flow.safetensors");
    let y = normals(2, 600);
    let x = DMatrix::from_fn(3, 600, |i, j| match i {
        0 => y[(0, j)],
        1 => y[(0, j)] * y[(1, j)],
        _ => y[(1, j)],
    });
    let config = FlowConfig::builder(2).hidden(8).steps(2).build().unwrap();
    let settings = TrainSettings::builder().epochs(1).build().unwrap();
    let trained = fit(y.as_view(), &config, &settings, &default_device(), &mut ()).unwrap();
    let before = FlowFile::new(trained.flow, trained.record);
    let before = before.with_completion(x.as_view(), &[0, 2]).unwrap();
    before.save(&path).unwrap();
    let after = FlowFile::load(&path, &default_device()).unwrap();
    assert_eq!(after.rows, Some(x.clone()));
    let completed = |file: &FlowFile| {
        let completion = file.completion.as_ref().unwrap();
        let y_std = file.flow.standardise().apply(y.as_view());
        completion.moments().undo(completion.complete(y_std.as_view()).unwrap().as_view())
    };
    assert_eq!(completed(&after), completed(&before));
    assert!((completed(&after) - &x).amax() < 1e-6);
    assert!(file().with_completion(x.as_view(), &[0, 2]).is_err());

    let bytes = std::fs::read(&path).unwrap();
    for (from, to) in
        [("\"free\":\"[0,2]\"", "\"free\":\"[0,9]\""), ("[0,2]", "[0,0]"), ("[0,2]", "[2]  ")]
    {
        let at = bytes.windows(from.len()).position(|w| w == from.as_bytes()).unwrap();
        let mut bytes = bytes.clone();
        bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
        let read = FlowFile::from_bytes(&bytes, "some.safetensors", &default_device());
        let message = read.unwrap_err().to_string();
        assert!(message.contains("its `free` does not fit"), "{message}");
    }
}
