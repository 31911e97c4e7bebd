//! The parts of a page.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::report::table::ReportTable;

const STYLE: &str = "body{font:15px/1.45 system-ui,sans-serif;max-width:72rem;margin:2rem auto;\
    padding:0 1rem;color:#222}table{border-collapse:collapse;font-size:13px;margin:1rem 0}\
    td,th{border-bottom:1px solid #ddd;padding:.25rem .6rem;text-align:left}\
    td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}.wide{overflow-x:auto}\
    .verdict{padding:.6rem .9rem;border-left:5px solid #0072b2;background:#f3f6f9}\
    .suspect,.failed{border-color:#d55e00}.budget{border-color:#e69f00}\
    pre{background:#f6f6f6;padding:.8rem;overflow-x:auto}svg{max-width:100%;height:auto}";

/// A whole page.
pub(super) fn page(title: &str, body: &Markup) -> String {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width";
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                h1 { (title) }
                (body)
            }
        }
    }
    .into_string()
}

/// A table with its title and remarks.
pub(super) fn table(table: &ReportTable) -> Markup {
    let class = |i: usize| if i < table.text_columns { "t" } else { "n" };
    html! {
        h2 { (table.title) }
        div.wide {
            table {
                thead { tr { @for (i, cell) in table.head.iter().enumerate() {
                    th class=(class(i)) { (cell) }
                } } }
                tbody { @for row in &table.rows { tr {
                    @for (i, cell) in row.iter().enumerate() { td class=(class(i)) { (cell) } }
                } } }
            }
        }
        ul { @for remark in &table.remarks { li { (remark) } } }
    }
}

/// A table of names and values.
pub(super) fn pairs<'a>(pairs: impl Iterator<Item = (&'a str, String)>) -> Markup {
    html! { table { @for (name, value) in pairs { tr { th { (name) } td { (value) } } } } }
}

/// An SVG of this program. The drawing library has escaped its texts.
pub(super) fn picture(svg: &str) -> Markup {
    html! { div { (PreEscaped(svg)) } }
}

/// The versions of the program.
pub(super) fn made_by(version: &str) -> Markup {
    html! { p { "Results by latent-is " (version) ", page by latent-is " (env!("CARGO_PKG_VERSION")) "." } }
}
