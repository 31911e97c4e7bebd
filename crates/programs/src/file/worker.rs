//! One worker of the file mode: a process per job.

use std::{
    io,
    ops::Range,
    process::Stdio,
    sync::Arc,
    time::{Duration, Instant},
};

use sim_core::FailureKind;

use crate::{
    child::{Program, Tail},
    error::ProgramError,
    text::with_last_words,
    work::{Attempt, Batch, Worker, bad},
};

use super::table::Tables;

/// A worker that starts the program anew for every job.
#[derive(Debug)]
pub(crate) struct FileWorker {
    program: Arc<Program>,
    tables: Arc<Tables>,
    timeout: Option<Duration>,
}

impl FileWorker {
    pub(crate) fn new(
        program: Arc<Program>,
        tables: Arc<Tables>,
        timeout: Option<Duration>,
    ) -> Self {
        Self { program, tables, timeout }
    }

    fn run(&self, batch: Batch<'_>, job: Range<usize>) -> Result<Attempt, ProgramError> {
        let failed = |source: io::Error| ProgramError::Start {
            program: self.program.command.first().cloned().unwrap_or_default(),
            hint: "; this is about the temporary files for `{in}` and `{out}`",
            source,
        };
        let folder = tempfile::Builder::new().prefix("latent-is-").tempdir().map_err(failed)?;
        self.tables.write(folder.path(), batch, job.clone()).map_err(failed)?;
        let replace = |part: &str| self.tables.replace(part, folder.path());
        let mut process = self.program.start(Stdio::null(), replace)?;
        let absent = || io::Error::other("no standard output");
        // The end of standard output is the sign of the end of the program; what it writes is for nobody.
        let stdout = process.stdout().ok_or_else(absent).and_then(Tail::new).map_err(failed)?;
        let deadline = self.timeout.map(|timeout| Instant::now() + timeout);
        if !process.wait(deadline, |time| stdout.wait(time)) {
            process.end();
            let message = format!("it did not end within {:?}", self.timeout.unwrap_or_default());
            let message = with_last_words(&message, &process.last_words());
            return Ok(Attempt::lost(FailureKind::TimedOut, message));
        }
        let (success, how) = process.end().unwrap_or((false, "ended".to_owned()));
        if !success {
            let message = with_last_words(&format!("it {how}"), &process.last_words());
            return Ok(Attempt::lost(FailureKind::Crashed, message));
        }
        Ok(Attempt::Answers(match self.tables.read(folder.path(), job.len()) {
            Ok(answers) => answers,
            Err(reason) => {
                let status = bad(with_last_words(&reason, &process.last_words()));
                vec![Err(status); job.len()]
            }
        }))
    }
}

impl Worker for FileWorker {
    fn is_alive(&self) -> bool {
        false
    }

    fn attempt(&mut self, batch: Batch<'_>, job: Range<usize>) -> Attempt {
        self.run(batch, job).unwrap_or_else(Attempt::Fatal)
    }
}
