//! Why a program or a server cannot be used at all.

use std::{io, time::Duration};

use sim_core::ModelError;

/// Why a program or a server cannot be used at all. What happens to a single sample is a status.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProgramError {
    /// An entry of the configuration cannot be used.
    #[error("`{key}`: {reason}")]
    Config {
        /// The entry.
        key: &'static str,
        /// What is wrong and how to mend it.
        reason: String,
    },
    /// The program cannot be started.
    #[error("`{program}` cannot be started: {source}{hint}")]
    Start {
        /// Its name or path.
        program: String,
        /// How to mend it.
        hint: &'static str,
        /// What the operating system said.
        source: io::Error,
    },
    /// A worker crashed, or broke the protocol, many times in a row without an answer.
    #[error(
        "worker {worker} failed {times} times in a row without an answer, so the run is stopped. The last time: {last}"
    )]
    Crashes {
        /// The worker.
        worker: u32,
        /// Failures in a row.
        times: u32,
        /// What happened the last time, with the last lines of standard error.
        last: String,
    },
    /// A sample has no outcome, and the configuration says `on_failure = "abort"`.
    #[error("sample {index} of the batch has no outcome, and `on_failure` is \"abort\": {message}")]
    Aborted {
        /// Its column.
        index: usize,
        /// What happened.
        message: String,
    },
    /// The server does not answer.
    #[error("no UM-Bridge server answers at {url}: {reason}; start it, or mend `um_bridge`")]
    NoServer {
        /// Its address.
        url: String,
        /// What happened.
        reason: String,
    },
    /// The server did not answer in time.
    #[error("the server at {url} did not answer within {limit:?}; it may be busy: raise `timeout`")]
    SlowServer {
        /// Its address.
        url: String,
        /// The limit.
        limit: Duration,
    },
    /// The server answers something else than the protocol wants.
    #[error("{url}: {reason}")]
    Protocol {
        /// The address.
        url: String,
        /// What is wrong.
        reason: String,
    },
    /// A server cannot be started.
    #[error("the server cannot listen at {address}: {source}")]
    Listen {
        /// The address.
        address: String,
        /// What the operating system said.
        source: io::Error,
    },
}

impl ProgramError {
    /// How to mend an error of the operating system at the start of a program.
    pub(crate) fn hint(error: &io::Error) -> &'static str {
        match error.kind() {
            io::ErrorKind::NotFound => {
                "; is the name right, and the program installed? A path begins at the model's folder"
            }
            io::ErrorKind::PermissionDenied => "; make it executable, with `chmod +x` for example",
            // ENOEXEC: no line `#!` and no binary of this machine.
            _ if error.raw_os_error() == Some(8) => {
                "; a script needs a first line such as `#!/bin/sh`, or its interpreter in `command`"
            }
            _ => "",
        }
    }
}

impl From<ProgramError> for ModelError {
    fn from(error: ProgramError) -> Self {
        Self::Failed { message: error.to_string(), source: Some(Box::new(error)) }
    }
}
