//! A checksum inside the bytes of a file.

/// What a file contains in the place of its checksum before [`seal`]: 64 zeros, in an entry
/// `"checksum":"…"` of JSON.
pub const PLACEHOLDER: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// The entry up to the checksum.
const ENTRY: &[u8] = b"\"checksum\":\"";

/// The first 16 hexadecimal digits of the BLAKE3 hash of all `parts` in order.
pub fn digest(parts: &[&[u8]]) -> String {
    let mut hasher = blake3::Hasher::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().to_hex()[..16].to_owned()
}

/// Replaces the [`PLACEHOLDER`] by the BLAKE3 hash of the bytes. Bytes without one stay as they are.
pub fn seal(bytes: &mut [u8]) {
    let hash = blake3::hash(bytes).to_hex();
    if let Some(at) = place(bytes)
        && bytes[at..at + PLACEHOLDER.len()] == *PLACEHOLDER.as_bytes()
    {
        bytes[at..at + PLACEHOLDER.len()].copy_from_slice(hash.as_bytes());
    }
}

/// Whether the bytes are what [`seal`] made, to the last bit.
pub fn verify(bytes: &[u8]) -> bool {
    let Some(at) = place(bytes) else { return false };
    let (before, rest) = bytes.split_at(at);
    let (checksum, after) = rest.split_at(PLACEHOLDER.len());
    let mut hasher = blake3::Hasher::new();
    hasher.update(before).update(PLACEHOLDER.as_bytes()).update(after);
    hasher.finalize().to_hex().as_bytes() == checksum
}

/// Where the checksum begins.
fn place(bytes: &[u8]) -> Option<usize> {
    let at = bytes.windows(ENTRY.len()).position(|window| window == ENTRY)? + ENTRY.len();
    (bytes.len() >= at + PLACEHOLDER.len()).then_some(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_changed_byte_is_noticed() {
        let mut bytes = format!("{{\"checksum\":\"{PLACEHOLDER}\",\"n\":12}}").into_bytes();
        seal(&mut bytes);
        assert!(verify(&bytes));
        for i in 0..bytes.len() {
            bytes[i] ^= 1;
            assert!(!verify(&bytes), "{i}");
            bytes[i] ^= 1;
        }
        assert!(
            !verify(&bytes[..bytes.len() - 1]) && !verify(b"") && !verify(b"\"checksum\":\"12")
        );
        assert_ne!(digest(&[b"a", b"b"]), digest(&[b"b", b"a"]));
    }
}
