//! The text of a file, and pieces of it in messages.

use std::path::Path;

use anyhow::Context;

/// Most characters of a piece of a file in a message.
const SHOWN: usize = 40;
/// Most names in a message.
const LISTED: usize = 20;

/// Reads a text file in UTF-8, or in UTF-16 if it begins with a byte order mark.
///
/// # Errors
/// When the file cannot be read, is empty, or is in another encoding.
pub(super) fn read(path: &Path) -> anyhow::Result<String> {
    let bytes = std::fs::read(path)?;
    anyhow::ensure!(!bytes.is_empty(), "it is empty");
    let utf16 = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        let (pairs, rest) = bytes.as_chunks::<2>();
        let units: Vec<u16> = pairs.iter().map(|pair| unit(*pair)).collect();
        let text = String::from_utf16(&units).ok().filter(|_| rest.is_empty());
        text.context("it begins as UTF-16, but is damaged; save it in UTF-8")
    };
    match &bytes[..] {
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => utf8(rest),
        all => utf8(all),
    }
}

fn utf8(bytes: &[u8]) -> anyhow::Result<String> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let line = bytes[..error.valid_up_to()].split(|byte| *byte == b'\n').count();
        anyhow::anyhow!(
            "line {line} is not UTF-8; save the file in UTF-8, or in UTF-16 with a mark"
        )
    })?;
    Ok(text.to_owned())
}

/// The line at the byte `position`, as editors count it. At the end of a line it is the next line
/// with an entry: the reader of CSV gives the position before it.
pub(super) fn line_at(text: &str, position: usize) -> usize {
    let rest = text.get(position..).unwrap_or_default();
    let begin = position + rest.len() - rest.trim_start_matches(['\r', '\n']).len();
    text.get(..begin).unwrap_or(text).matches('\n').count() + 1
}

/// A piece of a file for a message: without control characters, and cut.
pub(crate) fn shown(text: &str) -> String {
    let mut short: String = text.chars().take(SHOWN).flat_map(char::escape_debug).collect();
    if text.chars().nth(SHOWN).is_some() {
        short.push('…');
    }
    short
}

/// Names for a message.
pub(crate) fn listed(names: &[String], separator: &str) -> String {
    let mut list: Vec<String> = names.iter().take(LISTED).map(|name| shown(name)).collect();
    if names.len() > LISTED {
        list.push(format!("… ({} in all)", names.len()));
    }
    list.join(separator)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_of_a_file_are_cut_and_escaped() {
        assert_eq!(shown("a\u{1b}[31m\n"), "a\\u{1b}[31m\\n");
        assert_eq!(shown(&"ab".repeat(500)).chars().count(), SHOWN + 1);
        assert!(listed(&vec!["a".to_owned(); 5000], ", ").ends_with("… (5000 in all)"));
    }

    #[test]
    fn lines_are_those_of_an_editor() {
        let text = "a\r\nb\r\n\r\nc";
        assert_eq!([0, 1, 3, 4, 8].map(|at| line_at(text, at)), [1, 2, 2, 4, 4]);
    }
}
