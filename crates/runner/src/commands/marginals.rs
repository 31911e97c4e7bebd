//! The maps of single features, as the option `--marginal` chooses them.

use std::str::FromStr;

use flow_core::{
    FlowError,
    marginals::{Marginal, MarginalChoice, Marginals},
};

use crate::{
    outcomes::{
        table::OutcomeTable,
        text::{listed, shown},
    },
    output::terminal::print_line,
};

/// A choice for one feature, or for all others.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct NamedChoice {
    /// The feature; `None` for all that are not named.
    feature: Option<String>,
    choice: MarginalChoice,
}

impl FromStr for NamedChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // A choice has no `=`, but a name may.
        let (feature, choice) = match text.rsplit_once('=') {
            Some((feature, choice)) => (Some(feature.trim().to_owned()), choice),
            None => (None, text),
        };
        let choice = choice.trim().parse().map_err(|error: FlowError| error.to_string())?;
        Ok(Self { feature, choice })
    }
}

/// The choice for each of the features `names`, `[d]`: by default the rule.
///
/// # Errors
/// Names a feature that does not exist.
pub(super) fn choices(
    named: &[NamedChoice],
    names: &[String],
) -> anyhow::Result<Vec<MarginalChoice>> {
    let mut choices = vec![MarginalChoice::Auto; names.len()];
    for NamedChoice { choice, .. } in named.iter().filter(|named| named.feature.is_none()) {
        choices.fill(*choice);
    }
    for NamedChoice { feature, choice } in named {
        let Some(feature) = feature else { continue };
        let i = names.iter().position(|name| name == feature).ok_or_else(|| {
            anyhow::anyhow!(
                "--marginal: there is no feature `{}`; the features are {}",
                shown(feature),
                listed(names, ", ")
            )
        })?;
        choices[i] = *choice;
    }
    Ok(choices)
}

/// Chooses the maps and prints those that are not affine.
///
/// # Errors
/// [`FlowError::Marginal`] for values that do not suit their choice.
pub(super) fn print_choices(
    table: &OutcomeTable,
    choices: &[MarginalChoice],
) -> Result<(), FlowError> {
    print_maps(&table.names, &Marginals::choose(table.x.as_view(), choices)?);
    Ok(())
}

/// Prints the maps that are not affine.
pub(super) fn print_maps(names: &[String], maps: &Marginals) {
    for (name, map) in names.iter().zip(maps.each()) {
        if *map != Marginal::Affine {
            print_line!("{}: {map}", shown(name));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_are_for_one_feature_or_for_all_others() {
        let names = ["rain", "a=b"].map(str::to_owned);
        let chosen = |texts: &[&str]| {
            let named: Vec<NamedChoice> = texts.iter().map(|text| text.parse().unwrap()).collect();
            choices(&named, &names).map_err(|error| error.to_string())
        };
        assert_eq!(chosen(&[]).unwrap(), [MarginalChoice::Auto; 2]);
        let periodic = MarginalChoice::Periodic { period: 360.0 };
        let mixed = chosen(&["a=b=periodic:360", "affine"]).unwrap();
        assert_eq!(mixed, [MarginalChoice::Affine, periodic]);
        assert!(
            chosen(&["snow=auto"])
                .unwrap_err()
                .contains("no feature `snow`; the features are rain")
        );
        assert!("rain=gauss".parse::<NamedChoice>().unwrap_err().contains("marginal must be auto"));
    }
}
