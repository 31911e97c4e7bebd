//! One worker of the stream protocol: a process that is started when it is needed.

use std::{
    io::Write,
    ops::Range,
    process::Stdio,
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    },
    thread,
    time::{Duration, Instant},
};

use sim_core::FailureKind;

use crate::{
    child::{Line, Process, Program, lines},
    error::ProgramError,
    text::{quote, with_last_words},
    work::{Answer, Attempt, Batch, Worker},
};

use super::message::Messages;

/// A worker. It has one request with its process at a time, so that a crash or a time-out belongs to one
/// sample.
#[derive(Debug)]
pub(crate) struct StreamWorker {
    program: Arc<Program>,
    messages: Arc<Messages>,
    timeout: Option<Duration>,
    live: Option<Live>,
}

/// A running process.
#[derive(Debug)]
struct Live {
    /// Requests on their way to the process; a thread writes them. Closes standard input when dropped.
    requests: Sender<String>,
    answers: Receiver<Line>,
    process: Process,
    /// The number of the next request.
    next: u64,
}

/// Why there is no answer: to be tried again or not, and what happened.
type Lost = (FailureKind, String);

impl StreamWorker {
    pub(crate) fn new(
        program: Arc<Program>,
        messages: Arc<Messages>,
        timeout: Option<Duration>,
    ) -> Self {
        Self { program, messages, timeout, live: None }
    }

    /// Asks the process for a sample.
    fn ask(&mut self, seed: u64, inputs: &[f64]) -> Result<Attempt, ProgramError> {
        if self.live.is_none() {
            self.live = Some(Live::start(&self.program, &self.messages)?);
        }
        let Some(live) = &mut self.live else { unreachable!("it was just started") };
        match live.ask(&self.messages, self.timeout, seed, inputs) {
            Ok(answer) => Ok(Attempt::Answers(vec![answer])),
            Err((kind, message)) => {
                live.process.end();
                self.live = None;
                Ok(Attempt::lost(kind, message))
            }
        }
    }
}

impl Worker for StreamWorker {
    fn is_alive(&self) -> bool {
        self.live.is_some()
    }

    fn attempt(&mut self, batch: Batch<'_>, job: Range<usize>) -> Attempt {
        let column = batch.w.column(job.start);
        self.ask(batch.seeds[job.start], column.as_slice()).unwrap_or_else(Attempt::Fatal)
    }
}

impl Live {
    fn start(program: &Program, messages: &Messages) -> Result<Self, ProgramError> {
        let mut process = program.start(Stdio::piped(), str::to_owned)?;
        let failed = |source| ProgramError::Start {
            program: program.command.first().cloned().unwrap_or_default(),
            hint: "",
            source,
        };
        let absent = || std::io::Error::other("no standard input or output");
        let mut stdin = process.stdin().ok_or_else(absent).map_err(failed)?;
        let stdout = process.stdout().ok_or_else(absent).map_err(failed)?;
        let answers = lines(stdout, messages.longest()).map_err(failed)?;
        // A thread of its own: a program that never reads must not stop this one.
        let (requests, lines) = channel::<String>();
        thread::Builder::new()
            .name("requests".to_owned())
            .spawn(move || {
                for line in lines {
                    if stdin.write_all(line.as_bytes()).is_err() {
                        return;
                    }
                }
            })
            .map_err(failed)?;
        Ok(Self { requests, answers, process, next: 0 })
    }

    fn ask(
        &mut self,
        messages: &Messages,
        timeout: Option<Duration>,
        seed: u64,
        inputs: &[f64],
    ) -> Result<Answer, Lost> {
        let id = self.next;
        self.next += 1;
        let deadline = timeout.map(|timeout| (Instant::now() + timeout, timeout));
        // A closed channel shows below, as the end of the answers.
        let _ = self.requests.send(messages.request(id, seed, inputs));
        let broken = |text: String| (FailureKind::BadAnswer, text);
        match self.receive(deadline)? {
            Line::TooLong(beginning) => Err(broken(format!(
                "it wrote a line of more than {} bytes: {}",
                messages.longest(),
                quote(&beginning)
            ))),
            Line::Whole(line) => {
                let received = messages.read(&line).map_err(broken)?;
                match received.id {
                    answered if answered == id => Ok(received.answer),
                    earlier if earlier < id => Err(broken(format!(
                        "it answered request {earlier} twice; the second answer: {}",
                        quote(&line)
                    ))),
                    unknown => Err(broken(format!(
                        "it answered request {unknown}, which was never made; request {id} is open: {}",
                        quote(&line)
                    ))),
                }
            }
        }
    }

    fn receive(&mut self, deadline: Option<(Instant, Duration)>) -> Result<Line, Lost> {
        let received = match deadline {
            Some((at, _)) => {
                self.answers.recv_timeout(at.saturating_duration_since(Instant::now()))
            }
            None => self.answers.recv().map_err(RecvTimeoutError::from),
        };
        match (received, deadline) {
            (Ok(line), _) => Ok(line),
            (Err(RecvTimeoutError::Timeout), Some((_, limit))) => {
                self.process.end();
                let message = format!("no answer within {limit:?}");
                Err((FailureKind::TimedOut, with_last_words(&message, &self.process.last_words())))
            }
            (Err(_), _) => {
                self.process.wait_a_moment();
                let how = self.process.end().map_or_else(
                    || "it closed its standard output and went on, without an answer".to_owned(),
                    |(_, how)| format!("it {how}, without an answer"),
                );
                Err((FailureKind::Crashed, with_last_words(&how, &self.process.last_words())))
            }
        }
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        // Closes its standard input, which asks it to end.
        self.requests = channel().0;
        self.process.wait_a_moment();
    }
}
