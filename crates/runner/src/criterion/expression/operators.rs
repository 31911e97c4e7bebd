//! What may stand in an expression.

use exmex::{BinOp, MakeOperators, Operator};

type Unary = fn(f64) -> f64;
type Binary = fn(f64, f64) -> f64;

/// Functions of one argument.
const UNARY: [(&str, Unary); 16] = [
    ("abs", f64::abs),
    ("sqrt", f64::sqrt),
    ("exp", f64::exp),
    ("ln", f64::ln),
    ("log10", f64::log10),
    ("sin", f64::sin),
    ("cos", f64::cos),
    ("tan", f64::tan),
    ("asin", f64::asin),
    ("acos", f64::acos),
    ("atan", f64::atan),
    ("sinh", f64::sinh),
    ("cosh", f64::cosh),
    ("tanh", f64::tanh),
    ("floor", f64::floor),
    ("ceil", f64::ceil),
];

/// Functions of two arguments. The smaller and the larger of a number and NaN is NaN: `f64::min` would hide it.
const BINARY: [(&str, Binary); 4] = [
    ("min", |a, b| if a.is_nan() || b.is_nan() { f64::NAN } else { a.min(b) }),
    ("max", |a, b| if a.is_nan() || b.is_nan() { f64::NAN } else { a.max(b) }),
    ("hypot", f64::hypot),
    ("atan2", f64::atan2),
];

/// A minus sign before an operand, as an operator between zero and the operand.
///
/// It binds more tightly than a product and less tightly than a power, so that `-x^2` is `-(x^2)` as in
/// mathematics; the minus sign of `exmex` binds more tightly than all operators.
pub(super) const MINUS: char = '~';

/// The number of arguments of the function `name`, if there is one.
pub(super) fn arguments(name: &str) -> Option<usize> {
    let unary = UNARY.iter().any(|(known, _)| *known == name).then_some(1);
    unary.or_else(|| BINARY.iter().any(|(known, _)| *known == name).then_some(2))
}

/// The names of all functions.
pub(super) fn functions() -> Vec<String> {
    let unary = UNARY.iter().map(|(name, _)| (*name).to_owned());
    unary.chain(BINARY.iter().map(|(name, _)| (*name).to_owned())).collect()
}

/// The operators, for `exmex`.
#[derive(Clone, Debug)]
pub(super) struct Operators;

impl MakeOperators<f64> for Operators {
    fn make<'a>() -> Vec<Operator<'a, f64>> {
        let binary = |apply: Binary, prio, is_commutative| BinOp { apply, prio, is_commutative };
        let mut operators = vec![
            Operator::make_bin("+", binary(|a, b| a + b, 1, true)),
            // Before an operand, only after `^`.
            Operator::make_bin_unary("-", binary(|a, b| a - b, 1, false), |a| -a),
            Operator::make_bin("*", binary(|a, b| a * b, 2, true)),
            Operator::make_bin("/", binary(|a, b| a / b, 2, false)),
            Operator::make_bin("~", binary(|_, b| -b, 3, false)),
            Operator::make_bin("^", binary(f64::powf, 4, false)),
        ];
        operators.extend(UNARY.map(|(name, f)| Operator::make_unary(name, f)));
        operators.extend(BINARY.map(|(name, f)| Operator::make_bin(name, binary(f, 0, false))));
        operators
    }
}
