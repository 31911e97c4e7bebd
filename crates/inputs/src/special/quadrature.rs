//! Gauss–Legendre quadrature with 16 points.

/// Points in (0, 1) of the rule on (-1, 1), which is symmetric, and their weights (Abramowitz and Stegun,
/// table 25.4).
const RULE: [(f64, f64); 8] = [
    (0.095_012_509_837_637_44, 0.189_450_610_455_068_5),
    (0.281_603_550_779_258_9, 0.182_603_415_044_923_58),
    (0.458_016_777_657_227_37, 0.169_156_519_395_002_54),
    (0.617_876_244_402_643_8, 0.149_595_988_816_576_74),
    (0.755_404_408_355_003, 0.124_628_971_255_533_88),
    (0.865_631_202_387_831_8, 0.095_158_511_682_492_79),
    (0.944_575_023_073_232_6, 0.062_253_523_938_647_894),
    (0.989_400_934_991_649_9, 0.027_152_459_411_754_096),
];

/// $\int_a^b f(t) \mathrm dt$, exact for polynomials up to degree 31.
pub(crate) fn integrate(a: f64, b: f64, f: impl Fn(f64) -> f64) -> f64 {
    let (middle, half) = (0.5 * (a + b), 0.5 * (b - a));
    half * RULE.iter().map(|(x, w)| w * (f(middle - half * x) + f(middle + half * x))).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn polynomials_of_degree_31_are_exact_and_of_32_are_not() {
        let even = |n| (integrate(-1.0, 1.0, |t| t.powi(n)) * f64::from(n + 1) / 2.0 - 1.0).abs();
        assert!(even(0) < 1e-15 && even(14) < 1e-14 && even(30) < 1e-14, "{}", even(30));
        assert!(even(32) > 1e-9);
        assert!((integrate(1.0, 3.0, |t| t * t) - 26.0 / 3.0).abs() < 1e-14);
    }
}
