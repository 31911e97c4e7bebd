//! Failure criteria from files: half-spaces, boxes, ellipsoids and expressions on named features, and
//! combinations of them. A criterion is the union of its regions.
//!
//! ```toml
//! units = "physical"            # or "standardised", with the moments of the flow
//!
//! [[half_space]]                # 1.0 h - 0.2 v <= 50
//! features = { h = 1.0, v = -0.2 }
//! at_most = 50.0
//!
//! [[box]]                       # all of these bounds together
//! features = { theta = [0.3, inf], q = [-0.1, 0.1] }
//!
//! [[ellipsoid]]                 # the smallest ellipsoid around these points
//! features = ["x", "y"]
//! points = [[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]]
//!
//! [[expression]]                # with + - * / ^, functions and pi
//! fails_if = "h - 0.3 * v^2 >= 75"
//!
//! [[intersection]]              # the outcomes in all of the regions that follow
//! [[intersection.half_space]]
//! features = { h = 1.0 }
//! at_most = 10.0
//! [[intersection.half_space]]
//! features = { v = 1.0, h = 2.0 }
//! at_least = 90.0
//!
//! [program]                     # alone in its file: a program that gives `g`, at most 0 for a failure
//! command = ["python3", "judge.py"]
//! ```
//!
//! In the same way, `[[outside]]` is the outcomes in none of its regions, and `[[k_out_of_n]]` those in at
//! least `k` of them. Combinations may be combined.

mod expression;
mod file;
mod program;
mod reader;
mod region;

use std::path::Path;

use anyhow::Context;
use flow_core::bijection::Standardise;
use latent_is::{EvalError, Judge, Judgement, LimitState};
use nalgebra::{DMatrixView, DVector};

use crate::{
    criterion::{
        expression::Expression,
        file::{CriterionUnits, Group},
        program::ProgramJudge,
        reader::RegionReader,
        region::{Region, Scaled},
    },
    output::toml_error::toml_error,
};

/// A union of failure regions, or a program, as a limit state on standardised features: an outcome fails if it
/// lies in at least one region.
#[derive(Clone, Debug)]
pub struct FailureCriterion {
    dim: usize,
    rule: Rule,
    text: String,
}

/// What decides.
#[derive(Clone, Debug)]
enum Rule {
    Regions(Region),
    /// A program on features in their units.
    Program(ProgramJudge, Standardise),
}

impl FailureCriterion {
    /// Reads a criterion on the features `names`, `[d]`, with the moments of the training data.
    ///
    /// # Errors
    /// When the file cannot be read, and as [`parse`](Self::parse).
    pub fn read(path: &Path, names: &[String], moments: &Standardise) -> anyhow::Result<Self> {
        let origin = path.display().to_string();
        let text =
            std::fs::read_to_string(path).with_context(|| format!("cannot read {origin}"))?;
        Self::parse(text, &origin, names, moments)
    }

    /// Reads a criterion from text; `origin` names the file in messages.
    ///
    /// # Errors
    /// Names the line of invalid TOML, of an unknown key, of a feature that does not exist, of a
    /// region that is empty or has no bounds, and of points that no ellipsoid encloses.
    pub fn parse(
        text: impl Into<String>,
        origin: &str,
        names: &[String],
        moments: &Standardise,
    ) -> anyhow::Result<Self> {
        let text = text.into();
        let file: Group = toml::from_str(&text).map_err(|error| invalid(&error, &text, origin))?;
        Self::of_group(&file, text, origin, names, moments)
    }

    /// Reads a criterion on the outputs `names`, `[d]`, of a model, in their units. There are no training
    /// data, so nothing is standardised: the limit state is on the outputs themselves.
    ///
    /// # Errors
    /// As [`read`](Self::read), and when the file is in standardised units.
    pub fn read_for_model(path: &Path, names: &[String]) -> anyhow::Result<Self> {
        let origin = path.display().to_string();
        let text =
            std::fs::read_to_string(path).with_context(|| format!("cannot read {origin}"))?;
        let file: Group = toml::from_str(&text).map_err(|error| invalid(&error, &text, &origin))?;
        if let Some(units) = &file.units
            && *units.get_ref() == CriterionUnits::Standardised
        {
            let line = text.get(..units.span().start).unwrap_or_default().matches('\n').count() + 1;
            anyhow::bail!(
                "{origin}, line {line}: standardised units need the moments of a flow, and a model has none; \
                 write all numbers in the units of its outputs"
            );
        }
        Self::of_group(&file, text, &origin, names, &unscaled(names)?)
    }

    fn of_group(
        file: &Group,
        text: String,
        origin: &str,
        names: &[String],
        moments: &Standardise,
    ) -> anyhow::Result<Self> {
        let units = file.units.as_ref().map(|units| *units.get_ref()).unwrap_or_default();
        let reader = RegionReader { text: &text, origin, names, moments, units };
        let dim = names.len();
        reader.refuse_k(file)?;
        let regions = reader.regions(file)?;
        if let Some(program) = &file.program {
            let judge = reader.program(program, !regions.is_empty() || file.units.is_some())?;
            return Ok(Self { dim, rule: Rule::Program(judge, moments.clone()), text });
        }
        anyhow::ensure!(
            !regions.is_empty(),
            "{origin} defines no region; write an [[expression]], a [[half_space]], a [[box]] or an [[ellipsoid]]"
        );
        Ok(Self { dim, rule: Rule::Regions(Region::KOutOfN(1, regions)), text })
    }

    /// The criterion that `comparison` holds, such as `distance - 0.3 * speed^2 >= 75`, on the features `names`,
    /// `[d]`, in their units.
    ///
    /// # Errors
    /// Says what is wrong with the comparison and at which character.
    pub fn compare(
        comparison: &str,
        names: &[String],
        moments: &Standardise,
    ) -> anyhow::Result<Self> {
        let expression = Expression::parse(comparison, names)
            .map_err(|message| anyhow::anyhow!("`{comparison}`: {message}"))?;
        let scaled = Scaled::new(expression, moments.mean().to_vec(), moments.sd().to_vec());
        let text =
            format!("[[expression]]\nfails_if = {}\n", toml::Value::String(comparison.to_owned()));
        let rule = Rule::Regions(Region::Expression(Box::new(scaled)));
        Ok(Self { dim: names.len(), rule, text })
    }

    /// The same on the outputs of a model, see [`read_for_model`](Self::read_for_model).
    ///
    /// # Errors
    /// As [`compare`](Self::compare).
    pub fn compare_for_model(comparison: &str, names: &[String]) -> anyhow::Result<Self> {
        Self::compare(comparison, names, &unscaled(names)?)
    }

    /// Outcomes so far that the program of the criterion did not judge, and what the first of them said.
    pub fn missing(&self) -> (u64, Option<String>) {
        match &self.rule {
            Rule::Regions(_) => (0, None),
            Rule::Program(judge, _) => judge.missing(),
        }
    }

    /// The text of the file.
    pub fn text(&self) -> &str {
        &self.text
    }
}

/// Moments that leave the outputs of a model in their units.
fn unscaled(names: &[String]) -> anyhow::Result<Standardise> {
    Ok(Standardise::new(vec![0.0; names.len()], vec![1.0; names.len()])?)
}

/// The error of a text that is not a criterion; see [`toml_error`].
fn invalid(error: &toml::de::Error, text: &str, origin: &str) -> anyhow::Error {
    // `a.b` without quotes is the entry `b` of a table `a`.
    let mend = if error.message().contains("invalid type: map") {
        "; write a feature whose name has a dot in quotes, for example \"a.b\""
    } else {
        ""
    };
    toml_error(error, text, &format!("criterion {origin}"), mend)
}

impl LimitState for FailureCriterion {
    fn dim(&self) -> usize {
        self.dim
    }

    fn evaluate(&self, x_std: DMatrixView<'_, f64>) -> Result<DVector<f64>, EvalError> {
        let values = self.judge(x_std)?.into_iter().map(|value| value.unwrap_or(f64::NAN));
        Ok(DVector::from_iterator(x_std.ncols(), values))
    }
}

impl Judge for FailureCriterion {
    fn judge(&self, x_std: DMatrixView<'_, f64>) -> Result<Vec<Judgement>, EvalError> {
        match &self.rule {
            // A comparison with NaN is false, so that it would be safe for some regions and fail for others.
            Rule::Regions(region) => Ok(x_std
                .column_iter()
                .map(|x| {
                    let nan = x.iter().any(|v| v.is_nan());
                    Ok(if nan { f64::NAN } else { region.distance(x.as_slice()) })
                })
                .collect()),
            Rule::Program(judge, moments) => judge.judge(moments.undo(x_std).as_view()),
        }
    }
}

#[cfg(test)]
mod tests {
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
            assert!(
                value(text, [f64::NAN, -5.0]).is_nan() && value(text, [10.0, f64::NAN]).is_nan()
            );
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
}
