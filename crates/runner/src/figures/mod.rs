//! Pictures of an evaluation, as SVG and PNG.

mod chart;
mod evaluation;
mod png;

use std::path::Path;

pub use chart::{Mark, Panel, Series, draw};
pub use evaluation::{fidelity, levels};

use crate::files;

/// Writes `NAME.svg` and `NAME.png` into `folder`.
///
/// # Errors
/// When the figure cannot be rasterised or a file cannot be written.
pub fn write(folder: &Path, name: &str, svg: &str) -> anyhow::Result<()> {
    files::write(&folder.join(format!("{name}.svg")), svg)?;
    files::write_bytes(&folder.join(format!("{name}.png")), &png::from_svg(svg)?)
}
