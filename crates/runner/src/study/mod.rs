//! A study: a certified failure probability of a model, its weighted rows, and a flow that knows the tail.
//!
//! The folder of a study holds all that other questions need:
//!
//! | file | contents |
//! | --- | --- |
//! | `study.json` | the estimate, the masses of the levels, the tilt of the flow ([`report::study`](crate::report::study)) |
//! | `rows.safetensors` | inputs, seeds, outcomes and weights of the rows behind the estimate |
//! | `flow.safetensors` | the flow of the tilted outcomes |
//! | `store/` | all evaluations of the model, also those of the searches |

pub(crate) mod certify;
pub(crate) mod enriched;
pub(crate) mod folder;
pub(crate) mod levels;
pub(crate) mod rows;
