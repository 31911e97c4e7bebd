//! Frames: pieces of a file that carry their length and a checksum.
//!
//! | bytes | content |
//! | --- | --- |
//! | 4 | marker |
//! | 4 | length of the payload, little-endian |
//! | 8 | first bytes of the BLAKE3 hash of the eight bytes before and the payload |
//! | length | payload |
//!
//! The marker lets a reader find the next frame after a damaged one.

/// Bytes before the payload.
pub(crate) const HEAD: usize = 16;

/// The kind of a frame.
pub(crate) type Marker = [u8; 4];

/// Appends a frame to `out`. `fill` appends the payload.
pub(crate) fn write(out: &mut Vec<u8>, marker: Marker, fill: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend_from_slice(&marker);
    out.extend_from_slice(&[0; HEAD - 4]);
    fill(out);
    let length = (out.len() - start - HEAD) as u32;
    out[start + 4..start + 8].copy_from_slice(&length.to_le_bytes());
    let sum = checksum(&out[start..start + 8], &out[start + HEAD..]);
    out[start + 8..start + HEAD].copy_from_slice(&sum);
}

/// What the first bytes of `bytes` are.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Parsed<'a> {
    /// A whole frame with this payload.
    Frame(&'a [u8]),
    /// Perhaps a frame; this many bytes are needed to tell.
    Needs(usize),
    /// No frame.
    Damaged,
}

/// Reads the frame at the beginning of `bytes`, whose payload has `min..=max` bytes.
pub(crate) fn parse(bytes: &[u8], marker: Marker, min: usize, max: usize) -> Parsed<'_> {
    let known = bytes.len().min(4);
    if bytes[..known] != marker[..known] {
        return Parsed::Damaged;
    }
    if bytes.len() < HEAD {
        return Parsed::Needs(HEAD);
    }
    let length = u32::from_le_bytes([bytes[4], bytes[5], bytes[6], bytes[7]]) as usize;
    if !(min..=max).contains(&length) {
        return Parsed::Damaged;
    }
    let Some(payload) = bytes.get(HEAD..HEAD + length) else {
        return Parsed::Needs(HEAD + length);
    };
    if checksum(&bytes[..8], payload) == bytes[8..HEAD] {
        Parsed::Frame(payload)
    } else {
        Parsed::Damaged
    }
}

fn checksum(head: &[u8], payload: &[u8]) -> [u8; 8] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(head).update(payload);
    let mut sum = [0; 8];
    sum.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    const MARKER: Marker = *b"TEST";

    #[test]
    fn a_frame_is_itself_and_nothing_else() {
        let mut bytes = Vec::new();
        write(&mut bytes, MARKER, |out| out.extend_from_slice(b"payload"));
        assert_eq!(parse(&bytes, MARKER, 0, 100), Parsed::Frame(b"payload"));
        // Every part of it asks for more, and never for more than the whole.
        for n in 0..bytes.len() {
            let Parsed::Needs(needs) = parse(&bytes[..n], MARKER, 0, 100) else { panic!("{n}") };
            assert!(n < needs && needs <= bytes.len());
        }
        // Every flipped bit is noticed: as damage, or as a length beyond the end.
        for bit in 0..8 * bytes.len() {
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(!matches!(parse(&bytes, MARKER, 0, 100), Parsed::Frame(_)), "{bit}");
            bytes[bit / 8] ^= 1 << (bit % 8);
        }
        assert_eq!(parse(&bytes, MARKER, 8, 100), Parsed::Damaged);
        assert_eq!(parse(&bytes, *b"ELSE", 0, 100), Parsed::Damaged);
    }
}
