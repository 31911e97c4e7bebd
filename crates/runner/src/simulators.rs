//! The simulators at hand, by name.

use sim_core::Simulator;
use sim_gcas::Gcas;
use sim_racing::Racing;
use sim_toy::Robot;

/// A simulator as the command line lists it.
pub struct Listed {
    /// Short name.
    pub name: &'static str,
    /// What it is, in a few words.
    pub title: &'static str,
    make: fn() -> Box<dyn Simulator>,
}

/// All simulators.
pub const SIMULATORS: &[Listed] = &[
    Listed {
        name: "robot",
        title: "nonholonomic robot, 3 features",
        make: || Box::new(Robot::default()),
    },
    Listed {
        name: "f16",
        title: "F-16 with automatic ground-collision avoidance, 12 features",
        make: || Box::new(Gcas::default()),
    },
    Listed {
        name: "racecar",
        title: "race car under sampling-based control, 8 features",
        make: || Box::new(Racing::default()),
    },
];

/// Returns the present name of a simulator: `gcas` and `racing` of earlier versions are `f16` and `racecar`.
pub fn present_name(name: &str) -> &str {
    match name {
        "gcas" => "f16",
        "racing" => "racecar",
        other => other,
    }
}

/// The simulator of that name with its default parameters.
///
/// # Errors
/// When there is none; the message lists those there are.
pub fn by_name(name: &str) -> anyhow::Result<Box<dyn Simulator>> {
    match SIMULATORS.iter().find(|listed| listed.name == present_name(name)) {
        Some(listed) => Ok((listed.make)()),
        None => anyhow::bail!("no simulator is called `{name}`; there is\n{}", list()),
    }
}

/// One line a simulator.
pub fn list() -> String {
    let lines: Vec<String> =
        SIMULATORS.iter().map(|listed| format!("  {:<8} {}", listed.name, listed.title)).collect();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_simulators() {
        for listed in SIMULATORS {
            assert_eq!(by_name(listed.name).unwrap().name(), listed.name);
        }
        assert_eq!(by_name("gcas").unwrap().name(), "f16");
        assert_eq!(by_name("racing").unwrap().name(), "racecar");
        let error = by_name("rocket").err().unwrap().to_string();
        assert!(error.contains("`rocket`") && error.contains("f16"), "{error}");
    }
}
