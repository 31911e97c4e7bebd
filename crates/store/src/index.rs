//! Where the evaluation of some inputs and a seed is.

use std::collections::HashMap;

/// Inputs and seed, by their exact bits: 128 bits of their BLAKE3 hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key([u8; 16]);

impl Key {
    /// # Shapes
    /// - `inputs`: `[m]`
    pub(crate) fn new(inputs: &[f64], seed: u64) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher.update(&seed.to_le_bytes());
        // One call for many numbers is faster than many calls.
        for inputs in inputs.chunks(64) {
            let mut bytes = [0; 512];
            for (bytes, input) in bytes.as_chunks_mut::<8>().0.iter_mut().zip(inputs) {
                *bytes = input.to_le_bytes();
            }
            hasher.update(&bytes[..8 * inputs.len()]);
        }
        let mut key = [0; 16];
        key.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
        Self(key)
    }
}

/// Offsets of evaluations in the file; of two evaluations of the same, that of the later.
#[derive(Debug, Default)]
pub(crate) struct Index(HashMap<Key, u64>);

impl Index {
    pub(crate) fn insert(&mut self, key: Key, offset: u64) {
        self.0.insert(key, offset);
    }

    pub(crate) fn get(&self, key: Key) -> Option<u64> {
        self.0.get(&key).copied()
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bit_of_inputs_and_seed_counts() {
        let key = Key::new(&[0.1; 100], 7);
        assert_eq!(key, Key::new(&[0.1; 100], 7));
        assert_ne!(key, Key::new(&[0.1; 100], 8));
        assert_ne!(key, Key::new(&[0.1; 99], 7));
        for i in 0..100 {
            let mut other = [0.1_f64; 100];
            other[i] = other[i].next_up();
            assert_ne!(key, Key::new(&other, 7));
        }
        assert_ne!(Key::new(&[0.0], 7), Key::new(&[-0.0], 7));
    }
}
