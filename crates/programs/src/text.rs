//! Texts in messages.

/// The beginning of what a program wrote, in quotes.
pub(crate) fn quote(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let short: String = text.chars().take(120).collect();
    let dots = if short.len() < text.len() { " …" } else { "" };
    format!("`{}{dots}`", short.escape_debug())
}

/// Names in quotes, separated by commas; the first few of many.
pub(crate) fn join(names: &[&str]) -> String {
    let mut text: Vec<String> = names.iter().take(5).map(|name| format!("`{name}`")).collect();
    if names.len() > 5 {
        text.push(format!("{} more", names.len() - 5));
    }
    text.join(", ")
}

/// A message with the last lines of standard error below it.
pub(crate) fn with_last_words(message: &str, last: &str) -> String {
    if last.is_empty() {
        format!("{message}; its standard error is empty")
    } else {
        format!("{message}; the end of its standard error:\n{last}")
    }
}
