//! Tables, in three dresses, and the one of an evaluation.

use comfy_table::{CellAlignment, ColumnConstraint, presets};

use crate::reproduce::{PUBLISHED, Preset, Published, Results, Row};

/// A table with a title and remarks.
#[derive(Clone, Debug, PartialEq)]
pub struct Table {
    pub(super) title: String,
    pub(super) head: Vec<String>,
    /// Columns of text at the left; the others hold numbers.
    pub(super) text_columns: usize,
    pub(super) rows: Vec<Vec<String>>,
    pub(super) remarks: Vec<String>,
}

const HEAD: [&str; 15] = [
    "search",
    "preset",
    "event",
    "P_f",
    "rel. err.",
    "|rel. err.|",
    "|vs flow|",
    "max",
    "NLL",
    "coverage",
    "density",
    "evaluations",
    "95 % int.",
    "flagged",
    "s",
];

/// The evaluation as a table: each of our `paper` rows is followed by what the published method
/// measures in its place.
pub fn evaluation(results: &Results) -> Table {
    let mut rows = Vec::new();
    for row in &results.rows {
        rows.push(ours(row));
        if results.system == "robot" && row.preset == Preset::Paper {
            let same =
                |p: &&Published| (p.space, p.method, p.event) == (row.space, row.method, row.event);
            rows.extend(PUBLISHED.iter().filter(same).map(published));
        }
    }
    let (reference, flow, surrogate) = (&results.reference, &results.flow, &results.surrogate);
    let remarks = vec![
        format!(
            "P_f by simulation {:.3e} ± {:.1e} ({} runs); of the flow itself {:.3e} ± {:.1e} ({} draws, {:+.1} %); \
             of the surrogate ellipsoids {:.3e} ± {:.1e}.",
            reference.pf, reference.se, reference.draws,
            flow.pf, flow.se, flow.draws, 100.0 * (flow.pf / reference.pf - 1.0),
            surrogate.pf, surrogate.se,
        ),
        "The surrogate event (ellipsoids around the encoded failures) is not the failure event: its \
         rows show that the search is right, not what the failure probability is."
            .to_owned(),
        "rel. err.: mean of (estimate − simulation) / simulation; |rel. err.|: its mean absolute value; \
         |vs flow|, max: mean and largest absolute relative error against the event's own probability under the flow."
            .to_owned(),
        "NLL: mean of −log p over draws of the final proposal; coverage, density: failing draws against \
         simulated failures, k = 5; evaluations: every one counted, surrogate included; \
         95 % int.: share of intervals that hold the event's own probability under the flow; \
         flagged: share of estimates that their own verdict warns against; s: seconds of an estimate while \
         other trials shared the cores."
            .to_owned(),
        "published: the public program, 100 trials, its own flow and its own count of samples; \
         corrected: without its defects."
            .to_owned(),
    ];
    let title = format!(
        "{}: {} trials a row, seed {}",
        results.system, results.experiment.trials, results.experiment.seed
    );
    Table { title, head: HEAD.map(str::to_owned).into(), text_columns: 3, rows, remarks }
}

fn ours(row: &Row) -> Vec<String> {
    vec![
        format!("{}-{}", row.space, row.method),
        row.preset.to_string(),
        row.event.to_string(),
        probability(row.pf_mean, row.pf_sd),
        format!("{:+.3}", row.rel_err_mean),
        format!("{:.3}", row.rel_err_abs_mean),
        format!("{:.3}", row.rel_err_flow_abs_mean),
        format!("{:.3}", row.rel_err_flow_abs_max),
        format!("{:.2}", row.nll_mean),
        format!("{:.3}", row.coverage_mean),
        format!("{:.3}", row.density_mean),
        format!("{:.0}", row.evaluations_mean),
        format!("{:.2}", row.interval_coverage),
        format!("{:.2}", row.flagged),
        format!("{:.2}", row.seconds),
    ]
}

/// A probability and its spread.
fn probability(mean: f64, sd: f64) -> String {
    format!("{mean:.5} ± {sd:.5}")
}

fn published(row: &Published) -> Vec<String> {
    let source = if row.corrected { "corrected" } else { "published" };
    let none = String::new;
    vec![
        format!("  {}-{}", row.space, row.method),
        source.to_owned(),
        row.event.to_string(),
        probability(row.pf.0, row.pf.1),
        format!("{:+.3}", row.rel_err),
        none(),
        none(),
        none(),
        format!("{:.2}", row.nll),
        format!("{:.3}", row.coverage),
        format!("{:.3}", row.density),
        row.samples.to_string(),
        none(),
        none(),
        none(),
    ]
}

impl Table {
    /// For a terminal.
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

    /// As Markdown.
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

    /// As a LaTeX `tabular`, for `\input`; needs no package.
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

/// Text with LaTeX's special characters escaped.
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

    fn table() -> Table {
        Table {
            title: "a title".to_owned(),
            head: ["search", "|err|", "P_f", "95 %"].map(str::to_owned).into(),
            text_columns: 1,
            rows: vec![vec!["  one".into(), "1".into(), "2 ± 3".into(), "50 %".into()]],
            remarks: vec!["|err|: a remark".to_owned()],
        }
    }

    #[test]
    fn markdown_has_as_many_cells_in_every_line() {
        let text = table().markdown();
        let lines: Vec<&str> = text.lines().filter(|line| line.starts_with("| ")).collect();
        assert_eq!(lines.len(), 3);
        for line in lines {
            assert_eq!(line.replace("\\|", "").matches('|').count(), 5, "{line}");
        }
        assert!(text.contains("| one | 1 | 2 ± 3 | 50 % |"), "{text}");
    }

    #[test]
    fn latex_escapes_what_it_must() {
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
