//! Tables as CSV: a header with the names, then one line per sample.

use std::fmt::Write;

/// A CSV table with the column `seed` and one per input.
///
/// # Shapes
/// - `rows`: one sample after the other, `[m]` each
pub(crate) fn write<'a>(names: &[String], rows: impl Iterator<Item = (u64, &'a [f64])>) -> String {
    let mut out = String::from("seed");
    for name in names {
        out.push(',');
        if name.contains([',', '"', '\n', '\r']) {
            let _ = write!(out, "\"{}\"", name.replace('"', "\"\""));
        } else {
            out.push_str(name);
        }
    }
    out.push('\n');
    for (seed, row) in rows {
        let _ = write!(out, "{seed}");
        for value in row {
            // The shortest digits that give the same number back.
            let _ = write!(out, ",{value:?}");
        }
        out.push('\n');
    }
    out
}

/// The fields of all lines that are not empty.
pub(crate) fn read(text: &str) -> Result<Vec<Vec<String>>, String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let (mut lines, mut line, mut field) = (Vec::new(), Vec::new(), String::new());
    let mut characters = text.chars().peekable();
    let mut quoted = false;
    while let Some(c) = characters.next() {
        match c {
            '"' if quoted && characters.peek() == Some(&'"') => {
                characters.next();
                field.push('"');
            }
            '"' if quoted || field.trim().is_empty() => quoted = !quoted,
            _ if quoted => field.push(c),
            ',' => line.push(std::mem::take(&mut field)),
            '\n' => {
                line.push(std::mem::take(&mut field));
                lines.push(std::mem::take(&mut line));
            }
            '\r' => {}
            _ => field.push(c),
        }
    }
    if quoted {
        return Err("a quoted field does not end".to_owned());
    }
    line.push(field);
    lines.push(line);
    lines.retain(|line| line.len() > 1 || !line[0].trim().is_empty());
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_written_and_read() {
        let names = ["wind".to_owned(), "a,\"b\"".to_owned()];
        let rows = [(u64::MAX, [0.1, -2.0].as_slice()), (0, &[1e-300, f64::NAN])];
        let text = write(&names, rows.into_iter());
        assert_eq!(
            text,
            "seed,wind,\"a,\"\"b\"\"\"\n18446744073709551615,0.1,-2.0\n0,1e-300,NaN\n"
        );
        let back = read(&text).unwrap();
        assert_eq!(back[0], ["seed", "wind", "a,\"b\""]);
        assert_eq!(back[2], ["0", "1e-300", "NaN"]);
        assert_eq!(read("\u{feff}a,b\r\n\n1,\"x\ny\"").unwrap()[1], ["1", "x\ny"]);
        assert!(read("a\n\"b").is_err());
    }
}
