//! How evaluations are run: workers, time limits, retries.

use std::{num::NonZeroU32, thread, time::Duration};

use serde::{Deserialize, Serialize};

use super::limit::Limit;

/// What a sample without an outcome means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum OnFailure {
    /// Nobody knows whether it is a failure of the system: it widens the interval.
    #[default]
    Unknown,
    /// It counts as a failure of the system.
    Failure,
    /// It ends the run.
    Abort,
}

/// How evaluations are run. None of it changes an outcome.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RunConfig {
    pub(super) workers: Option<NonZeroU32>,
    pub(super) timeout: Option<Limit>,
    pub(super) retries: Option<u32>,
    pub(super) crash_limit: Option<NonZeroU32>,
    pub(super) on_failure: OnFailure,
}

impl RunConfig {
    /// Workers; without an entry, the cores of this machine.
    pub fn workers(&self) -> u32 {
        let cores = || thread::available_parallelism().map_or(1, |n| n.get() as u32);
        self.workers.map_or_else(cores, NonZeroU32::get)
    }

    /// The time limit of one evaluation in `stream` mode or by a server, or of one start in `file` mode;
    /// without an entry there is none.
    pub fn timeout(&self) -> Option<Duration> {
        self.timeout.map(|limit| limit.0)
    }

    /// How often a crash or a time-out is tried again; without an entry, once.
    pub fn retries(&self) -> u32 {
        self.retries.unwrap_or(1)
    }

    /// Failures in a row of one worker, without an answer, that stop the run: crashes, with their retries,
    /// and broken answers. Without an entry, five.
    pub fn crash_limit(&self) -> u32 {
        self.crash_limit.map_or(5, NonZeroU32::get)
    }

    /// What a sample without an outcome means. Programs and servers heed [`OnFailure::Abort`]; the other two
    /// are for who uses the outcomes.
    pub fn on_failure(&self) -> OnFailure {
        self.on_failure
    }

    pub(crate) fn aborts(&self) -> bool {
        self.on_failure == OnFailure::Abort
    }
}
