//! Numbers in tables.

/// A number with six digits.
pub fn number(value: f64) -> String {
    let size = value.abs();
    if value == 0.0 || (1e-3..1e6).contains(&size) {
        let digits = (5 - size.max(1e-3).log10().floor() as i32).clamp(0, 9) as usize;
        format!("{value:.digits$}")
    } else {
        format!("{value:.5e}")
    }
}
