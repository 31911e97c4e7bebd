//! SVG to PNG, with an embedded font: a minimal system has none.

use std::sync::{Arc, LazyLock};

use anyhow::Context;
use resvg::{
    tiny_skia::{Pixmap, Transform},
    usvg::{Options, Tree, fontdb::Database},
};

/// Pixels of the PNG per pixel of the SVG, for high-resolution screens.
const SCALE: f32 = 2.0;

static FONTS: LazyLock<Arc<Database>> = LazyLock::new(|| {
    let mut fonts = Database::new();
    fonts.load_font_data(epaint_default_fonts::UBUNTU_LIGHT.to_vec());
    let family = fonts.faces().next().and_then(|face| face.families.first()).cloned();
    if let Some((family, _)) = family {
        fonts.set_sans_serif_family(family);
    }
    Arc::new(fonts)
});

/// Renders `svg` as the bytes of a PNG file.
///
/// # Errors
/// When the text is not SVG or the figure is too large.
pub(super) fn from_svg(svg: &str) -> anyhow::Result<Vec<u8>> {
    let options = Options { fontdb: FONTS.clone(), ..Options::default() };
    let tree = Tree::from_str(svg, &options).context("the figure is not SVG")?;
    let size = tree.size();
    let pixels = |length: f32| (SCALE * length).ceil() as u32;
    let mut picture = Pixmap::new(pixels(size.width()), pixels(size.height()))
        .context("the figure is too large")?;
    let transform = Transform::from_scale(SCALE, SCALE);
    resvg::render(&tree, transform, &mut picture.as_mut());
    picture.encode_png().context("the figure cannot be encoded")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_leaves_ink() {
        let blank = "<svg xmlns='http://www.w3.org/2000/svg' width='60' height='30'>{}</svg>";
        let text = "<text x='5' y='20' font-family='sans-serif' font-size='16'>P</text>";
        let without = from_svg(&blank.replace("{}", "")).unwrap();
        let with = from_svg(&blank.replace("{}", text)).unwrap();
        assert!(with.starts_with(b"\x89PNG") && with.len() > without.len());
        assert!(from_svg("no picture").is_err());
    }
}
