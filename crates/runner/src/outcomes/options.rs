//! How a file of outcomes is to be read, as the options of the commands declare it.

use std::str::FromStr;

use crate::outcomes::text::{listed, shown};

/// Options of every command that reads outcomes. Nothing is guessed: a file that needs one of them is
/// refused with the name of the option.
#[derive(clap::Args, Clone, Debug, Default)]
#[command(next_help_heading = "Reading data")]
pub struct ReadOptions {
    /// CSV: the character between two entries, for example `;`, or `tab` or `space` [default: ,].
    #[arg(long, value_name = "CHARACTER")]
    pub delimiter: Option<Delimiter>,
    /// CSV: the decimal mark, `.` or `,` [default: .].
    #[arg(long, value_name = "CHARACTER")]
    pub decimal: Option<DecimalMark>,
    /// CSV: the second line holds the units of the features; it is left out.
    #[arg(long)]
    pub units_row: bool,
    /// Entries that stand for a missing value, separated by commas, for example `NA,-999`; '' is an
    /// empty entry. Rows that contain one are left out.
    #[arg(long, value_name = "VALUES", value_delimiter = ',')]
    pub missing: Vec<String>,
    /// Read only these columns, in this order. Names the columns of a file without names.
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub columns: Vec<String>,
    /// Other names for columns, as `OLD=NEW` separated by commas; --columns takes the new names.
    #[arg(long, value_name = "OLD=NEW", value_delimiter = ',')]
    pub rename: Vec<Rename>,
}

/// The character between two entries of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Delimiter(pub u8);

impl FromStr for Delimiter {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match (text, text.as_bytes()) {
            ("tab" | "\\t", _) => Ok(Self(b'\t')),
            ("space", _) => Ok(Self(b' ')),
            (_, [b'"' | b'\n' | b'\r']) => Err("a quote or the end of a line cannot be one".into()),
            (_, [byte]) if byte.is_ascii() => Ok(Self(*byte)),
            _ => Err("write one ASCII character, `tab` or `space`".into()),
        }
    }
}

/// The character before the digits of a fraction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DecimalMark {
    /// `1.5`
    #[default]
    Point,
    /// `1,5`
    Comma,
}

impl FromStr for DecimalMark {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "." | "point" => Ok(Self::Point),
            "," | "comma" => Ok(Self::Comma),
            _ => Err("the decimal mark is `.` or `,`".into()),
        }
    }
}

/// Another name for a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rename {
    /// The name in the file.
    pub old: String,
    /// The name that is used.
    pub new: String,
}

impl FromStr for Rename {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.split_once('=') {
            Some((old, new)) if !new.trim().is_empty() => {
                Ok(Self { old: old.trim().to_owned(), new: new.trim().to_owned() })
            }
            _ => Err("write OLD=NEW".into()),
        }
    }
}

/// The columns of a file that are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ChosenColumns {
    /// Their positions in the file, `[d]`.
    pub(super) positions: Vec<usize>,
    /// Their names, `[d]`.
    pub(super) names: Vec<String>,
}

impl ReadOptions {
    /// The columns to read of a file whose columns are called `names`.
    ///
    /// # Errors
    /// When a name is empty, stands over two columns or is that of the index of a data frame, and when
    /// an option names a column that is not there.
    pub(super) fn choose(&self, names: &[String]) -> anyhow::Result<ChosenColumns> {
        let mut names = names.to_vec();
        for Rename { old, new } in &self.rename {
            let i = names.iter().position(|name| name == old);
            let i = i.ok_or_else(|| absent("--rename", old, &names))?;
            names[i].clone_from(new);
        }
        let positions = if self.columns.is_empty() {
            for (i, name) in names.iter().enumerate() {
                anyhow::ensure!(!is_index(name), no_name(i, &names));
            }
            (0..names.len()).collect()
        } else {
            let position = |wanted: &String| {
                let found = names.iter().position(|name| name == wanted.trim());
                found.ok_or_else(|| absent("--columns", wanted, &names))
            };
            self.columns.iter().map(position).collect::<anyhow::Result<Vec<_>>>()?
        };
        for (k, &i) in positions.iter().enumerate() {
            anyhow::ensure!(
                !positions[..k].contains(&i),
                "--columns names `{}` twice",
                shown(&names[i])
            );
            if let Some(other) = (0..names.len()).find(|&j| j != i && names[j] == names[i]) {
                anyhow::bail!(
                    "columns {} and {} are both called `{}`; rename one of them in the file",
                    i.min(other) + 1,
                    i.max(other) + 1,
                    shown(&names[i])
                );
            }
        }
        let names = positions.iter().map(|&i| names[i].clone()).collect();
        Ok(ChosenColumns { positions, names })
    }

    /// Whether `text` stands for a missing value.
    pub(super) fn is_missing(&self, text: &str) -> bool {
        self.missing.iter().any(|missing| missing.trim() == text)
    }

    /// The numbers that stand for a missing value.
    pub(super) fn missing_numbers(&self) -> Vec<f64> {
        self.missing.iter().filter_map(|missing| missing.trim().parse().ok()).collect()
    }
}

/// Whether the column is the index of a data frame: it has no name, or
/// a name that pandas gives to an index.
fn is_index(name: &str) -> bool {
    let pandas = name
        .strip_prefix("Unnamed: ")
        .or_else(|| name.strip_prefix("__index_level_")?.strip_suffix("__"));
    name.is_empty() || pandas.is_some_and(|digits| digits.parse::<usize>().is_ok())
}

fn no_name(position: usize, names: &[String]) -> String {
    let others: Vec<String> = names.iter().filter(|name| !is_index(name)).cloned().collect();
    let name = &names[position];
    let called = match name.as_str() {
        "" => "has no name".to_owned(),
        _ => format!("is called `{}`", shown(name)),
    };
    format!(
        "column {} {called}, as the index of a data frame; leave it out: --columns {}",
        position + 1,
        listed(&others, ",")
    )
}

fn absent(option: &str, name: &str, names: &[String]) -> anyhow::Error {
    anyhow::anyhow!(
        "{option}: there is no column `{}`; the columns are {}",
        shown(name),
        listed(names, ", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(list: &[&str]) -> Vec<String> {
        list.iter().map(|name| (*name).to_owned()).collect()
    }

    fn options(columns: &[&str], rename: &[&str]) -> ReadOptions {
        ReadOptions {
            columns: names(columns),
            rename: rename.iter().map(|text| text.parse().unwrap()).collect(),
            ..ReadOptions::default()
        }
    }

    #[test]
    fn columns_are_chosen_and_renamed() {
        let file = names(&["", "Hs", "date", "tz"]);
        let chosen = options(&["tz", "hs"], &["Hs=hs"]).choose(&file).unwrap();
        assert_eq!((chosen.positions, chosen.names), (vec![3, 1], names(&["tz", "hs"])));
    }

    #[test]
    fn names_that_cannot_be_used_are_refused() {
        let message = |file: &[&str], columns: &[&str], rename: &[&str]| {
            options(columns, rename).choose(&names(file)).unwrap_err().to_string()
        };
        for index in ["", "Unnamed: 0", "__index_level_0__"] {
            let index = message(&[index, "a", "b"], &[], &[]);
            assert!(index.contains("leave it out: --columns a,b"), "{index}");
        }
        let twice = message(&["a", "b", "a"], &[], &[]);
        assert!(twice.contains("columns 1 and 3 are both called `a`"), "{twice}");
        assert!(message(&["a", "b", "a"], &["a"], &[]).contains("both called `a`"));
        assert!(message(&["a", "b"], &["b", "b"], &[]).contains("--columns names `b` twice"));
        assert!(message(&["a", "b"], &["c"], &[]).contains("no column `c`; the columns are a, b"));
        assert!(message(&["a", "b"], &[], &["c=d"]).contains("--rename: there is no column `c`"));
        assert!(message(&["a", "b"], &[], &["a=b"]).contains("both called `b`"));
    }

    #[test]
    fn values_of_the_options() {
        assert_eq!(";".parse(), Ok(Delimiter(b';')));
        assert_eq!("tab".parse(), Ok(Delimiter(b'\t')));
        assert!("ab".parse::<Delimiter>().is_err() && "\n".parse::<Delimiter>().is_err());
        assert_eq!(",".parse(), Ok(DecimalMark::Comma));
        assert!(";".parse::<DecimalMark>().is_err());
        assert!("a".parse::<Rename>().is_err() && "a=".parse::<Rename>().is_err());
    }
}
