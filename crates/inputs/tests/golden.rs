//! Every distribution against mpmath with 50 digits. See `tests/data/README.md`.

use inputs::{Distribution, Univariate};
use serde::Deserialize;

#[derive(Deserialize)]
struct Case {
    distribution: Distribution,
    /// `u`, the value there and its log-density.
    rows: Vec<(f64, String, String)>,
    mean: String,
    sd: String,
}

fn cases() -> Vec<Case> {
    serde_json::from_str(include_str!("data/distributions.json")).unwrap()
}

fn number(text: &str) -> f64 {
    text.parse().unwrap()
}

/// Equal to a relative error, or both NaN.
fn close(actual: f64, text: &str, tolerance: f64) -> bool {
    let expected = number(text);
    (actual - expected).abs() <= 0.0
        || (actual.is_nan() && expected.is_nan())
        || (actual - expected).abs() <= tolerance * expected.abs()
}

#[test]
fn values_at_normal_scores_are_those_of_mpmath() {
    let mut rows = 0;
    for Case { distribution, rows: all, .. } in cases() {
        for (u, w, _) in all {
            let actual = distribution.at_normal(u);
            // A logarithm of a probability as large as 450 has lost two to three digits; small shapes
            // multiply the loss.
            let tolerance = if u.abs() > 12.0 { 1e-11 } else { 1e-12 };
            assert!(close(actual, &w, tolerance), "{distribution:?} at {u}: {actual:e}, not {w}");
            rows += 1;
        }
    }
    assert!(rows > 450, "{rows}");
}

#[test]
fn scores_undo_the_values_wherever_these_have_the_digits() {
    for Case { distribution, rows, .. } in cases() {
        for (u, w, ln_pdf) in rows {
            let w = number(&w);
            // The change of the score when the last bit of `w` changes: eps |w| p(w) / phi(u).
            let ln_phi = -0.5 * (u * u + 1.8378770664093453);
            let digits = f64::EPSILON * w.abs() * (number(&ln_pdf) - ln_phi).exp();
            if digits < 1e-3 {
                let back = distribution.to_normal(w);
                let tolerance = 4.0 * digits + 1e-12 * u.abs().max(1.0);
                assert!(
                    (back - u).abs() <= tolerance,
                    "{distribution:?} at {u}: {back}, {digits:e}"
                );
            }
        }
    }
}

#[test]
fn densities_are_those_of_mpmath() {
    for Case { distribution, rows, .. } in cases() {
        for (u, w, ln_pdf) in rows {
            // Where the density depends on the distance from a bound, that distance must have digits.
            let (value, expected) = (number(&w), number(&ln_pdf));
            if u.abs() <= 3.0 {
                let actual = distribution.ln_pdf(value).unwrap();
                let error = (actual - expected).abs();
                assert!(
                    error <= 1e-11 * expected.abs().max(1.0),
                    "{distribution:?} at {u}: {error:e}"
                );
            }
        }
    }
}

#[test]
fn means_and_standard_deviations_are_those_of_mpmath() {
    for Case { distribution, mean, sd, .. } in cases() {
        assert!(close(distribution.mean(), &mean, 1e-12), "{distribution:?} {mean}");
        let actual = distribution.sd();
        let known = close(actual, &sd, 1e-11) || (sd == "nan" && !actual.is_finite());
        assert!(known, "{distribution:?}: {actual}, not {sd}");
    }
}
