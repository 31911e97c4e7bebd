//! Outcomes as separated values: a line of feature names, then one line per outcome.

use std::{fs::File, path::Path};

use ::csv::{ReaderBuilder, StringRecord, Trim, Writer};
use nalgebra::DMatrix;

use crate::outcomes::{
    options::{ChosenColumns, DecimalMark, Delimiter, ReadOptions},
    table::{OutcomeTable, RawTable},
    text::{self, line_at, shown},
};

/// Characters that separate entries in files that are not separated by commas.
const OTHER_DELIMITERS: [(char, &str); 3] = [(';', "';'"), ('\t', "tab"), ('|', "'|'")];

pub(super) fn read(path: &Path, options: &ReadOptions) -> anyhow::Result<OutcomeTable> {
    let text = text::read(path)?;
    let delimiter = options.delimiter.unwrap_or(Delimiter(b','));
    let decimal = options.decimal.unwrap_or_default();
    anyhow::ensure!(
        !(delimiter.0 == b',' && decimal == DecimalMark::Comma),
        "with --decimal , the entries need another separator; declare it with --delimiter"
    );
    let mut reader = ReaderBuilder::new()
        .trim(Trim::All)
        .delimiter(delimiter.0)
        // The number of entries is checked below, with the line as editors count it.
        .flexible(true)
        .has_headers(false)
        .from_reader(text.as_bytes());
    let lines = Lines { text: &text, options, decimal };
    let mut records = reader.records();
    let Some(first) = records.next().transpose()? else {
        anyhow::bail!("it is empty: it has no line of feature names");
    };
    if options.delimiter.is_none() {
        refuse_other_delimiter(&first)?;
    }
    let is_number = |entry: &str| lines.number(entry).is_some();
    let unnamed = first.iter().all(is_number);
    let names: Vec<String> = if unnamed {
        // Without a line of names, `--columns` gives them.
        anyhow::ensure!(
            options.columns.len() == first.len(),
            "the first line must name the features, but it contains numbers; name the {} columns with --columns",
            first.len()
        );
        options.columns.iter().map(|name| name.trim().to_owned()).collect()
    } else {
        first.iter().map(str::to_owned).collect()
    };
    let columns = options.choose(&names)?;
    let mut table = RawTable::new(columns.names.clone(), true);
    let mut positions = Vec::new();
    let mut first = unnamed.then_some(first);
    let mut skip = usize::from(options.units_row);
    while let Some(record) = first.take().map(Ok).or_else(|| records.next()).transpose()? {
        if skip > 0 {
            skip -= 1;
            continue;
        }
        let position = record.position().map_or(0, ::csv::Position::byte) as usize;
        if lines.row(&record, position, names.len(), &columns, &mut table)? {
            positions.push(position);
        }
    }
    table.admit(options, |row| format!("line {}", line_at(&text, positions[row])))
}

/// What is needed to read the numbers of a line.
struct Lines<'a> {
    text: &'a str,
    options: &'a ReadOptions,
    decimal: DecimalMark,
}

impl Lines<'_> {
    fn number(&self, entry: &str) -> Option<f64> {
        match self.decimal {
            DecimalMark::Point => entry.parse().ok(),
            DecimalMark::Comma => entry.replace(',', ".").parse().ok(),
        }
    }

    /// Adds the outcome of one record. Returns whether the row was added, not left out.
    fn row(
        &self,
        record: &StringRecord,
        position: usize,
        entries: usize,
        columns: &ChosenColumns,
        table: &mut RawTable,
    ) -> anyhow::Result<bool> {
        let line = || line_at(self.text, position);
        anyhow::ensure!(
            record.len() == entries,
            "line {} has {} entries, the first line has {entries}",
            line(),
            record.len()
        );
        let chosen = || columns.positions.iter().map(|&i| &record[i]);
        if chosen().any(|entry| self.options.is_missing(entry)) {
            table.left_out += 1;
            return Ok(false);
        }
        for (entry, name) in chosen().zip(&columns.names) {
            let number =
                self.number(entry).ok_or_else(|| self.not_a_number(line(), entry, name))?;
            table.data.push(number);
        }
        Ok(true)
    }

    fn not_a_number(&self, line: usize, entry: &str, name: &str) -> anyhow::Error {
        let name = shown(name);
        if entry.is_empty() {
            return anyhow::anyhow!(
                "line {line}: `{name}` is missing; remove the row, or leave out all such rows with --missing ''"
            );
        }
        let with_point = entry.replacen(',', ".", 1).parse::<f64>().is_ok();
        let mend = if with_point && self.decimal == DecimalMark::Point {
            "for a decimal comma use --decimal ,".to_owned()
        } else {
            let units = match line {
                2 if !self.options.units_row => "if line 2 holds units use --units-row, ",
                _ => "",
            };
            format!("{units}if it stands for a missing value use --missing '{}'", shown(entry))
        };
        anyhow::anyhow!("line {line}: `{name}` is `{}`, not a number; {mend}", shown(entry))
    }
}

/// Refuses a first line of one entry that looks as if another character separates its entries.
fn refuse_other_delimiter(first: &StringRecord) -> anyhow::Result<()> {
    for (character, option) in OTHER_DELIMITERS {
        anyhow::ensure!(
            !(first.len() == 1 && first[0].contains(character)),
            "the first line has no comma, but {option}; if this separates the entries use --delimiter {option}"
        );
    }
    Ok(())
}

pub(super) fn write(file: &mut File, names: &[String], x: &DMatrix<f64>) -> anyhow::Result<()> {
    let mut csv = Writer::from_writer(file);
    csv.write_record(names)?;
    for outcome in x.column_iter() {
        csv.write_record(outcome.iter().map(f64::to_string))?;
    }
    Ok(csv.flush()?)
}
