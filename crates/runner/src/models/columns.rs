//! Names of the columns of a table of samples.

use sim_core::Model;

/// Names of the columns of a table of samples, in order: inputs, seed, outputs, and one more.
///
/// A name that is there already gets an underscore: an input and an output may both be called `speed`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SampleColumns {
    /// The inputs, `[m]`.
    pub inputs: Vec<String>,
    /// The seed.
    pub seed: String,
    /// The outputs, `[d]`.
    pub outputs: Vec<String>,
    taken: Vec<String>,
}

impl SampleColumns {
    /// The columns for samples of `model`.
    pub fn of(model: &dyn Model) -> Self {
        let inputs = model.inputs().names().map(str::to_owned).collect();
        Self::new(inputs, model.outputs().iter().map(sim_core::Feature::name))
    }

    /// The columns for inputs and outputs with these names.
    pub fn new<'a>(inputs: Vec<String>, outputs: impl Iterator<Item = &'a str>) -> Self {
        let mut taken = inputs.clone();
        let seed = unused("seed", &mut taken);
        let outputs = outputs.map(|name| unused(name, &mut taken)).collect();
        Self { inputs, seed, outputs, taken }
    }

    /// A name for another column.
    pub fn another(&self, name: &str) -> String {
        unused(name, &mut self.taken.clone())
    }
}

/// `name`, with underscores until it is not among the names that are taken; takes it.
fn unused(name: &str, taken: &mut Vec<String>) -> String {
    let mut name = name.to_owned();
    while taken.contains(&name) {
        name.push('_');
    }
    taken.push(name.clone());
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_columns_have_one_name() {
        let mut taken = vec!["seed".to_owned(), "speed".to_owned()];
        assert_eq!(unused("seed", &mut taken), "seed_");
        assert_eq!(unused("speed", &mut taken), "speed_");
        assert_eq!(unused("speed", &mut taken), "speed__");
        assert_eq!(unused("distance", &mut taken), "distance");
    }
}
