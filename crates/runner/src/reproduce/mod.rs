//! The evaluation of the paper: all estimators in both spaces, many trials, one table.
//!
//! | module | contents |
//! | --- | --- |
//! | [`key`] | what a row of the table is about: space, estimator, settings, event |
//! | [`setup`] | what all trials share: flow, events, reference |
//! | [`quality`] | the flow compared with the simulator |
//! | [`trial`], [`trial_log`] | one run of one estimator; the log of finished trials |
//! | [`row`], [`results`] | the trials of one row in figures; all results |
//! | [`published`] | what the published program measures |
//! | [`evaluation`] | the whole evaluation |

pub mod evaluation;
pub mod key;
pub mod published;
pub mod quality;
pub mod results;
pub mod row;
pub mod setup;
pub mod trial;
pub mod trial_log;
