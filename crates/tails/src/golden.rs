//! Fits and intervals against SciPy. See `tests/data/README.md`.

use serde::Deserialize;

use crate::{fit::fit, profile};

#[derive(Deserialize)]
struct Case {
    y: Vec<f64>,
    shape: f64,
    scale: f64,
    ln_likelihood: f64,
    y0: f64,
    ln_p: f64,
    ln_lower: Option<f64>,
    ln_upper: f64,
    points: Vec<f64>,
    ln_sf: Vec<f64>,
}

/// -1e300 stands for negative infinity.
fn finite(ln_p: f64) -> f64 {
    ln_p.max(-1e300)
}

#[test]
fn fits_and_intervals_are_those_of_scipy() {
    let cases: Vec<Case> = serde_json::from_str(include_str!("../tests/data/scipy.json")).unwrap();
    assert_eq!(cases.len(), 5);
    for case in cases {
        let fitted = fit(&case.y).unwrap();
        let distribution = fitted.distribution;
        // A simplex that ends at 1e-11 in the likelihood's argument; both stop at a flat top.
        assert!(
            (distribution.shape() - case.shape).abs() < 1e-5,
            "{} {}",
            distribution.shape(),
            case.shape
        );
        assert!((distribution.scale() / case.scale - 1.0).abs() < 1e-5);
        assert!((fitted.ln_likelihood - case.ln_likelihood).abs() < 1e-8);
        for (point, expected) in case.points.iter().zip(&case.ln_sf) {
            let found = finite(distribution.ln_sf(*point));
            assert!((found / expected - 1.0).abs() < 1e-4, "{point}: {found} {expected}");
        }
        let ln_p = distribution.ln_sf(case.y0);
        assert!((finite(ln_p) / case.ln_p - 1.0).abs() < 1e-4, "{ln_p} {}", case.ln_p);
        let limit = 3.841_458_820_694_124;
        let (lower, upper) =
            profile::interval(&case.y, case.y0, (ln_p, fitted.ln_likelihood), limit);
        // The search for an end stops at 1e-4 of its logarithm.
        assert!((upper / case.ln_upper - 1.0).abs() < 5e-4, "{upper} {}", case.ln_upper);
        match case.ln_lower {
            Some(expected) => assert!((lower / expected - 1.0).abs() < 5e-4, "{lower} {expected}"),
            None => assert!(lower.is_infinite() && lower < 0.0),
        }
    }
}
