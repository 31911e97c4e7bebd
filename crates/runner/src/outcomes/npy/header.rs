//! The header of a NumPy file.

use std::io::Read;

use anyhow::Context;

use crate::outcomes::number::{NumberKind, NumberType};

/// The first bytes of a file.
pub(super) const MAGIC: &[u8; 6] = b"\x93NUMPY";
/// Longest header: NumPy's own limit.
const LONGEST: u64 = 10_000;

/// What the header of a file says.
#[derive(Debug)]
pub(super) struct Header {
    /// The type of the numbers.
    pub(super) number: NumberType,
    /// Whether the numbers of a column, not those of a row, follow each other.
    pub(super) column_major: bool,
    /// Number of rows.
    pub(super) n: usize,
    /// Number of columns.
    pub(super) d: usize,
}

impl Header {
    /// Reads up to the end of the header. Returns the number of bytes that were read, too.
    pub(super) fn read(file: &mut impl Read) -> anyhow::Result<(Self, u64)> {
        let broken = "it is truncated or not a NumPy file";
        let mut begin = [0; 8];
        file.read_exact(&mut begin).context(broken)?;
        anyhow::ensure!(begin.starts_with(MAGIC), broken);
        // Version 1 stores the length in two bytes, later versions in four.
        let mut len = [0; 4];
        let bytes = if begin[6] == 1 { 2 } else { 4 };
        file.read_exact(&mut len[..bytes]).context(broken)?;
        let len = u64::from(u32::from_le_bytes(len));
        anyhow::ensure!(len <= LONGEST, "{broken}: its header is too long");
        let mut text = String::new();
        file.take(len).read_to_string(&mut text).context(broken)?;
        anyhow::ensure!(text.len() as u64 == len, broken);
        Ok((Self::parse(&text)?, 8 + bytes as u64 + len))
    }

    fn parse(text: &str) -> anyhow::Result<Self> {
        let broken = || format!("the header is damaged: {}", text.trim_end());
        let shape: Vec<usize> = value(text, "shape")
            .and_then(|text| text.strip_prefix('(')?.split_once(')'))
            .and_then(|(list, _)| {
                let numbers = list.split(',').map(str::trim).filter(|number| !number.is_empty());
                numbers.map(|number| number.parse().ok()).collect()
            })
            .with_context(broken)?;
        let (n, d) = match shape[..] {
            [n] => (n, 1),
            [n, d] => (n, d),
            _ => anyhow::bail!(
                "the array has shape {shape:?}; it must have two axes, outcomes and features, or one"
            ),
        };
        let order = value(text, "fortran_order").with_context(broken)?;
        let column_major = match order.split(|c: char| !c.is_alphabetic()).next() {
            Some("True") => true,
            Some("False") => false,
            _ => anyhow::bail!(broken()),
        };
        let number = number_type(value(text, "descr").with_context(broken)?)?;
        Ok(Self { number, column_major, n, d })
    }
}

/// The type of the numbers of `'<f8'` and the like.
fn number_type(text: &str) -> anyhow::Result<NumberType> {
    let descr = text.get(1..).and_then(|rest| rest.split(['\'', '"']).next()).unwrap_or_default();
    let refused =
        |what: &str| anyhow::anyhow!("the array has {what}, not numbers; save `x.astype(float)`");
    let Some((order @ ('<' | '>' | '|'), rest)) = descr.chars().next().zip(descr.get(1..)) else {
        return Err(refused("several fields or an unknown type"));
    };
    let (kind, width) = match (rest.get(..1), rest.get(1..).map(str::parse)) {
        (Some("f"), Some(Ok(width @ (2 | 4 | 8)))) => (NumberKind::Float, width),
        (Some("i"), Some(Ok(width @ (1 | 2 | 4 | 8)))) => (NumberKind::Signed, width),
        (Some("u"), Some(Ok(width @ (1 | 2 | 4 | 8)))) => (NumberKind::Unsigned, width),
        (Some("b"), Some(Ok(1))) => (NumberKind::Boolean, 1),
        (Some("f"), _) => return Err(refused("numbers of extended precision")),
        (Some("c"), _) => return Err(refused("complex numbers")),
        (Some("M" | "m"), _) => return Err(refused("dates or durations")),
        (Some("U" | "S" | "a"), _) => return Err(refused("text")),
        (Some("O"), _) => return Err(refused("Python objects")),
        _ => return Err(refused("several fields or an unknown type")),
    };
    anyhow::ensure!(order != '|' || width == 1, "the header is damaged: the numbers have no order");
    Ok(NumberType { kind, width, big_endian: order == '>' })
}

/// The text that begins with the value of `key`.
fn value<'a>(header: &'a str, key: &str) -> Option<&'a str> {
    let quoted = [format!("'{key}'"), format!("\"{key}\"")];
    let rest = quoted.iter().find_map(|key| Some(header.split_once(key)?.1))?;
    Some(rest.trim_start().strip_prefix(':')?.trim_start())
}
