//! Printing that does not end the work, and messages of one line.
//!
//! A closed standard output (`latent-is … | head -1`) ends the printing and nothing else. Another
//! failure of standard output is kept for the end of the program. A failure of standard error is
//! ignored: there is no place left to report it.

use std::{
    borrow::Cow,
    fmt::Write as _,
    io::{self, ErrorKind, Write as _},
    sync::{Mutex, PoisonError},
};

/// Longest message in characters, without `--verbose`.
const LONGEST: usize = 500;

/// Why standard output can no longer be written to.
static FAILED: Mutex<Option<io::Error>> = Mutex::new(None);

/// Prints a line to standard output, formatted as by `println!`.
macro_rules! print_line {
    ($($arg:tt)*) => {
        $crate::output::terminal::print(&format!("{}\n", format_args!($($arg)*)))
    };
}

/// Prints a line to standard error, formatted as by `eprintln!`.
macro_rules! print_note {
    ($($arg:tt)*) => {
        $crate::output::terminal::note(&format!($($arg)*))
    };
}

pub(crate) use {print_line, print_note};

/// Prints `text` to standard output. Control characters other than line feeds are escaped.
pub fn print(text: &str) {
    let mut failed = FAILED.lock().unwrap_or_else(PoisonError::into_inner);
    if failed.is_none() {
        *failed = io::stdout().write_all(escaped(text).as_bytes()).err();
    }
}

/// Prints a line to standard error. Control characters are escaped.
pub fn note(line: &str) {
    let _ = writeln!(io::stderr(), "{}", escaped(line));
}

/// Ends the printing.
///
/// # Errors
/// Why standard output could not be written to, unless its reader has closed it.
pub fn finish() -> anyhow::Result<()> {
    let mut failed = FAILED.lock().unwrap_or_else(PoisonError::into_inner);
    let error = failed.take().or_else(|| io::stdout().flush().err());
    match error {
        Some(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(anyhow::Error::new(error).context("cannot write to standard output"))
        }
        _ => Ok(()),
    }
}

/// The message of an error: one line with all causes. With `verbose`, each cause follows in full.
pub fn message(error: &anyhow::Error, verbose: bool) -> String {
    let line = escaped(&one_line(&causes(error))).into_owned();
    if verbose {
        let mut text = line;
        for cause in error.chain() {
            let _ = write!(text, "\n\n{}", escaped(cause.to_string().trim_end()));
        }
        return text;
    }
    let length = line.chars().count();
    if length <= LONGEST {
        return line;
    }
    let begin: String = line.chars().take(LONGEST).collect();
    format!("{begin}… ({} more characters; --verbose shows them)", length - LONGEST)
}

/// An error with its causes, each of them once: many a library repeats the cause in the error.
fn causes(error: &anyhow::Error) -> String {
    let mut text = String::new();
    for cause in error.chain() {
        let cause = cause.to_string();
        if text.is_empty() {
            text = cause;
        } else if !text.contains(cause.trim_end()) {
            let _ = write!(text, ": {cause}");
        }
    }
    text
}

/// The lines of a message as one, without excerpts of files (`3 | [[box`).
fn one_line(text: &str) -> String {
    let excerpt = |line: &&str| {
        line.trim_start().trim_start_matches(char::is_numeric).trim_start().starts_with('|')
    };
    // A cause that is an excerpt alone leaves the colon before it.
    let lines = text.lines().filter(|line| !excerpt(line));
    let lines = lines.map(|line| line.trim().trim_end_matches(':'));
    lines.filter(|line| !line.is_empty()).collect::<Vec<_>>().join(": ")
}

/// The text with control characters, and characters that change the direction of writing, as `\u{…}`.
/// Line feeds and tabs stay.
pub fn escaped(text: &str) -> Cow<'_, str> {
    let hidden = |c: char| {
        (c.is_control() && c != '\n' && c != '\t')
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if !text.contains(hidden) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if hidden(c) {
            shown.extend(c.escape_unicode());
        } else {
            shown.push(c);
        }
    }
    Cow::Owned(shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_one_line_without_control_characters() {
        let toml = toml::from_str::<toml::Table>("a = 1\n[[box\n").unwrap_err();
        let error = anyhow::Error::new(toml).context("cannot read c\x1b[31m.toml");
        let text = message(&error, false);
        assert!(text.starts_with("cannot read c\\u{1b}[31m.toml: "), "{text}");
        assert!(text.contains("line 2") && !text.contains('\n') && !text.contains('|'), "{text}");
        let verbose = message(&error, true);
        assert!(verbose.starts_with(&text) && verbose.contains("2 | [[box"), "{verbose}");
    }

    #[test]
    fn a_long_message_is_cut() {
        let error = anyhow::anyhow!("{}", "ä".repeat(1_000_000));
        let text = message(&error, false);
        assert!(text.chars().count() < 600 && text.contains("999500 more characters"), "{text}");
        assert_eq!(message(&anyhow::anyhow!("short"), false), "short");
    }
}
