//! One started program.

use std::{
    io,
    path::PathBuf,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use crate::error::ProgramError;

use super::{groups, signals, tail::Tail};

/// How long a program may take to end after its standard output or input has been closed.
const GRACE: Duration = Duration::from_millis(500);

/// A command and the folder in which it runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Program {
    /// The program and its arguments.
    pub(crate) command: Vec<String>,
    /// The folder; `None` for that of this process.
    pub(crate) folder: Option<PathBuf>,
}

impl Program {
    /// Starts the program, with `change` applied to its name and each argument.
    pub(crate) fn start(
        &self,
        stdin: Stdio,
        change: impl Fn(&str) -> String,
    ) -> Result<Process, ProgramError> {
        let mut parts = self.command.iter().map(|part| change(part));
        let name = parts.next().unwrap_or_default();
        let failed = |source| ProgramError::Start {
            program: name.clone(),
            hint: ProgramError::hint(&source),
            source,
        };
        let mut command = Command::new(self.path(&name));
        command.args(parts).stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped());
        if let Some(folder) = &self.folder {
            command.current_dir(folder);
        }
        let mut child = groups::start(&mut command).map_err(failed)?;
        let stderr = child.stderr.take().ok_or_else(|| io::Error::other("no standard error"));
        match stderr.and_then(Tail::new) {
            Ok(stderr) => Ok(Process { child, stderr, ended: false }),
            Err(error) => {
                let _ = groups::end(&mut child);
                Err(failed(error))
            }
        }
    }

    /// The path of a program: one with a folder in its name is relative to the folder of the run, as in
    /// a shell; others are looked for in `PATH`.
    fn path(&self, name: &str) -> PathBuf {
        match &self.folder {
            Some(folder) if name.contains(std::path::is_separator) => {
                std::path::absolute(folder).unwrap_or_else(|_| folder.clone()).join(name)
            }
            _ => PathBuf::from(name),
        }
    }
}

/// One started program. Dropping it ends the program and all that it has started.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    stderr: Tail,
    ended: bool,
}

impl Process {
    /// Its standard input, once, if it has one.
    pub(crate) fn stdin(&mut self) -> Option<ChildStdin> {
        self.child.stdin.take()
    }

    /// Its standard output, once.
    pub(crate) fn stdout(&mut self) -> Option<ChildStdout> {
        self.child.stdout.take()
    }

    /// Waits until `deadline`, if there is one, for the end of the program; whether it has ended. `early`
    /// may wait a while for a sign of the end.
    pub(crate) fn wait(
        &mut self,
        deadline: Option<Instant>,
        early: impl Fn(Duration) -> bool,
    ) -> bool {
        let mut pause = Duration::from_millis(20);
        loop {
            if self.ended || groups::has_ended(&mut self.child) {
                return true;
            }
            let left = deadline.map_or(pause, |at| at.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                return false;
            }
            if early(left.min(pause)) {
                pause = Duration::from_millis(1);
                thread::sleep(left.min(pause));
            }
        }
    }

    /// Waits a moment for the end of a program that should end by itself; whether it has ended.
    pub(crate) fn wait_a_moment(&mut self) -> bool {
        self.wait(Some(Instant::now() + GRACE), |_| true)
    }

    /// Ends the program, once. Returns whether it succeeded and how it ended, in words, if it had ended before.
    pub(crate) fn end(&mut self) -> Option<(bool, String)> {
        if self.ended {
            return None;
        }
        let by_itself = groups::has_ended(&mut self.child);
        self.ended = true;
        let status = groups::end(&mut self.child);
        let status = status.ok().filter(|_| by_itself)?;
        Some((status.success(), signals::describe(status)))
    }

    /// The last lines of its standard error.
    pub(crate) fn last_words(&self) -> String {
        // What it wrote before it ended may still be on its way.
        self.stderr.wait(Duration::from_millis(200));
        self.stderr.text()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if !self.ended {
            let _ = groups::end(&mut self.child);
        }
    }
}
