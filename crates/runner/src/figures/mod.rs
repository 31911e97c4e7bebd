//! Figures of an evaluation, as SVG and PNG.

pub mod chart;
pub mod evaluation;
mod png;
pub mod samples;
pub mod trajectory;

use std::path::Path;

use crate::output::file;

/// Writes `NAME.svg` and `NAME.png` to `folder`.
///
/// # Errors
/// When the figure cannot be rendered or a file cannot be written.
pub fn write(folder: &Path, name: &str, svg: &str) -> anyhow::Result<()> {
    file::write(&folder.join(format!("{name}.svg")), svg)?;
    file::write(&folder.join(format!("{name}.png")), png::from_svg(svg)?)
}
