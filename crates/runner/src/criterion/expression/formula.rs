//! One side of an expression, in the notation of `exmex`.

use std::{f64::consts::PI, fmt::Write as _};

use crate::{
    criterion::expression::{
        operators::{MINUS, arguments, functions},
        token::{ONE_COMPARISON, Placed, Token, placed},
    },
    outcomes::text::{listed, shown},
};

/// Features and numbers become variables `v0`, `v1`, ...: no name of a feature is in the way of a function,
/// and no digit of a number is lost.
#[derive(Debug, Default)]
pub(super) struct Variables {
    /// The values in their order.
    pub(super) list: Vec<Variable>,
}

/// What stands for a variable.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Variable {
    /// This feature.
    Feature(usize),
    /// This number.
    Number(f64),
}

impl Variables {
    fn name(&mut self, variable: Variable) -> String {
        let k = self.list.iter().position(|known| *known == variable).unwrap_or_else(|| {
            self.list.push(variable);
            self.list.len() - 1
        });
        // Always six digits: `exmex` sorts its variables by name.
        format!("v{k:06}")
    }
}

/// What is inside of one pair of parentheses, or outside of all.
#[derive(Debug)]
struct Level {
    /// Where it begins; nowhere outside of all parentheses.
    begin: Option<usize>,
    /// Arguments that a function needs; 1 without a function.
    needed: usize,
    found: usize,
    /// Whether the operand is an exponent.
    exponent: bool,
}

/// Writes `tokens` in the notation of `exmex`; `names` are those of the features, and the side of the comparison
/// ends before character `end`.
///
/// # Errors
/// Names the place of a feature or function that is not known, of a missing operand or operator, of a
/// parenthesis without its other, and of a power of a power without parentheses.
pub(super) fn formula(
    tokens: &[Placed],
    end: usize,
    names: &[String],
    variables: &mut Variables,
) -> Result<String, String> {
    let outside = Level { begin: None, needed: 1, found: 1, exponent: false };
    let mut side = Side {
        text: String::new(),
        outside,
        inside: Vec::new(),
        negative: false,
        operand_expected: true,
        names,
        variables,
    };
    let mut tokens = tokens.iter().peekable();
    while let Some(Placed { token, at }) = tokens.next() {
        let called = tokens.peek().is_some_and(|next| next.token == Token::Symbol('('));
        match token {
            Token::Number(value) => side.operand(Variable::Number(*value)),
            Token::Name(name) if called => {
                tokens.next();
                side.function(name, *at)
            }
            Token::Name(name) => side.feature(name, true),
            Token::Braced(name) => side.feature(name, false),
            Token::Symbol('(') => side.open(*at),
            Token::Symbol(symbol) => side.symbol(*symbol),
            Token::Compare(_) => Err(ONE_COMPARISON.to_owned()),
        }
        .map_err(|message| placed(*at, &message))?;
    }
    if let Some(begin) = side.inside.last().and_then(|level| level.begin) {
        return Err(placed(begin, "the parenthesis that begins here is not closed"));
    }
    if side.operand_expected {
        return Err(placed(end, "an operand is missing here"));
    }
    Ok(side.text)
}

/// A side of the comparison while it is read.
struct Side<'a> {
    text: String,
    outside: Level,
    inside: Vec<Level>,
    /// Whether there is a minus sign before the next operand.
    negative: bool,
    operand_expected: bool,
    names: &'a [String],
    variables: &'a mut Variables,
}

impl Side<'_> {
    fn level(&mut self) -> &mut Level {
        self.inside.last_mut().unwrap_or(&mut self.outside)
    }

    /// Begins an operand, with its sign.
    fn begin(&mut self) -> Result<(), String> {
        if !self.operand_expected {
            return Err("an operator is missing before this".to_owned());
        }
        if std::mem::take(&mut self.negative) {
            // After `^` the sign belongs to the exponent.
            if self.level().exponent {
                self.text.push('-');
            } else {
                self.variable(Variable::Number(0.0));
                self.text.push(MINUS);
            }
        }
        Ok(())
    }

    fn variable(&mut self, variable: Variable) {
        let name = self.variables.name(variable);
        let _ = write!(self.text, "{{{name}}}");
    }

    fn operand(&mut self, variable: Variable) -> Result<(), String> {
        self.begin()?;
        self.variable(variable);
        self.operand_expected = false;
        Ok(())
    }

    /// A feature; `free` says whether a name that is not one of a feature can be `pi`.
    fn feature(&mut self, name: &str, free: bool) -> Result<(), String> {
        let feature = self.names.iter().position(|known| known == name).map(Variable::Feature);
        let pi = (free && name == "pi").then_some(Variable::Number(PI));
        let Some(variable) = feature.or(pi) else {
            return Err(format!(
                "there is no feature `{}`; the features are {} (write a name that is not one word in braces, as in \
                 {{a.b}})",
                shown(name),
                listed(self.names, ", ")
            ));
        };
        self.operand(variable)
    }

    fn function(&mut self, name: &str, at: usize) -> Result<(), String> {
        let Some(needed) = arguments(name) else {
            let known = listed(&functions(), ", ");
            let name = shown(name);
            return Err(format!("there is no function `{name}`; the functions are {known}"));
        };
        self.begin()?;
        let _ = write!(self.text, "{name}(");
        self.inside.push(Level { begin: Some(at), needed, found: 1, exponent: false });
        Ok(())
    }

    fn open(&mut self, at: usize) -> Result<(), String> {
        self.begin()?;
        self.text.push('(');
        self.inside.push(Level { begin: Some(at), needed: 1, found: 1, exponent: false });
        Ok(())
    }

    fn symbol(&mut self, symbol: char) -> Result<(), String> {
        if self.operand_expected {
            if !matches!(symbol, '+' | '-') {
                return Err(format!("an operand is missing before `{symbol}`"));
            }
            self.negative ^= symbol == '-';
            return Ok(());
        }
        self.operand_expected = symbol != ')';
        match symbol {
            ')' => {
                let Some(Level { needed, found, .. }) = self.inside.pop() else {
                    return Err("there is no opening parenthesis for this one".to_owned());
                };
                if found != needed {
                    return Err(format!("the function takes {needed} arguments, not {found}"));
                }
            }
            ',' => {
                let Some(level) = self.inside.last_mut() else {
                    return Err("a comma separates arguments of a function only".to_owned());
                };
                level.found += 1;
                level.exponent = false;
                let needed = level.needed;
                if level.found > needed {
                    return Err(format!("{needed} argument(s) are expected here, not more"));
                }
            }
            _ => {
                let power = symbol == '^';
                let level = self.level();
                if power && level.exponent {
                    return Err("a power of a power needs parentheses, as in a^(b^c)".to_owned());
                }
                level.exponent = power;
            }
        }
        self.text.push(symbol);
        Ok(())
    }
}
