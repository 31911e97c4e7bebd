//! The parts of a page.

use base64::{Engine, engine::general_purpose::STANDARD};
use maud::{DOCTYPE, Markup, PreEscaped, html};

use crate::report::table::ReportTable;

const STYLE: &str = "body{font:15px/1.45 system-ui,sans-serif;max-width:72rem;margin:2rem auto;\
    padding:0 1rem;color:#222}table{border-collapse:collapse;font-size:13px;margin:1rem 0}\
    td,th{border-bottom:1px solid #ddd;padding:.25rem .6rem;text-align:left}\
    td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}.wide{overflow-x:auto}\
    .verdict{padding:.6rem .9rem;border-left:5px solid #0072b2;background:#f3f6f9}\
    .suspect,.failed{border-color:#d55e00}.budget{border-color:#e69f00}\
    pre{background:#f6f6f6;padding:.8rem;overflow-x:auto}img{max-width:100%;height:auto}";

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

/// A picture in SVG.
///
/// It is an image of the page, not a part of it: browsers neither run the scripts of an image nor load
/// anything for it, so the file may come from anywhere.
pub(super) fn picture(svg: &[u8], title: &str) -> Markup {
    html! { div { img src={ "data:image/svg+xml;base64," (STANDARD.encode(svg)) } alt=(title); } }
}

/// The versions of the program.
pub(super) fn made_by(version: &str) -> Markup {
    html! { p { "Results by latent-is " (version) ", page by latent-is " (env!("CARGO_PKG_VERSION")) "." } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_in_a_picture_is_no_part_of_the_page() {
        let hostile = [
            "<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
            "<svg onload='alert(1)'></svg>",
            "<svg><foreignObject><iframe src='javascript:alert(1)'/></foreignObject></svg>",
            "\"><script>alert(1)</script>",
        ];
        for svg in hostile {
            let page = page("a < b", &picture(svg.as_bytes(), "a \"picture\"><script>"));
            for part in ["<svg", "<script", "onload", "foreignObject", "javascript"] {
                assert!(!page.contains(part), "{part} in {page}");
            }
            assert!(page.contains("<img src=\"data:image/svg+xml;base64,"), "{page}");
            assert!(page.contains("a &lt; b") && page.contains("a &quot;picture&quot;"), "{page}");
            assert!(page.contains(&STANDARD.encode(svg)), "{page}");
        }
    }
}
