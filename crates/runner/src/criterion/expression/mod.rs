//! Expressions on features, such as `distance - 0.3 * speed^2 >= 75`.
//!
//! Numbers, features, `+ - * / ^`, parentheses, functions and `pi`, with one comparison. A minus sign binds
//! less tightly than a power, as in mathematics: `-x^2` is `-(x^2)`.

mod formula;
mod operators;
mod token;

use exmex::{Express, FlatEx};

use self::{
    formula::{Variable, Variables, formula},
    operators::Operators,
    token::{Comparison, Token, placed, tokens},
};

/// Longest expression, in bytes.
const MAX_LENGTH: usize = 10_000;

/// A comparison of two expressions on features.
#[derive(Clone, Debug)]
pub(super) struct Expression {
    /// Zero or less where the comparison holds.
    difference: FlatEx<f64, Operators>,
    variables: Vec<Variable>,
    strict: bool,
}

impl Expression {
    /// Reads a comparison of features called `names`.
    ///
    /// # Errors
    /// Says what is wrong and at which character.
    pub(super) fn parse(text: &str, names: &[String]) -> Result<Self, String> {
        if text.len() > MAX_LENGTH {
            return Err(format!(
                "the expression has {} bytes; at most {MAX_LENGTH} are read",
                text.len()
            ));
        }
        let tokens = tokens(text)?;
        let place = tokens.iter().position(|placed| matches!(placed.token, Token::Compare(_)));
        let end = text.chars().count();
        let Some((place, Token::Compare(Comparison { greater, strict }))) =
            place.map(|place| (place, &tokens[place].token))
        else {
            return Err(placed(end, "there is no comparison; write one of >= > <= <"));
        };
        let mut variables = Variables::default();
        let left = formula(&tokens[..place], tokens[place].at, names, &mut variables)?;
        let right = formula(&tokens[place + 1..], end, names, &mut variables)?;
        let Variables { list: variables } = variables;
        if !variables.iter().any(|variable| matches!(variable, Variable::Feature(_))) {
            return Err("the expression names no feature".to_owned());
        }
        let (large, small) = if *greater { (left, right) } else { (right, left) };
        let difference = FlatEx::parse(&format!("({small})-({large})"))
            .map_err(|error| format!("the expression cannot be read: {error}"))?;
        Ok(Self { difference, variables, strict: *strict })
    }

    /// The difference of the two sides for features `x`, `[d]`: zero or less where the comparison holds, NaN
    /// where the expression has no value.
    pub(super) fn value(&self, x: impl Fn(usize) -> f64) -> f64 {
        let values: Vec<f64> = self
            .variables
            .iter()
            .map(|variable| match variable {
                Variable::Feature(i) => x(*i),
                Variable::Number(value) => *value,
            })
            .collect();
        let value = self.difference.eval(&values).unwrap_or(f64::NAN);
        if self.strict && value == 0.0 { f64::MIN_POSITIVE } else { value }
    }

    /// The features that the expression names.
    pub(super) fn features(&self) -> impl Iterator<Item = usize> + '_ {
        self.variables.iter().filter_map(|variable| match variable {
            Variable::Feature(i) => Some(*i),
            Variable::Number(_) => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names() -> Vec<String> {
        ["x", "y", "z", "a.b", "max", "größe"].map(str::to_owned).into()
    }

    fn value(text: &str, x: &[f64]) -> f64 {
        Expression::parse(text, &names()).unwrap().value(|i| x[i])
    }

    /// The values are those of Python 3 with `**` for `^`.
    #[test]
    fn expressions_have_the_values_of_python() {
        let point = [1.7, -0.6, 3.25, 0.0, 0.0, 0.0];
        let cases: [(&str, f64); 45] = [
            ("-x^2", -2.8899999999999997),
            ("-x^2*y", 1.7339999999999998),
            ("2*-x", -3.4),
            ("2/-x", -1.1764705882352942),
            ("2^-3", 0.125),
            ("x^-y", 1.3748944308911808),
            ("x - -y", 1.1),
            ("--x", 1.7),
            ("-(-x)^2", -2.8899999999999997),
            ("x-y-z", -0.9500000000000002),
            ("x/y/z", -0.8717948717948718),
            ("x/y*z", -9.208333333333334),
            ("x-y*z", 3.65),
            ("(x-y)*z", 7.475),
            ("x*y^2", 0.612),
            ("-x*y", 1.02),
            ("-x/y^2", -4.722222222222222),
            ("x*-y^2", -0.612),
            ("3e-2*z + 1.5E+1", 15.0975),
            ("max(x, y)*2 - min(z, -y)", 2.8),
            ("x*max(x, y)^2", 4.912999999999999),
            ("2^-max(x, y)", 0.3077861033362291),
            ("hypot(x, y + z)^2", 9.9125),
            ("atan2(-y, x)", 0.3392926144540447),
            ("sqrt(abs(y)) + exp(-x^2/2)/sqrt(2*pi)", 0.8686457466183704),
            ("ln(z)*log10(x)", 0.27161977258404574),
            ("sin(x)^2 + cos(x)^2", 0.9999999999999999),
            ("tan(x/3) - asin(y)", 1.2797768672856793),
            ("acos(y)*atan(z)", 2.817244859516185),
            ("sinh(y) - cosh(y)*tanh(x)", -1.7455485001765405),
            ("floor(y) + ceil(x)", 1.0),
            ("-sin(-x)", 0.9916648104524686),
            ("2^(x-y)", 4.924577653379664),
            ("(x+y)^-(z-1)", 0.8069868509721573),
            ("-max(-x, -y)", -0.6),
            ("+x", 1.7),
            ("x**2 - .5*y", 3.1899999999999995),
            ("x^2-y^2", 2.53),
            ("1/x^2", 0.34602076124567477),
            ("-2^2", -4.0),
            ("4-+-3*x", 9.1),
            ("-x-y", -1.1),
            ("-x+y*-z-2^-x*3", -0.6733583100086873),
            ("min(max(x, y), z)", 1.7),
            ("max(x^2, -y^2)", 2.8899999999999997),
        ];
        for (text, expected) in cases {
            let found = value(&format!("{text} <= 0 * x"), &point);
            let bound = 4.0 * f64::EPSILON * expected.abs().max(1.0);
            assert!((found - expected).abs() <= bound, "{text}: {found}, not {expected}");
        }
    }

    #[test]
    fn comparisons_hold_where_the_value_is_not_positive() {
        let at = |x: f64| [x, 2.0, 3.0, 4.0, 5.0, 6.0];
        for (text, below, equal, above) in [
            ("x >= y", false, true, true),
            ("x > y", false, false, true),
            ("y <= x", false, true, true),
            ("x <= y", true, true, false),
            ("x < y", true, false, false),
            ("y ≥ x", true, true, false),
        ] {
            let holds = [1.0, 2.0, 3.0].map(|x| value(text, &at(x)) <= 0.0);
            assert_eq!(holds, [below, equal, above], "{text}");
        }
        let named = value("{a.b} * a.b / a.b * max(max, größe) <= pi - pi", &at(1.0));
        assert!((named - 24.0).abs() < 1e-14, "{named}");
        // No value is not a small one.
        assert!(value("sqrt(-x) <= 1", &at(1.0)).is_nan());
        assert!(value("min(0 * x, ln(-x)) <= 1", &at(1.0)).is_nan());
    }

    #[test]
    fn mistakes_are_shown_with_their_character() {
        for (text, expected) in [
            ("", "character 1: there is no comparison"),
            ("x + y", "character 6: there is no comparison"),
            ("x >= y >= z", "character 8: an expression has one comparison"),
            ("x >= 1 && y >= 2", "character 8: an expression has one comparison"),
            ("x == 1", "character 3: equality has no probability"),
            ("w >= 1", "character 1: there is no feature `w`; the features are x, y"),
            ("a.c >= 1", "character 1: there is no feature `a.c`; the features are x"),
            ("foo(x) >= 1", "character 1: there is no function `foo`; the functions are abs, sqrt"),
            ("sin >= 1", "character 1: there is no feature `sin`"),
            ("2x >= 1", "character 1: `2x` is not a number; write products with *"),
            ("1_000 >= x", "character 1: `1_000` is not a number"),
            ("1.5.2 >= x", "character 1: `1.5.2` is not a number"),
            ("1e999 >= x", "character 1: `1e999` is not a number"),
            ("x y >= 1", "character 3: an operator is missing before this"),
            ("2 (y) >= 1", "character 3: an operator is missing before this"),
            ("x (y) >= 1", "character 1: there is no function `x`"),
            ("(x) max(x, y) >= 1", "character 5: an operator is missing before this"),
            ("x + >= 1", "character 5: an operand is missing here"),
            ("x * / y >= 1", "character 5: an operand is missing before `/`"),
            ("x >= ", "character 6: an operand is missing here"),
            ("(x >= 1)", "character 1: the parenthesis that begins here is not closed"),
            ("x) >= 1", "character 2: there is no opening parenthesis"),
            ("max(x) >= 1", "character 6: the function takes 2 arguments, not 1"),
            ("sin(x, y) >= 1", "character 6: 1 argument(s) are expected here, not more"),
            ("x, y >= 1", "character 2: a comma separates"),
            ("x^y^z >= 1", "character 4: a power of a power needs parentheses"),
            ("x^-y^z >= 1", "character 5: a power of a power needs parentheses"),
            ("x % 2 >= 1", "character 3: `%` has no meaning here"),
            ("{x >= 1", "character 1: there is no closing brace"),
            ("1 >= 2", "the expression names no feature"),
        ] {
            let message = Expression::parse(text, &names()).unwrap_err();
            assert!(message.contains(expected), "{text}: {message}");
        }
        let long = format!("x >= {}1", "1+".repeat(5_000));
        assert!(Expression::parse(&long, &names()).unwrap_err().contains("at most 10000"));
        let deep = format!("x >= {}1{}", "(".repeat(4_900), ")".repeat(4_900));
        assert!(Expression::parse(&deep, &names()).is_ok());
    }
}
