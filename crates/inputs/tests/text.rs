//! Inputs from TOML and JSON, and what is said about bad ones.

use inputs::{Correlation, Inputs, InputsError, Normal, StudentT, Uniform};

const TEXT: &str = r#"
wind = { normal = { mean = 0.0, sd = 2.0 }, unit = "m/s" }
gap = { uniform = { from = 0.0, to = 3.0 } }
area = { log_normal = { mean = 5.0, sd = 2.0 }, unit = "m²" }
load = { gumbel = { mean = 10.0, sd = 1.0 } }
cut = { truncated_normal = { mean = 0.0, sd = 1.0, from = -1.0 } }
seats = { discrete = { values = [1.0, 2.0], probabilities = [0.25, 0.75] } }
seen = { table = { values = [3.0, 1.0, 2.0] } }
fixed = { constant = { value = 4.0 } }
share = { beta = { alpha = 2.0, beta = 3.0 } }

[correlation]
wind_gap = ["wind", "gap", 0.3]
other = ["area", "load", -0.2, "scores"]
"#;

#[test]
fn a_file_is_read_in_its_order_and_written_back() {
    let inputs: Inputs = toml::from_str(TEXT).unwrap();
    let names: Vec<_> = inputs.names().collect();
    assert_eq!(names, ["wind", "gap", "area", "load", "cut", "seats", "seen", "fixed", "share"]);
    assert_eq!(inputs.units().collect::<Vec<_>>()[..3], ["m/s", "1", "m²"]);
    assert_eq!((inputs.len(), inputs.latent_dim()), (9, 8));
    assert!(
        (inputs.score_correlation(0, 1).unwrap() - 0.3 * (std::f64::consts::PI / 3.0).sqrt()).abs()
            < 1e-12
    );
    assert!((inputs.score_correlation(2, 3).unwrap() + 0.2).abs() < 1e-15);
    assert_eq!(inputs.score_correlation(0, 2), Some(0.0));
    assert_eq!(inputs.score_correlation(0, 7), None);
    let again: Inputs = toml::from_str(&toml::to_string(&inputs).unwrap()).unwrap();
    assert_eq!(again, inputs);
    let again: Inputs = serde_json::from_str(&serde_json::to_string(&inputs).unwrap()).unwrap();
    assert_eq!(again, inputs);
}

fn message(text: &str) -> String {
    toml::from_str::<Inputs>(text).unwrap_err().to_string()
}

#[test]
fn bad_text_is_explained() {
    let cases = [
        (
            "wind = { normall = { mean = 0.0, sd = 1.0 } }",
            "input `wind`: no distribution is named `normall`; there are normal, log_normal",
        ),
        (
            "wind = { normal = { mean = 0.0, sd = -1.0 } }",
            "input `wind`: the normal distribution needs `sd` to be finite and above 0, got -1",
        ),
        ("wind = { normal = { mean = 0.0 } }", "missing field `sd`"),
        ("wind = { normal = { mean = 0.0, sd = 1.0, unit = \"m\" } }", "unknown field `unit`"),
        ("wind = { unit = \"m\" }", "input `wind` has no distribution; give one of normal"),
        (
            "wind = { normal = { mean = 0.0, sd = 1.0 }, uniform = { from = 0.0, to = 1.0 } }",
            "input `wind`: `uniform` is a second distribution",
        ),
        ("wind = 3.0", "a table for the input `wind`"),
        (
            "a = { log_normal = { mean = 1.0, ln_sd = 1.0 } }",
            "given by `ln_mean` and `ln_sd`, or by `mean` and `sd`",
        ),
        ("a = { uniform = { from = 2.0, to = 1.0 } }", "`to` to be above `from`, got 1"),
        ("a = { constant = { value = inf } }", "`value` to be finite, got inf"),
        ("[correlation]\nx = [\"a\", \"b\", 0.1]", "a correlation names `a`"),
        (
            "[correlation]\nx = [\"a\", 0.1]",
            "correlation `x`: a correlation is [\"name\", \"name\", number]",
        ),
    ];
    for (text, expected) in cases {
        let actual = message(text);
        assert!(actual.contains(expected), "{text}\n{actual}");
    }
}

fn three() -> inputs::InputsBuilder {
    let normal = Normal::new(0.0, 1.0).unwrap();
    Inputs::builder().input("a", "m", normal).input("b", "m", normal).input("c", "m", normal)
}

#[test]
fn bad_correlations_name_their_pair() {
    let rho = Correlation::OfInputs;
    let error = three().correlation("a", "b", rho(1.0)).build().unwrap_err();
    assert!(matches!(error, InputsError::Correlation { ref first, rho: 1.0, .. } if first == "a"));
    let error = three().correlation("a", "b", rho(f64::NAN)).build().unwrap_err();
    assert!(matches!(error, InputsError::Correlation { .. }));
    let error = three().correlation("a", "d", rho(0.1)).build().unwrap_err();
    assert_eq!(error.to_string(), "a correlation names `d`, but the inputs are a, b, c");
    let error = three().correlation("a", "a", rho(0.1)).build().unwrap_err();
    assert_eq!(error, InputsError::WithItself("a".to_owned()));
    let error = three()
        .correlation("a", "b", rho(0.1))
        .correlation("b", "a", rho(0.1))
        .build()
        .unwrap_err();
    assert!(matches!(error, InputsError::RepeatedPair { .. }));
    // With 0.9 twice the third must be at least 0.62.
    let contradiction = three()
        .correlation("a", "b", rho(0.9))
        .correlation("b", "c", rho(0.9))
        .correlation("a", "c", rho(0.6))
        .build()
        .unwrap_err();
    let expected =
        InputsError::NotPositiveDefinite { first: "b".into(), second: "c".into(), rho: 0.9 };
    assert_eq!(contradiction, expected);
    // Without the third it counts as 0.
    let missing = three()
        .correlation("a", "b", rho(0.9))
        .correlation("a", "c", rho(0.9))
        .build()
        .unwrap_err();
    assert!(matches!(missing, InputsError::NotPositiveDefinite { rho: 0.0, .. }));
    let fine = three()
        .correlation("a", "b", rho(0.9))
        .correlation("b", "c", rho(0.9))
        .correlation("a", "c", rho(0.63))
        .build();
    assert!(fine.is_ok());
}

#[test]
fn correlations_that_distributions_cannot_have_are_refused() {
    let builder = |d: inputs::Distribution| {
        Inputs::builder().input("a", "1", d).input("b", "1", Uniform::new(0.0, 1.0).unwrap())
    };
    let heavy = StudentT::new(0.0, 1.0, 2.0).unwrap();
    let error = builder(heavy.into()).correlation("a", "b", Correlation::OfInputs(0.1)).build();
    assert_eq!(error.unwrap_err(), InputsError::NoStandardDeviation { name: "a".to_owned() });
    let scores = builder(heavy.into()).correlation("a", "b", Correlation::OfScores(0.1)).build();
    assert_eq!(scores.unwrap().score_correlation(1, 0), Some(0.1));
    let constant = inputs::Constant::new(1.0).unwrap();
    let error = builder(constant.into()).correlation("a", "b", Correlation::OfScores(0.1)).build();
    assert_eq!(error.unwrap_err(), InputsError::CorrelatedConstant { name: "a".to_owned() });
    // The correlation of an exponential and a uniform variable reaches 0.866 = sqrt(3)/2.
    let exponential = inputs::Exponential::new(1.0).unwrap();
    let error =
        builder(exponential.into()).correlation("a", "b", Correlation::OfInputs(0.9)).build();
    let Err(InputsError::Unreachable { least, greatest, .. }) = error else { panic!("{error:?}") };
    assert!((greatest - 0.75_f64.sqrt()).abs() < 1e-9 && (least + 0.75_f64.sqrt()).abs() < 1e-9);
}

#[test]
fn names_must_differ_and_be_there() {
    let normal = Normal::new(0.0, 1.0).unwrap();
    let error = three().input("a", "m", normal).build().unwrap_err();
    assert_eq!(error, InputsError::RepeatedName("a".to_owned()));
    let error = three().input("", "m", normal).build().unwrap_err();
    assert_eq!(error, InputsError::EmptyName { index: 3 });
}
