//! One drive with its states, actions, plans and costs.

use crate::state::{Action, State};

/// A drive from its start to its end.
#[derive(Clone, Debug, PartialEq)]
pub struct History {
    /// The state at the start.
    pub start: State,
    /// One record per control step.
    pub records: Vec<Record>,
}

/// One control step.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// The state after the step and its disturbance.
    pub state: State,
    /// The action applied in the step.
    pub action: Action,
    /// The disturbance after the step: displacements along x and y (m) and turn (rad).
    pub disturbance: [f64; 3],
    /// The plan of the controller for the next steps, not limited to [-1, 1].
    pub plan: Vec<Action>,
    /// The costs of the plans sampled in the step.
    pub costs: Vec<f64>,
    /// Their weights.
    pub weights: Vec<f64>,
}

impl History {
    /// The final state.
    pub fn end(&self) -> State {
        self.records.last().map_or(self.start, |record| record.state)
    }
}
