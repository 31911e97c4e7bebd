//! JSON as programs write it.

use std::borrow::Cow;

use serde::de::DeserializeOwned;

/// What Python and the UM-Bridge server of PyPI write for numbers that JSON has no form for.
const NOT_FINITE: [&str; 6] = ["NaN", "Infinity", "-Infinity", "nan", "inf", "-inf"];

/// Reads JSON. Each of [`NOT_FINITE`] counts as `null`.
pub(crate) fn parse<T: DeserializeOwned>(text: &str) -> Result<T, serde_json::Error> {
    serde_json::from_str(text).or_else(|error| match nulls(text) {
        Cow::Borrowed(_) => Err(error),
        Cow::Owned(text) => serde_json::from_str(&text),
    })
}

fn nulls(text: &str) -> Cow<'_, str> {
    let mut out = String::new();
    let (mut copied, mut at, mut quoted) = (0, 0, false);
    while at < text.len() {
        let rest = &text.as_bytes()[at..];
        let word = NOT_FINITE.into_iter().find(|word| !quoted && rest.starts_with(word.as_bytes()));
        if let Some(word) = word {
            out.push_str(&text[copied..at]);
            out.push_str("null");
            at += word.len();
            copied = at;
            continue;
        }
        match rest[0] {
            b'\\' if quoted => at += 1,
            b'"' => quoted = !quoted,
            _ => {}
        }
        at += 1;
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    out.push_str(&text[copied..]);
    Cow::Owned(out)
}

/// Appends a number; one that is not finite as `null`.
pub(crate) fn push_number(out: &mut String, value: f64) {
    use std::fmt::Write;
    if value.is_finite() {
        // The shortest digits that give the same number back.
        let _ = write!(out, "{value:?}");
    } else {
        out.push_str("null");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pythons_nan_is_null_but_not_in_texts() {
        let read = |text: &str| parse::<serde_json::Value>(text).map(|value| value.to_string());
        assert_eq!(read("[NaN, -Infinity,Infinity, 1]").unwrap(), "[null,null,null,1]");
        assert_eq!(read("[nan, -inf,inf, null]").unwrap(), "[null,null,null,null]");
        assert_eq!(read(r#"{"NaN \" NaN": NaN}"#).unwrap(), r#"{"NaN \" NaN":null}"#);
        assert!(read("[Nan]").is_err() && read("[NaN").is_err() && read(r#""NaN"#).is_err());
    }

    #[test]
    fn numbers_come_back_with_all_bits() {
        for value in [0.1, -0.0, 1e-310, f64::MAX, 1e16, 123456789.0, 1.0 / 3.0] {
            let mut text = String::new();
            push_number(&mut text, value);
            let back: f64 = parse(&text).unwrap();
            assert_eq!(back.to_bits(), value.to_bits(), "{text}");
        }
    }
}
