//! The words of an expression.

/// A word of an expression.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    /// A number without a sign.
    Number(f64),
    /// The name of a feature or a function.
    Name(String),
    /// A name in braces: always a feature.
    Braced(String),
    /// One of `+ - * / ^ ( ) ,`.
    Symbol(char),
    /// A comparison.
    Compare(Comparison),
}

/// How the two sides of an expression are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Comparison {
    /// `>` or `>=`, otherwise `<` or `<=`.
    pub(super) greater: bool,
    /// Without equality.
    pub(super) strict: bool,
}

/// Why there is no second comparison.
pub(super) const ONE_COMPARISON: &str = "an expression has one comparison; combine expressions with \
    [[intersection]], [[outside]] or [[k_out_of_n]]";

/// A word and where it begins: the number of characters before it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Placed {
    pub(super) token: Token,
    pub(super) at: usize,
}

/// Divides `text` into its words.
///
/// # Errors
/// Names the character that belongs to no word.
pub(super) fn tokens(text: &str) -> Result<Vec<Placed>, String> {
    let chars: Vec<char> = text.chars().collect();
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(&first) = chars.get(at) {
        if first.is_whitespace() {
            at += 1;
            continue;
        }
        let (token, length) = next(&chars[at..]).map_err(|message| placed(at, &message))?;
        tokens.push(Placed { token, at });
        at += length;
    }
    Ok(tokens)
}

/// A message about the place after `at` characters.
pub(super) fn placed(at: usize, message: &str) -> String {
    format!("character {}: {message}", at + 1)
}

/// The word at the beginning of `chars`, and its length.
fn next(chars: &[char]) -> Result<(Token, usize), String> {
    let first = chars[0];
    if first.is_ascii_digit() || first == '.' {
        return number(chars);
    }
    if first.is_alphabetic() || first == '_' {
        let length = count(chars, |c| c.is_alphanumeric() || c == '_' || c == '.');
        return Ok((Token::Name(chars[..length].iter().collect()), length));
    }
    if first == '{' {
        let Some(end) = chars.iter().position(|c| *c == '}') else {
            return Err("there is no closing brace".to_owned());
        };
        let name: String = chars[1..end].iter().collect();
        return Ok((Token::Braced(name.trim().to_owned()), end + 1));
    }
    let compare = |greater, strict| Token::Compare(Comparison { greater, strict });
    let pair = chars.get(..2).unwrap_or_default();
    match (first, pair) {
        (_, ['>', '=']) => Ok((compare(true, false), 2)),
        (_, ['<', '=']) => Ok((compare(false, false), 2)),
        ('≥', _) => Ok((compare(true, false), 1)),
        ('≤', _) => Ok((compare(false, false), 1)),
        ('>', _) => Ok((compare(true, true), 1)),
        ('<', _) => Ok((compare(false, true), 1)),
        (_, ['*', '*']) => Ok((Token::Symbol('^'), 2)),
        ('+' | '-' | '*' | '/' | '^' | '(' | ')' | ',', _) => Ok((Token::Symbol(first), 1)),
        ('=', _) => Err("equality has no probability here; compare with <= or >=".to_owned()),
        ('&' | '|' | '!', _) => Err(ONE_COMPARISON.to_owned()),
        _ => Err(format!("`{first}` has no meaning here")),
    }
}

/// A number such as `75`, `.5` or `1.5e-3`.
fn number(chars: &[char]) -> Result<(Token, usize), String> {
    let mut length = count(chars, |c| c.is_ascii_digit() || c == '.');
    if matches!(chars.get(length), Some('e' | 'E')) {
        let sign = usize::from(matches!(chars.get(length + 1), Some('+' | '-')));
        let digits = count(&chars[(length + 1 + sign).min(chars.len())..], |c| c.is_ascii_digit());
        if digits > 0 {
            length += 1 + sign + digits;
        }
    }
    // `2x` and `1_000` are mistakes, not a number and a name.
    let whole = length + count(&chars[length..], |c| c.is_alphanumeric() || c == '_' || c == '.');
    let text: String = chars[..whole].iter().collect();
    match text.parse() {
        Ok(value) if f64::is_finite(value) => Ok((Token::Number(value), whole)),
        _ => Err(format!("`{text}` is not a number; write products with *")),
    }
}

fn count(chars: &[char], belongs: impl Fn(char) -> bool) -> usize {
    chars.iter().take_while(|c| belongs(**c)).count()
}
