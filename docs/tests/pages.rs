//! The book and the equations of the whole workspace, checked as text: links, the summary, Rust blocks
//! and what Markdown would do to an equation.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// Folder of the pages.
const PAGES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src");
/// Root of the workspace.
const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// Files below `folder` whose name ends in `ending`, without build outputs.
fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && !["target", "results", ".git", "book"].contains(&name.as_str()) {
            found.extend(files(&path, ending));
        } else if name.ends_with(ending) {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The pages that a reader of the book sees, and the summary.
fn pages() -> Vec<PathBuf> {
    files(Path::new(PAGES), ".md")
}

/// The lines outside code fences; those inside are empty, so that line numbers stay.
fn prose(text: &str) -> Vec<&str> {
    let mut fenced = false;
    let outside = text.lines().map(|line| {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        if fenced || fence { "" } else { line }
    });
    outside.collect()
}

/// The targets of `[text](target)` in a line, without their anchors.
fn links(line: &str) -> impl Iterator<Item = &str> {
    let targets = line.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
    targets.map(|(target, _)| target.split('#').next().unwrap_or_default())
}

#[test]
fn the_summary_lists_every_page_once() {
    let summary = fs::read_to_string(format!("{PAGES}/SUMMARY.md")).unwrap();
    let listed: Vec<&str> = summary.lines().flat_map(links).collect();
    let once: BTreeSet<PathBuf> = listed.iter().map(|page| Path::new(PAGES).join(page)).collect();
    assert_eq!(listed.len(), once.len(), "a page is listed twice");
    let there: BTreeSet<PathBuf> =
        pages().into_iter().filter(|page| !page.ends_with("SUMMARY.md")).collect();
    assert_eq!(once, there);
}

#[test]
fn every_relative_link_leads_to_a_file() {
    let mut texts = pages();
    texts.extend(files(Path::new(ROOT), "README.md"));
    texts.push(Path::new(ROOT).join("CONTRIBUTING.md"));
    for page in texts {
        let text = fs::read_to_string(&page).unwrap();
        for (number, line) in prose(&text).iter().enumerate() {
            for target in links(line).filter(|t| !t.is_empty() && !t.contains("://")) {
                let file = page.parent().unwrap().join(target);
                assert!(file.exists(), "{}:{}: no file {target}", page.display(), number + 1);
            }
        }
    }
}

/// What `{{#include PATH:ANCHOR}}` in a page takes.
fn included<'a>(page: &Path, line: &'a str) -> Option<(PathBuf, Option<&'a str>)> {
    let what = line.trim().strip_prefix("{{#include ")?.strip_suffix("}}")?;
    let (path, anchor) = what.split_once(':').map_or((what, None), |(p, a)| (p, Some(a)));
    Some((page.parent().unwrap().join(path), anchor))
}

#[test]
fn every_rust_block_is_compiled() {
    let list = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/blocks.rs")).unwrap();
    let mut texts = pages();
    texts.extend(files(Path::new(ROOT), "README.md"));
    for page in texts {
        let text = fs::read_to_string(&page).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        for (i, line) in lines.iter().enumerate() {
            let at = format!("{}:{}", page.display(), i + 1);
            let Some(attributes) = line.trim_start().strip_prefix("```rust") else { continue };
            if !attributes.contains("ignore") {
                let path = page.strip_prefix(PAGES).or_else(|_| page.strip_prefix(ROOT)).unwrap();
                let lib = fs::read_to_string(page.with_file_name("src/lib.rs")).unwrap_or_default();
                let listed = list.contains(&format!("/{}\"", path.display()))
                    || (page.ends_with("README.md")
                        && lib.contains("include_str!(\"../README.md\")"));
                assert!(listed, "{at}: blocks.rs does not have this page");
                continue;
            }
            // Not a test of its own: then it is a piece of an example, which cargo compiles.
            let (file, anchor) = included(&page, lines[i + 1])
                .unwrap_or_else(|| panic!("{at}: neither a test nor a piece of an example"));
            let source = fs::read_to_string(&file).unwrap_or_else(|e| panic!("{at}: {e}"));
            let is_example = file.components().any(|part| part.as_os_str() == "examples");
            assert!(is_example, "{at}: {} is not an example", file.display());
            let has = |anchor| source.contains(&format!("// ANCHOR: {anchor}\n"));
            assert!(anchor.is_none_or(has), "{at}: no such anchor");
        }
    }
}

/// The equations of a text with the line they begin in: what stands between dollars, outside of code.
fn equations(lines: &[&str]) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut open: Option<(usize, bool, String)> = None;
    let mut code = false;
    for (number, line) in lines.iter().enumerate() {
        if line.trim().is_empty() {
            (open, code) = (None, false);
        }
        let mut rest = *line;
        while let Some(c) = rest.chars().next() {
            let display = rest.starts_with("$$");
            let step = if display { 2 } else { c.len_utf8() };
            match &mut open {
                Some((begin, as_display, text)) if c == '$' && display == *as_display => {
                    found.push((*begin, std::mem::take(text)));
                    open = None;
                }
                Some((_, _, text)) => text.push_str(&rest[..step]),
                None if c == '`' => code = !code,
                None if c == '$' && !code => open = Some((number + 1, display, String::new())),
                None => {}
            }
            rest = &rest[step..];
        }
        if let Some((_, _, text)) = &mut open {
            text.push('\n');
        }
    }
    found
}

/// What Markdown would change in an equation, and what to write instead.
fn mangled(equation: &str) -> Option<String> {
    let mut characters = equation.chars().peekable();
    while let Some(c) = characters.next() {
        let Some(&next) = characters.peek() else { break };
        if c == '\\' && next.is_ascii_punctuation() {
            let instead = match next {
                ',' | ';' | '!' => " ",
                '{' => r"\lbrace",
                '}' => r"\rbrace",
                '|' => r"\Vert",
                '\\' => r"\cr",
                _ => "a command of letters",
            };
            return Some(format!("`\\{next}`, write `{instead}`"));
        }
        if c == '<' && next.is_ascii_alphabetic() {
            return Some(r"`<` before a letter, write `\lt`".to_owned());
        }
    }
    if equation.contains('*') {
        return Some(r"`*`, write `\ast`".to_owned());
    }
    let marks = ["- ", "+ ", "> ", "# ", "="];
    let starts = |line: &str| marks.iter().any(|mark| line.trim_start().starts_with(mark));
    let list = equation.lines().skip(1).any(starts);
    list.then(|| {
        "a line that begins with an operator, put it at the end of the line above".to_owned()
    })
}

/// The documentation in a Rust file; code is left out as empty lines.
fn documentation(source: &str) -> Vec<&str> {
    let mut fenced = false;
    let lines = source.lines().map(|line| {
        let line = line.trim_start();
        let comment = line.strip_prefix("///").or_else(|| line.strip_prefix("//!"));
        let Some(text) = comment else { return "" };
        let fence = text.trim_start().starts_with("```");
        fenced ^= fence;
        if fenced || fence { "" } else { text }
    });
    lines.collect()
}

#[test]
fn markdown_leaves_equations_alone() {
    let mut complaints = Vec::new();
    let mut look = |path: &Path, lines: &[&str]| {
        for (line, equation) in equations(lines) {
            if let Some(what) = mangled(&equation) {
                complaints.push(format!("{}:{line}: {what}", path.display()));
            }
        }
    };
    for page in pages() {
        look(&page, &prose(&fs::read_to_string(&page).unwrap()));
    }
    for file in files(&Path::new(ROOT).join("crates"), ".rs") {
        look(&file, &documentation(&fs::read_to_string(&file).unwrap()));
    }
    assert!(complaints.is_empty(), "Markdown changes equations:\n{}", complaints.join("\n"));
}

#[test]
fn equations_are_found_and_judged() {
    let text = ["price `$5`, $a_i$ and $$ b \\, c", "= d $$"];
    let found = equations(&text);
    assert_eq!(found[0], (1, "a_i".to_owned()));
    assert_eq!(found[1].0, 1);
    assert!(mangled(&found[0].1).is_none());
    assert!(mangled(&found[1].1).unwrap().contains("write ` `"));
    assert!(mangled("a\n= d").unwrap().contains("operator"));
}

#[test]
fn the_readme_shows_the_example_as_it_is() {
    let read = |path: &str| fs::read_to_string(Path::new(ROOT).join(path)).unwrap();
    let example = read("crates/latent-is/examples/latent_space.rs");
    let begin = example.find("use ").expect("the example imports something");
    assert!(
        read("README.md").contains(&example[begin..]),
        "README.md shows another latent_space.rs"
    );
}
