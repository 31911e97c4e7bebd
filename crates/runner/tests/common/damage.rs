//! Damage to the bytes of files, as properties choose it.

use proptest::{collection::vec, prelude::*, sample::Index};

/// One change of some bytes.
#[derive(Clone, Debug)]
pub(crate) enum Damage {
    /// Other values for bytes: numbers that are often wrong, and any.
    Overwrite(Index, Vec<u8>),
    /// Bits turned over.
    Flip(Index, u8),
    /// The rest is not there.
    Cut(Index),
    /// Bytes are not there.
    Remove(Index, usize),
    /// Bytes stand there twice.
    Repeat(Index, usize),
}

/// One to four changes.
pub(crate) fn damage() -> impl Strategy<Value = Vec<Damage>> {
    let numbers = prop_oneof![
        prop::sample::select(vec![0_i64, 1, -1, 1 << 20, 1 << 31, 1 << 40, i64::MAX, i64::MIN]),
        any::<i64>(),
    ];
    let bytes = prop_oneof![
        (numbers, 1..9_usize).prop_map(|(number, len)| number.to_le_bytes()[..len].to_vec()),
        vec(any::<u8>(), 1..9),
    ];
    let one = prop_oneof![
        4 => (any::<Index>(), bytes).prop_map(|(at, bytes)| Damage::Overwrite(at, bytes)),
        3 => (any::<Index>(), 1..=255_u8).prop_map(|(at, bits)| Damage::Flip(at, bits)),
        1 => any::<Index>().prop_map(Damage::Cut),
        1 => (any::<Index>(), 1..40_usize).prop_map(|(at, len)| Damage::Remove(at, len)),
        1 => (any::<Index>(), 1..40_usize).prop_map(|(at, len)| Damage::Repeat(at, len)),
    ];
    vec(one, 1..5)
}

/// The bytes with the changes.
pub(crate) fn damaged(good: &[u8], changes: &[Damage]) -> Vec<u8> {
    let mut bytes = good.to_vec();
    for change in changes {
        if bytes.is_empty() {
            break;
        }
        let n = bytes.len();
        let range = |at: &Index, len: usize| at.index(n)..(at.index(n) + len).min(n);
        match change {
            Damage::Overwrite(at, new) => {
                let range = range(at, new.len());
                let len = range.len();
                bytes[range].copy_from_slice(&new[..len]);
            }
            Damage::Flip(at, bits) => bytes[at.index(n)] ^= bits,
            Damage::Cut(at) => bytes.truncate(at.index(n)),
            Damage::Remove(at, len) => drop(bytes.drain(range(at, *len))),
            Damage::Repeat(at, len) => {
                let repeated = bytes[range(at, *len)].to_vec();
                let at = at.index(n);
                bytes.splice(at..at, repeated);
            }
        }
    }
    bytes
}
