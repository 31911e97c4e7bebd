//! Joint distributions: statistics of draws, inverses, the slot for a map.

use std::{error::Error, sync::Arc};

use inputs::{
    Beta, Constant, Correlation, Distribution, Exponential, Gamma, Gumbel, Inputs, InputsError,
    LogNormal, Normal, StudentT, Transform, Uniform, Univariate, Weibull,
};
use nalgebra::{DMatrix, DMatrixView};

fn correlated() -> Inputs {
    Inputs::builder()
        .input("a", "1", Normal::new(2.0, 3.0).unwrap())
        .input("b", "1", Gumbel::from_moments(5.0, 2.0).unwrap())
        .input("c", "1", Constant::new(4.0).unwrap())
        .input("d", "1", LogNormal::from_moments(1.0, 0.4).unwrap())
        .input("e", "1", Uniform::new(-1.0, 1.0).unwrap())
        .correlation("d", "a", Correlation::OfInputs(-0.4))
        .correlation("e", "d", Correlation::OfInputs(0.5))
        .build()
        .unwrap()
}

/// Correlation of two rows.
fn pearson(w: &DMatrix<f64>, i: usize, j: usize) -> f64 {
    let (a, b) = (w.row(i).add_scalar(-w.row(i).mean()), w.row(j).add_scalar(-w.row(j).mean()));
    a.dot(&b) / (a.norm() * b.norm())
}

/// With 200,000 draws the standard error of a correlation is at most about 0.0025 and that of a mean
/// sd / 447; each of the 10 comparisons is at 4.5 standard errors: a false alarm once in 15,000 seeds.
#[test]
fn draws_have_the_means_and_correlations_that_were_given() {
    let inputs = correlated();
    let w = inputs.sample(200_000, 11).unwrap();
    for (i, input) in inputs.iter().enumerate() {
        let distribution = input.distribution().unwrap();
        let error = (w.row(i).mean() - distribution.mean()).abs();
        assert!(error <= 4.5 * distribution.sd() / 200_000_f64.sqrt(), "{}: {error}", input.name());
    }
    for (i, j, rho) in [(0, 3, -0.4), (3, 4, 0.5), (0, 1, 0.0), (1, 3, 0.0), (0, 4, 0.0)] {
        let error = (pearson(&w, i, j) - rho).abs();
        assert!(error < 4.5 * 0.0025, "{i} {j}: {error}");
    }
}

#[test]
fn a_longer_sample_begins_with_the_shorter_one_on_any_number_of_threads() {
    let inputs = correlated();
    let long = inputs.sample(3000, 5).unwrap();
    let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    let short = one.install(|| inputs.sample(1700, 5).unwrap());
    assert_eq!(long.columns(0, 1700), short);
}

#[test]
fn scores_undo_the_transform() {
    let inputs = correlated();
    let u = DMatrix::from_fn(4, 300, |i, j| 5.0 * ((i * 300 + j) as f64 * 1.7).sin());
    let w = inputs.transform(u.as_view()).unwrap();
    assert!(w.row(2).iter().all(|w| (w - 4.0).abs() < 1e-300));
    // The uniform input loses digits close to its bounds.
    assert!((inputs.to_normal(w.as_view()).unwrap() - u).amax() < 1e-8);
    let error = inputs.transform(DMatrix::zeros(5, 1).as_view()).unwrap_err();
    assert_eq!(error, InputsError::Dimension { expected: 4, actual: 5 });
    assert!(inputs.to_normal(DMatrix::zeros(4, 1).as_view()).is_err());
    let median = inputs.median().unwrap();
    assert!((median[0] - 2.0).abs() < 1e-14 && median[4].abs() < 1e-15);
}

#[test]
fn extreme_shapes_have_finite_increasing_quantiles_with_right_scores() {
    let distributions: [Distribution; 12] = [
        Gamma::new(1e-3, 1.0).unwrap().into(),
        Gamma::new(1e6, 1.0).unwrap().into(),
        Beta::new(1e-3, 1e-3, 0.0, 1.0).unwrap().into(),
        Beta::new(1e-3, 1e6, 0.0, 1.0).unwrap().into(),
        Beta::new(1e6, 1e6, 0.0, 1.0).unwrap().into(),
        Beta::new(0.5, 1e6, 0.0, 1.0).unwrap().into(),
        StudentT::new(0.0, 1.0, 0.5).unwrap().into(),
        StudentT::new(0.0, 1.0, 1e6).unwrap().into(),
        Weibull::new(0.02, 1.0).unwrap().into(),
        Weibull::new(1e3, 1.0).unwrap().into(),
        Exponential::new(1e-200).unwrap().into(),
        Gumbel::new(1e6, 1e-3).unwrap().into(),
    ];
    for d in &distributions {
        let mut last = f64::NEG_INFINITY;
        for k in -120..=120 {
            let u = f64::from(k) / 10.0;
            let w = d.at_normal(u);
            assert!(w.is_finite() && w >= last, "{d:?} at {u}: {w:e} after {last:e}");
            last = w;
            let (below, above) = (d.to_normal(w * (1.0 - 4e-16)), d.to_normal(w * (1.0 + 4e-16)));
            let tolerance = 1e-8 + (above - below).abs();
            let back = d.to_normal(w);
            // Below 1e-300 a value has lost its digits.
            let countable = w.abs() > 1e-300 && back.is_finite();
            assert!(!countable || (back - u).abs() < tolerance, "{d:?} at {u}: {w:e}, {back}");
        }
        assert!(d.at_normal(f64::NAN).is_nan() && d.to_normal(f64::NAN).is_nan());
    }
    // A t with 1e6 degrees of freedom is the normal to order 1/nu: x = u + (u^3 + u) / (4 nu).
    let (nu, u) = (1e6, 3.0_f64);
    let x = StudentT::new(0.0, 1.0, nu).unwrap().at_normal(u);
    assert!((x - (u + (u.powi(3) + u) / (4.0 * nu))).abs() < 1e-10);
}

/// A turn of the plane with a shift.
#[derive(Debug)]
struct Turned;

impl Transform for Turned {
    fn dim(&self) -> usize {
        2
    }

    fn transform(
        &self,
        u: DMatrixView<'_, f64>,
    ) -> Result<DMatrix<f64>, Box<dyn Error + Send + Sync>> {
        if u.iter().any(|u| u.abs() > 100.0) {
            return Err("too far out".into());
        }
        Ok(DMatrix::from_fn(2, u.ncols(), |i, j| if i == 0 { 3.0 - u[(1, j)] } else { u[(0, j)] }))
    }

    fn to_normal(
        &self,
        w: DMatrixView<'_, f64>,
    ) -> Result<DMatrix<f64>, Box<dyn Error + Send + Sync>> {
        Ok(DMatrix::from_fn(2, w.ncols(), |i, j| if i == 0 { w[(1, j)] } else { 3.0 - w[(0, j)] }))
    }
}

#[test]
fn a_map_can_give_all_inputs_together() {
    let units = ["m", "s"].map(|unit| (format!("in {unit}"), unit.to_owned()));
    let inputs = Inputs::from_map(units.clone(), Arc::new(Turned)).unwrap();
    let w = inputs.sample(100, 3).unwrap();
    let u = inputs.to_normal(w.as_view()).unwrap();
    assert!((inputs.transform(u.as_view()).unwrap() - w).amax() < 1e-15);
    assert_eq!(inputs.names().collect::<Vec<_>>(), ["in m", "in s"]);
    assert!(inputs.mean()[0].is_nan() && (inputs.median().unwrap()[0] - 3.0).abs() < 1e-15);
    let far = inputs.transform(DMatrix::repeat(2, 1, 1e3).as_view()).unwrap_err();
    assert_eq!(far.to_string(), "the map of the inputs failed: too far out");
    assert!(serde_json::to_string(&inputs).unwrap_err().to_string().contains("no text form"));
    let [first, _] = units;
    assert!(Inputs::from_map([first], Arc::new(Turned)).is_err());
}
