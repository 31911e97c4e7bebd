//! Tests of criteria as a user writes them.

use nalgebra::DMatrix;

use super::*;

fn names() -> Vec<String> {
    ["x", "y"].map(str::to_owned).into()
}

fn moments() -> Standardise {
    Standardise::new(vec![10.0, -5.0], vec![2.0, 4.0]).unwrap()
}

/// The limit state at a point in physical units.
fn value(text: &str, point: [f64; 2]) -> f64 {
    let criterion = FailureCriterion::parse(text, "c.toml", &names(), &moments()).unwrap();
    let x = DMatrix::from_column_slice(2, 1, &point);
    criterion.evaluate(moments().apply(x.as_view()).as_view()).unwrap()[0]
}

#[test]
fn regions_are_where_they_were_put() {
    let half = "[[half_space]]\nfeatures = { x = 1.0, y = -1.0 }\nat_least = 20.0\n";
    assert!(value(half, [14.0, -5.0]) > 0.0 && value(half, [15.5, -5.0]) < 0.0);
    // 2 x_std - 4 y_std >= 5: the distance from the mean is 5 / sqrt(20).
    assert!((value(half, [10.0, -5.0]) - 5.0 / 20.0_f64.sqrt()).abs() < 1e-12);
    let low = "[[half_space]]\nfeatures = { y = 1.0 }\nat_most = -9.0\n";
    assert!((value(low, [0.0, -9.0])).abs() < 1e-12 && value(low, [0.0, -10.0]) < 0.0);

    let bounds = "[[box]]\nfeatures = { x = [11.0, inf], y = [-6.0, -4.0] }\n";
    assert!(value(bounds, [12.0, -5.0]) < 0.0 && value(bounds, [12.0, -3.0]) > 0.0);
    for units in ["standardised", "standardized"] {
        let standard = format!(
            "units = \"{units}\"\n[[box]]\nfeatures = {{ x = [0.5, 1.5], y = [-1.0, 1.0] }}\n"
        );
        assert!(value(&standard, [12.0, -5.0]) < 0.0 && value(&standard, [14.0, -5.0]) > 0.0);
    }

    let points = "[[ellipsoid]]\nfeatures = [\"y\", \"x\"]\npoints = [[-6, 9], [-4, 9], [-6, 11], [-4, 11]]\n";
    assert!(value(points, [10.0, -5.0]) < 0.0 && value(points, [11.0, -4.0]).abs() < 1e-6);
    let both = format!("{half}{points}");
    assert!(value(&both, [10.0, -5.0]) < 0.0 && value(&both, [15.5, -5.0]) < 0.0);
}

#[test]
fn combinations_of_regions() {
    // Two slanted half-spaces, whose intersection is a wedge with its tip at (12, -5).
    let wedge = |name: &str, more: &str| {
        format!(
            "[[{name}]]\n{more}[[{name}.half_space]]\nfeatures = {{ x = 1.0, y = 1.0 }}\n\
             at_least = 7.0\n[[{name}.half_space]]\nfeatures = {{ x = 1.0, y = -1.0 }}\n\
             at_least = 17.0\n"
        )
    };
    let (inside, one, none) = ([13.0, -5.0], [12.0, -3.0], [11.0, -5.0]);
    let fails = |text: &str| [inside, one, none].map(|point| value(text, point) <= 0.0);
    let all = wedge("intersection", "");
    assert_eq!(fails(&all), [true, false, false]);
    // The distance is to the second boundary: 2 x_std - 4 y_std = 2 with y_std = 0.5.
    assert!((value(&all, one) - 2.0 / 20.0_f64.sqrt()).abs() < 1e-12);
    let both = wedge("k_out_of_n", "k = 2\n");
    assert!((value(&both, one) - value(&all, one)).abs() < 1e-15);
    assert_eq!(fails(&wedge("k_out_of_n", "k = 1\n")), [true, true, false]);
    assert_eq!(fails(&wedge("outside", "")), [false, false, true]);

    // The outside of an ellipsoid, and of it only where x is large.
    let circle = "ellipsoid]]\nfeatures = [\"x\", \"y\"]\npoints = [[9, -5], [11, -5], [10, -4], [10, -6]]\n";
    let out = format!("[[outside]]\n[[outside.{circle}");
    assert_eq!(fails(&out), [true; 3]);
    assert!(value(&out, [10.2, -5.1]) > 0.0);
    let ring = format!(
        "[[intersection]]\n[[intersection.box]]\nfeatures = {{ x = [9.0, 14.0] }}\n\
         [[intersection.outside]]\n[[intersection.outside.{circle}"
    );
    assert_eq!(fails(&ring), [true; 3]);
    assert!(value(&ring, [10.2, -5.1]) > 0.0 && value(&ring, [8.0, -5.0]) > 0.0);
}

#[test]
fn expressions_are_on_features_in_the_units_of_the_file() {
    let slanted = "[[expression]]\nfails_if = \"x - 0.5 * y^2 >= 2\"\n";
    assert!(value(slanted, [14.0, -5.0]) > 0.0 && value(slanted, [14.6, -5.0]) < 0.0);
    let standard = format!("units = \"standardised\"\n{}", slanted.replace(">= 2", ">= 0"));
    assert!(value(&standard, [10.5, -9.0]) > 0.0 && value(&standard, [11.1, -9.0]) < 0.0);
    // A linear expression is a half-space, with the same distances.
    let linear = "[[expression]]\nfails_if = \"x - y >= 20\"\n";
    let half = "[[half_space]]\nfeatures = { x = 1.0, y = -1.0 }\nat_least = 20.0\n";
    assert!((value(linear, [11.0, -3.0]) - value(half, [11.0, -3.0])).abs() < 1e-12);
}

#[test]
fn an_expression_without_a_value_is_unknown_where_it_decides() {
    let root = "[[expression]]\nfails_if = \"sqrt(x) > 3\"\n";
    let bounds = "[[box]]\nfeatures = { y = [-6.0, -4.0] }\n";
    let both = |name: &str, k: &str| {
        format!("[[{name}]]\n{k}[[{name}.{}[[{name}.{}", &root[2..], &bounds[2..])
    };
    let (inside, outside) = ([-1.0, -5.0], [-1.0, 0.0]);
    assert!(value(root, inside).is_nan());
    let union = format!("{root}{bounds}");
    assert!(value(&union, inside) < 0.0 && value(&union, outside).is_nan());
    let all = both("intersection", "");
    assert!(value(&all, inside).is_nan() && value(&all, outside) > 0.0);
    let none = both("outside", "");
    assert!(value(&none, inside) > 0.0 && value(&none, outside).is_nan());
    let one = both("k_out_of_n", "k = 1\n");
    assert!(value(&one, inside) < 0.0 && value(&one, outside).is_nan());
}

#[test]
fn nan_features_have_no_answer_in_any_region() {
    let half = "[[half_space]]\nfeatures = { x = 1.0 }\nat_least = 20.0\n";
    let bounds = "[[box]]\nfeatures = { y = [-6.0, -4.0] }\n";
    for text in [half, bounds] {
        assert!(value(text, [f64::NAN, -5.0]).is_nan() && value(text, [10.0, f64::NAN]).is_nan());
    }
}

#[test]
fn mistakes_are_shown_with_their_line() {
    let message = |text: &str| {
        let error = FailureCriterion::parse(text, "c.toml", &names(), &moments()).unwrap_err();
        // As the terminal shows it.
        crate::output::terminal::message(&error, false)
    };
    let cases = [
        (
            "[[box]]\nfeatures = { h = [0.0, 1.0] }\n",
            "line 2: there is no feature `h`; the features are x, y",
        ),
        ("[[box]]\nfeature = { x = [0.0, 1.0] }\n", "unknown field `feature`"),
        ("[[sphere]]\n", "unknown field `sphere`"),
        ("\n[[box]]\nfeatures = { x = [1.0, 0.0] }\n", "line 3: `x` has the bounds 1 and 0"),
        ("[[box]]\nfeatures = { x = [-inf, inf] }\n", "contains all outcomes"),
        ("[[half_space]]\nfeatures = { x = 1.0 }\n", "line 2: a half-space needs either"),
        ("[[half_space]]\nfeatures = { x = 0.0 }\nat_most = 1.0\n", "not all of them zero"),
        (
            "[[ellipsoid]]\nfeatures = [\"x\", \"y\"]\npoints = [[0, 0], [1, 1]]\n",
            "line 3: no ellipsoid encloses these points",
        ),
        (
            "[[ellipsoid]]\nfeatures = [\"x\", \"y\"]\npoints = [[0, 0, 0]]\n",
            "a point has 3 numbers, but there are 2 features",
        ),
        ("", "defines no region"),
        (
            "[[box]]\nfeatures = { y = [0.0, 1.0], x = [0.0, 1.0, 2.0] }\n",
            "line 2: `x` has 3 numbers; write its lower and its upper bound",
        ),
        ("[[box]]\nfeatures = { x = [0.0] }\n", "line 2: `x` has 1 numbers"),
        (
            "[[ellipsoid]]\nfeatures = [\"x\", \"x\"]\npoints = [[0, 0], [1, 1], [0, 1]]\n",
            "line 2: the ellipsoid names `x` twice",
        ),
        (
            "[[half_space]]\nfeatures = { x = 1.0 }\nat_least = inf\n",
            "line 3: `at_least` is inf; it must be a finite number",
        ),
        (
            "[[half_space]]\nfeatures = { x = 1.0 }\nat_most = nan\n",
            "line 3: `at_most` is NaN; it must be a finite number",
        ),
        (
            "[[half_space]]\nfeatures = { x = inf }\nat_most = 1.0\n",
            "line 2: `x` is inf; it must be a finite number",
        ),
        (
            "[[half_space]]\nfeatures = { x.m = 1.0 }\nat_most = 1.0\n",
            "line 2: invalid type: map, expected",
        ),
        (
            "[[box]]\nfeatures = { x.m = [1.0, 2.0] }\n",
            "write a feature whose name has a dot in quotes, for example \"a.b\"",
        ),
        (
            "[[expression]]\nfails_if = \"x + w > 1\"\n",
            "line 2: `fails_if`, character 5: there is no feature `w`; the features are x, y",
        ),
        ("[[expression]]\nfail_if = \"x > 1\"\n", "line 2: unknown field `fail_if`"),
        ("\n[[intersection]]\n", "line 2: the [[intersection]] has no region"),
        ("[[k_out_of_n]]\n[[k_out_of_n.box]]\nfeatures = { x = [0, 1] }\n", "needs `k`"),
        (
            "[[k_out_of_n]]\nk = 2\n[[k_out_of_n.box]]\nfeatures = { x = [0, 1] }\n",
            "line 2: `k` is 2; it must lie between 1 and the number of regions, 1",
        ),
        ("k = 1\n[[box]]\nfeatures = { x = [0, 1] }\n", "line 1: `k` belongs to a [[k_out"),
        (
            "[[outside]]\nunits = \"physical\"\n[[outside.box]]\nfeatures = { x = [0, 1] }\n",
            "line 2: `units` belongs to the whole file",
        ),
    ];
    for (text, expected) in cases {
        let message = message(text);
        assert!(message.contains("c.toml") && message.contains(expected), "{message}");
        assert!(!message.contains('\n'), "{message}");
    }
}
