//! Encloses points of the plane and draws what came out.
//!
//! `cargo run -p mvee --example enclose [FILE]` writes an SVG, by default `target/mvee/enclose.svg`.
//! The picture of the crate's front page was made so.

use std::fmt::Write as _;
use std::path::PathBuf;

use mvee::{Mvee, Solution};
use nalgebra::{DMatrix, DVector};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let mix = DMatrix::from_row_slice(2, 2, &[1.6, 0.0, 0.7, 0.6]);
    let points = mix * DMatrix::from_fn(2, 80, |_, _| rng.sample::<f64, _>(StandardNormal));

    let solution = Mvee::default().solve(points.as_view())?;
    let (axes, _) = solution.ellipsoid.axes();
    println!("semi-axes {:.4} and {:.4}, area {:.4}", axes[0], axes[1], area(&solution));
    println!("certified gap {:.1e}, {} iterations", solution.gap, solution.iterations);
    for (i, weight) in solution.support.iter().zip(&solution.weights) {
        let x = points.column(*i);
        println!("  support point ({:7.4}, {:7.4}) with weight {weight:.4}", x[0], x[1]);
    }

    let file = std::env::args().nth(1).map_or_else(
        || PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../target/mvee/enclose.svg")),
        PathBuf::from,
    );
    safe_file::write(&file, picture(&points, &solution)?)?;
    println!("drawn to {}", file.display());
    Ok(())
}

fn area(solution: &Solution) -> f64 {
    solution.ellipsoid.ln_volume().exp()
}

/// Points grey, the ellipse blue, and its support points red, larger with their weight.
fn picture(points: &DMatrix<f64>, solution: &Solution) -> Result<String, std::fmt::Error> {
    let (width, height, unit) = (480.0, 240.0, 64.0);
    let ellipsoid = &solution.ellipsoid;
    let middle = ellipsoid.center();
    let place = |x: f64, y: f64| {
        (width / 2.0 + unit * (x - middle[0]), height / 2.0 - unit * (y - middle[1]))
    };
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
         width=\"{width}\" height=\"{height}\" role=\"img\" \
         aria-label=\"Points of the plane and their smallest ellipse\">\n"
    );
    // The boundary is the image of the unit circle under the factor of the shape.
    let factor = ellipsoid.factor();
    let mut outline = String::new();
    for k in 0..120 {
        let angle = std::f64::consts::TAU * f64::from(k) / 120.0;
        let x = middle + &factor * DVector::from_vec(vec![angle.cos(), angle.sin()]);
        let (px, py) = place(x[0], x[1]);
        write!(outline, "{}{px:.1} {py:.1}", if k == 0 { "M" } else { "L" })?;
    }
    writeln!(
        svg,
        "<path d=\"{outline}Z\" fill=\"#4878cf\" fill-opacity=\"0.12\" stroke=\"#4878cf\" \
         stroke-width=\"2\"/>"
    )?;
    for x in points.column_iter() {
        let (px, py) = place(x[0], x[1]);
        writeln!(svg, "<circle cx=\"{px:.1}\" cy=\"{py:.1}\" r=\"2\" fill=\"#777\"/>")?;
    }
    for (&i, weight) in solution.support.iter().zip(&solution.weights) {
        let (px, py) = place(points[(0, i)], points[(1, i)]);
        let radius = 3.0 + 8.0 * weight;
        writeln!(
            svg,
            "<circle cx=\"{px:.1}\" cy=\"{py:.1}\" r=\"{radius:.1}\" fill=\"#d1495b\"/>"
        )?;
    }
    let (px, py) = place(middle[0], middle[1]);
    writeln!(svg, "<circle cx=\"{px:.1}\" cy=\"{py:.1}\" r=\"3\" fill=\"#4878cf\"/>")?;
    writeln!(svg, "</svg>")?;
    Ok(svg)
}
