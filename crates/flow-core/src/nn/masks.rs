//! Masks that make a network autoregressive.
//!
//! Every unit has a degree (Germain et al., *MADE*, ICML 2015): features have degrees 1 to d, hidden
//! units have degrees 1 to d − 1 in repeated order, and the outputs of a feature have the degree of that
//! feature. A hidden layer keeps a connection if its degree does not fall, the last layer only if it
//! rises. The outputs of feature i therefore depend on the features before i alone.

/// Connections of one layer.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Mask {
    /// 1 for a connection and 0 for none, `[outputs, inputs]`, row-major.
    pub(crate) values: Vec<f64>,
    /// Degree of each output.
    pub(crate) degrees: Vec<usize>,
}

/// Masks of a residual network.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Masks {
    /// From the features to the hidden units.
    pub(crate) first: Mask,
    /// From hidden units to hidden units.
    pub(crate) hidden: Mask,
    /// From the hidden units to the outputs.
    pub(crate) last: Mask,
}

impl Masks {
    /// Masks for `features` features with `outputs` outputs each.
    pub(crate) fn autoregressive(features: usize, hidden: usize, outputs: usize) -> Self {
        let inputs: Vec<usize> = (1..=features).collect();
        let units: Vec<usize> = match features {
            // A single feature depends on nothing.
            1 => vec![0; hidden],
            _ => (0..hidden).map(|j| j % (features - 1) + 1).collect(),
        };
        let ends: Vec<usize> = (0..features * outputs).map(|o| o / outputs + 1).collect();
        Self {
            first: mask(&inputs, &units, |from, to| to >= from),
            hidden: mask(&units, &units, |from, to| to >= from),
            last: mask(&units, &ends, |from, to| to > from),
        }
    }
}

fn mask(from: &[usize], to: &[usize], kept: impl Fn(usize, usize) -> bool) -> Mask {
    let values = to
        .iter()
        .flat_map(|&t| from.iter().map(move |&f| (f, t)))
        .map(|(f, t)| f64::from(u8::from(kept(f, t))))
        .collect();
    Mask { values, degrees: to.to_vec() }
}
