//! A study on the terminal.

use comfy_table::Table;
use latent_is::scientific;

use crate::{output::terminal::print_line, report::study::StudyRecord};

/// Prints the masses of the levels and what is to be thought of the flow.
pub(super) fn print(study: &StudyRecord) {
    let mut table = Table::new();
    table.set_header([
        "region",
        "level",
        "by the rows",
        "95 % interval (all together)",
        "under the flow",
    ]);
    for level in &study.levels {
        let [low, high] =
            [level.interval.ln_lower, level.interval.ln_upper].map(|ln| scientific(ln, 3));
        table.add_row([
            (level.mode + 1).to_string(),
            format!("{:.4e}", level.threshold),
            scientific(level.ln_p, 3),
            format!("{low} to {high}"),
            level.flow.map_or_else(String::new, |p| scientific(p.ln(), 3)),
        ]);
    }
    let rows = &study.rows;
    print_line!("{table}");
    print_line!(
        "{} rows; the mean of their weights is {:.3} ± {:.3} and should be 1.",
        rows.rows,
        rows.mean_weight,
        rows.standard_error
    );
    let searched = study.certified.estimate.search.as_ref().and_then(|search| search.ln_pf);
    if let Some(ln_pf) = searched {
        print_line!(
            "The searches by themselves gave {}, the rows {}.",
            scientific(ln_pf, 3),
            scientific(study.certified.estimate.ln_pf, 3)
        );
    }
    let Some(flow) = &study.flow else { return };
    print_line!(
        "The flow of {:.0} effective rows has the mass {:.3}, which should be 1.",
        flow.effective_rows,
        flow.mass
    );
    let doubts = study.doubts();
    if doubts.is_empty() {
        print_line!(
            "Nothing speaks against the flow at these levels. What it says of another criterion is not certified."
        );
    } else {
        print_line!("The flow is not to be trusted: {}.", doubts.join("; "));
    }
}
