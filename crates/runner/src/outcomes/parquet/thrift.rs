//! A walk over structures in the compact protocol of Apache Thrift, in which Parquet stores its
//! footer and the headers of its pages.
//!
//! The reader of the crate `parquet` skips what it does not know, and a map that claims many entries
//! of no size keeps it busy for ever. So all structures are walked here first: each element takes at
//! least one byte of the file, there are no maps (Parquet has none), and structures are not nested
//! deeply.
//!
//! # References
//! - Apache Thrift, *Thrift Compact protocol encoding*.

use std::collections::BTreeMap;

use anyhow::Context;

/// Deepest nesting of structures and lists.
const DEPTH: usize = 32;

/// Integers of a structure and of the structures directly in it, by the two field numbers; the
/// second is 0 for a field of the outer structure. A structure itself is there with its number and 0.
pub(super) type Integers = BTreeMap<(i64, i64), i64>;

/// A position in the bytes of a structure.
#[derive(Debug)]
pub(super) struct Thrift<'a> {
    bytes: &'a [u8],
    /// The next byte to read.
    pub(super) at: usize,
}

impl<'a> Thrift<'a> {
    /// The beginning of `bytes`.
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// Walks over a structure and returns its integers.
    pub(super) fn structure(&mut self) -> anyhow::Result<Integers> {
        let mut integers = Integers::new();
        self.fields(0, &mut |thrift, kind, field, depth| {
            let value = match kind {
                12 => {
                    thrift.fields(depth, &mut |thrift, kind, inner, depth| {
                        if let Some(value) = thrift.value(kind, depth)? {
                            let known = integers.insert((field, inner), value);
                            anyhow::ensure!(known.is_none(), "a field is there twice");
                        }
                        Ok(())
                    })?;
                    Some(0)
                }
                _ => thrift.value(kind, depth)?,
            };
            let known = value.and_then(|value| integers.insert((field, 0), value));
            anyhow::ensure!(known.is_none(), "a field is there twice");
            Ok(())
        })?;
        Ok(integers)
    }

    /// Calls `each` with the type and the number of each field of a structure; it walks over the value.
    fn fields(
        &mut self,
        depth: usize,
        each: &mut dyn FnMut(&mut Self, u8, i64, usize) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        anyhow::ensure!(depth < DEPTH, "structures are nested too deeply");
        let mut field = 0_i64;
        loop {
            let byte = self.byte()?;
            let (step, kind) = (byte >> 4, byte & 15);
            if kind == 0 {
                return Ok(());
            }
            field = if step == 0 { self.integer()? } else { field.saturating_add(step.into()) };
            each(self, kind, field, depth + 1)?;
        }
    }

    /// Walks over a value of this type; returns it if it is an integer.
    fn value(&mut self, kind: u8, depth: usize) -> anyhow::Result<Option<i64>> {
        match kind {
            // A boolean field has its value in the type.
            1 | 2 => {}
            3 => {
                self.byte()?;
            }
            4..=6 => return self.integer().map(Some),
            7 => self.skip(8)?,
            8 => {
                let len = self.varint()?;
                self.skip(len)?;
            }
            9 | 10 => self.list(depth)?,
            12 => self.fields(depth, &mut |thrift, kind, _, depth| {
                thrift.value(kind, depth).map(|_| ())
            })?,
            _ => anyhow::bail!("a field has the unknown type {kind}"),
        }
        Ok(None)
    }

    fn list(&mut self, depth: usize) -> anyhow::Result<()> {
        anyhow::ensure!(depth < DEPTH, "lists are nested too deeply");
        let byte = self.byte()?;
        let len = match byte >> 4 {
            15 => self.varint()?,
            len => len.into(),
        };
        for _ in 0..len {
            match byte & 15 {
                // A boolean in a list takes one byte.
                1 | 2 => self.skip(1)?,
                kind => {
                    self.value(kind, depth + 1)?;
                }
            }
        }
        Ok(())
    }

    fn byte(&mut self) -> anyhow::Result<u8> {
        let byte = *self.bytes.get(self.at).context("a structure is cut off")?;
        self.at += 1;
        Ok(byte)
    }

    fn skip(&mut self, len: u64) -> anyhow::Result<()> {
        let left = (self.bytes.len() - self.at) as u64;
        anyhow::ensure!(len <= left, "a structure is cut off");
        self.at += len as usize;
        Ok(())
    }

    fn varint(&mut self) -> anyhow::Result<u64> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(value);
            }
        }
        anyhow::bail!("an integer has too many digits")
    }

    fn integer(&mut self) -> anyhow::Result<i64> {
        let value = self.varint()?;
        Ok((value >> 1) as i64 ^ -((value & 1) as i64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_found_and_the_end_too() {
        // Field 1: 4; field 3: a structure with field 1: -1 and field 2: a binary; the end.
        let bytes = [0x15, 8, 0x2c, 0x15, 1, 0x18, 2, 7, 7, 0, 0, 99];
        let mut thrift = Thrift::new(&bytes);
        let integers = thrift.structure().unwrap();
        assert_eq!(integers, [((1, 0), 4), ((3, 0), 0), ((3, 1), -1)].into());
        assert_eq!(thrift.at, 11);
    }

    #[test]
    fn hostile_structures_end_with_an_error() {
        let long = [0x19, 0xf1, 0xff, 0xff, 0xff, 0xff, 0x7f, 0, 0];
        let cases: [(&[u8], &str); 6] = [
            (&[0x1b, 0xff, 0xff, 0xff, 0xff, 0x7f, 0x11], "unknown type 11"),
            (&long, "cut off"),
            (&[0x18, 0xff, 0xff, 0x7f], "cut off"),
            (&[0x15, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1], "digits"),
            (&[0x1c; 500], "nested too deeply"),
            (&[0x15, 2, 0x05, 2, 2, 0], "twice"),
        ];
        for (bytes, expected) in cases {
            let error = Thrift::new(bytes).structure().unwrap_err().to_string();
            assert!(error.contains(expected), "{bytes:?}: {error}");
        }
    }
}
