//! The first frame of a store: format version and model, as JSON.

use std::{fs::File, io::Read, path::Path};

use serde::{Deserialize, Serialize};

use crate::{
    error::StoreError,
    frame::{self, Parsed},
    identity::Identity,
};

const MARKER: frame::Marker = *b"\xE7STO";

/// The version of the format that this crate writes and reads.
const VERSION: u32 = 1;

/// The longest header, in bytes.
const LONGEST: usize = 1 << 24;

#[derive(Serialize, Deserialize)]
struct Header<I> {
    version: u32,
    identity: I,
}

/// The bytes of the header of a new store.
pub(crate) fn bytes(identity: &Identity) -> Vec<u8> {
    let header = Header { version: VERSION, identity };
    // Texts and a number always become JSON.
    let json = serde_json::to_vec(&header).unwrap_or_default();
    let mut bytes = Vec::new();
    frame::write(&mut bytes, MARKER, |out| out.extend_from_slice(&json));
    bytes
}

/// Reads the header of the store in `file` at `path`. Returns the model and where the evaluations begin.
pub(crate) fn read(file: &File, path: &Path) -> Result<(Identity, u64), StoreError> {
    let bad =
        |reason: &str| StoreError::NotAStore { file: path.to_owned(), reason: reason.to_owned() };
    let io = |source| StoreError::Io { file: path.to_owned(), source };
    let mut bytes = Vec::new();
    file.take(frame::HEAD as u64).read_to_end(&mut bytes).map_err(io)?;
    if let Parsed::Needs(needs) = frame::parse(&bytes, MARKER, 2, LONGEST) {
        file.take((needs - bytes.len()) as u64).read_to_end(&mut bytes).map_err(io)?;
    }
    let payload = match frame::parse(&bytes, MARKER, 2, LONGEST) {
        Parsed::Frame(payload) => payload,
        Parsed::Needs(_) => return Err(bad("it ends within its header")),
        Parsed::Damaged if !bytes.starts_with(&MARKER) => {
            return Err(bad("it begins with other bytes"));
        }
        Parsed::Damaged => return Err(bad("its header is damaged")),
    };
    // The version first: the rest of the header of another version may differ.
    let header: Header<serde_json::Value> =
        serde_json::from_slice(payload).map_err(|error| bad(&format!("its header: {error}")))?;
    if header.version != VERSION {
        let (found, known) = (header.version, VERSION);
        return Err(StoreError::Version { file: path.to_owned(), found, known });
    }
    let identity = serde_json::from_value(header.identity)
        .map_err(|error| bad(&format!("its header: {error}")))?;
    Ok((identity, bytes.len() as u64))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn read_bytes(bytes: &[u8]) -> Result<(Identity, u64), StoreError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, bytes).unwrap();
        read(&File::open(&path).unwrap(), &path)
    }

    #[test]
    fn other_files_versions_and_damage_are_told_apart() {
        let identity = Identity {
            model: "brake".to_owned(),
            inputs: vec!["wind".to_owned()],
            outputs: vec!["distance".to_owned()],
            settings: String::new(),
        };
        let good = bytes(&identity);
        assert_eq!(read_bytes(&good).unwrap(), (identity, good.len() as u64));
        let text = |bytes: &[u8]| read_bytes(bytes).unwrap_err().to_string();
        assert!(text(b"").contains("ends within"));
        assert!(text(&good[..20]).contains("ends within"));
        assert!(text(b"wind,gap\n1,2\n").contains("other bytes"));
        let mut damaged = good.clone();
        *damaged.last_mut().unwrap() ^= 1;
        assert!(text(&damaged).contains("damaged"));
        let mut later = Vec::new();
        frame::write(&mut later, MARKER, |out| {
            out.extend_from_slice(br#"{"version":2,"identity":[],"more":1}"#);
        });
        assert!(text(&later).contains("version 2"));
    }
}
