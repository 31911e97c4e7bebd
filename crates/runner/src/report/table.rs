//! Tables as text for a terminal, as Markdown and as LaTeX.

use comfy_table::{CellAlignment, ColumnConstraint, presets};

/// A table with a title and remarks.
#[derive(Clone, Debug, PartialEq)]
pub struct ReportTable {
    pub(super) title: String,
    pub(super) head: Vec<String>,
    /// Number of columns on the left that contain text; the others contain numbers.
    pub(super) text_columns: usize,
    pub(super) rows: Vec<Vec<String>>,
    pub(super) remarks: Vec<String>,
}

impl ReportTable {
    /// Renders the table for a terminal.
    pub fn terminal(&self) -> String {
        let mut table = comfy_table::Table::new();
        table.load_style(presets::UTF8_FULL_CONDENSED).set_header(&self.head);
        table.add_rows(&self.rows);
        for column in table.column_iter_mut() {
            column.set_constraint(ColumnConstraint::ContentWidth);
            if column.index >= self.text_columns {
                column.set_cell_alignment(CellAlignment::Right);
            }
        }
        format!("\n{}\n{table}\n{}\n", self.title, self.remarks.join("\n"))
    }

    /// Renders the table as Markdown.
    pub fn markdown(&self) -> String {
        let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
        let head = line(self.head.iter().map(|h| h.replace('|', "\\|")).collect());
        let rule = line(
            (0..self.head.len())
                .map(|i| if i < self.text_columns { "---" } else { "---:" }.to_owned())
                .collect(),
        );
        let rows: String = self
            .rows
            .iter()
            .map(|row| line(row.iter().map(|cell| cell.trim().to_owned()).collect()))
            .collect();
        let remarks = self.remarks.iter().map(|r| format!("- {}\n", r.replace('|', "\\|")));
        let remarks = remarks.collect::<Vec<_>>().concat();
        format!("## {}\n\n{head}{rule}{rows}\n{remarks}", self.title)
    }

    /// Renders the table as a LaTeX `tabular` for `\input`. It needs no package.
    pub fn latex(&self) -> String {
        let line = |cells: Vec<String>| format!("{} \\\\\n", cells.join(" & "));
        let head = line(self.head.iter().map(|h| escape(h)).collect());
        let rows: String = self
            .rows
            .iter()
            .map(|row| line(row.iter().map(|cell| escape(cell.trim())).collect()))
            .collect();
        let numbers = self.head.len() - self.text_columns;
        let columns = "l".repeat(self.text_columns) + &"r".repeat(numbers);
        let remarks = self.remarks.iter().map(|remark| format!("% {remark}\n"));
        let remarks = remarks.collect::<Vec<_>>().concat();
        format!(
            "% {}\n{remarks}\\begin{{tabular}}{{{columns}}}\n\\hline\n{head}\\hline\n{rows}\\hline\n\\end{{tabular}}\n",
            self.title
        )
    }
}

/// Escapes the special characters of LaTeX.
fn escape(text: &str) -> String {
    text.replace("P_f", "$P_f$")
        .replace('%', "\\%")
        .replace('|', "$|$")
        .replace(" ± ", " $\\pm$ ")
        .replace('_', "\\_")
        .replace("$P\\_f$", "$P_f$")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> ReportTable {
        ReportTable {
            title: "a title".to_owned(),
            head: ["search", "|err|", "P_f", "95 %"].map(str::to_owned).into(),
            text_columns: 1,
            rows: vec![vec!["  one".into(), "1".into(), "2 ± 3".into(), "50 %".into()]],
            remarks: vec!["|err|: a remark".to_owned()],
        }
    }

    #[test]
    fn markdown_has_the_same_number_of_cells_in_every_line() {
        let text = table().markdown();
        let lines: Vec<&str> = text.lines().filter(|line| line.starts_with("| ")).collect();
        assert_eq!(lines.len(), 3);
        for line in lines {
            assert_eq!(line.replace("\\|", "").matches('|').count(), 5, "{line}");
        }
        assert!(text.contains("| one | 1 | 2 ± 3 | 50 % |"), "{text}");
    }

    #[test]
    fn latex_escapes_special_characters() {
        let text = table().latex();
        assert!(text.contains("search & $|$err$|$ & $P_f$ & 95 \\% \\\\"), "{text}");
        assert!(text.contains("one & 1 & 2 $\\pm$ 3 & 50 \\% \\\\"), "{text}");
    }

    #[test]
    fn the_terminal_shows_title_cells_and_remarks() {
        let text = table().terminal();
        for part in ["a title", "  one", "2 ± 3", "|err|: a remark"] {
            assert!(text.contains(part), "{part} in {text}");
        }
    }
}
