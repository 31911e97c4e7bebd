//! What is wrong with a TOML file, and in which line.

/// The error of a text that is not what it should be, in one line; its cause is the line of the text.
/// `what` names the file, `mend` follows the message.
pub(crate) fn toml_error(
    error: &toml::de::Error,
    text: &str,
    what: &str,
    mend: &str,
) -> anyhow::Error {
    let begin = error.span().map_or(0, |span| span.start);
    let line = text.get(..begin).unwrap_or_default().matches('\n').count() + 1;
    let excerpt = text.lines().nth(line - 1).unwrap_or_default();
    anyhow::anyhow!("\n{line} | {excerpt}").context(format!(
        "cannot read {what}, line {line}: {}{mend}",
        error.message().replace('\n', ", ")
    ))
}
