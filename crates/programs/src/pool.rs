//! Workers that share the samples of a batch.

use std::{
    fmt,
    ops::{ControlFlow, Range},
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
    thread,
    time::Instant,
};

use sim_core::{FailureKind, ModelError, Status};
use store::{Finished, Report};

use crate::{
    config::RunConfig,
    error::ProgramError,
    work::{Answer, Attempt, Batch, Worker},
};

/// The workers of a model at this moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Workers {
    /// Workers that there may be.
    pub total: u32,
    /// Workers that are started: processes of a program, connections to a server that has answered.
    pub alive: u32,
    /// Workers with a sample.
    pub busy: u32,
    /// Crashes, time-outs and broken answers so far, retries included.
    pub lost: u64,
}

/// A fixed number of workers. Its methods may be called from several threads; one batch is evaluated at a
/// time.
pub(crate) struct Pool<W> {
    run: RunConfig,
    /// Samples per job.
    size: usize,
    slots: Mutex<Vec<Slot<W>>>,
    total: u32,
    alive: AtomicU32,
    busy: AtomicU32,
    lost: AtomicU64,
}

struct Slot<W> {
    worker: W,
    number: u32,
    alive: bool,
    /// Failures in a row without an answer.
    failures: u32,
}

/// What the threads of one batch share.
struct Shared<'a, 'b> {
    next: usize,
    n: usize,
    stop: bool,
    error: Option<ProgramError>,
    report: &'a mut Report<'b>,
}

/// The results of a job that wait until its worker is known to be sound.
type Held = Vec<(usize, Status, f64)>;

impl<W: Worker> Pool<W> {
    /// Workers that `make` makes from their number. A job has at most `size` samples.
    pub(crate) fn new(run: RunConfig, size: usize, make: impl Fn(u32) -> W) -> Self {
        let total = run.workers();
        let slot = |number| Slot { worker: make(number), number, alive: false, failures: 0 };
        Self {
            run,
            size,
            slots: Mutex::new((0..total).map(slot).collect()),
            total,
            alive: AtomicU32::new(0),
            busy: AtomicU32::new(0),
            lost: AtomicU64::new(0),
        }
    }

    pub(crate) fn workers(&self) -> Workers {
        Workers {
            total: self.total,
            alive: self.alive.load(Ordering::Relaxed),
            busy: self.busy.load(Ordering::Relaxed),
            lost: self.lost.load(Ordering::Relaxed),
        }
    }

    /// Evaluates a batch; as [`store::EvaluateEach::evaluate_each`].
    pub(crate) fn evaluate(
        &self,
        batch: Batch<'_>,
        d: usize,
        report: &mut Report<'_>,
    ) -> Result<(), ModelError> {
        let n = batch.seeds.len();
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        let shared = Shared { next: 0, n, stop: false, error: None, report };
        let shared = Mutex::new(shared);
        let threads = slots.len().min(n.div_ceil(self.size));
        let Some((first, others)) = slots[..threads].split_first_mut() else { return Ok(()) };
        thread::scope(|scope| {
            for slot in others {
                scope.spawn(|| self.work(slot, batch, d, &shared));
            }
            self.work(first, batch, d, &shared);
        });
        match lock(&shared).error.take() {
            Some(error) => Err(error.into()),
            None => Ok(()),
        }
    }

    /// What one thread does.
    fn work(&self, slot: &mut Slot<W>, batch: Batch<'_>, d: usize, shared: &Mutex<Shared<'_, '_>>) {
        let mut held = Held::new();
        loop {
            // In a statement of its own, so that the lock ends with it.
            let job = lock(shared).take(self.size);
            let Some(job) = job else { break };
            self.busy.fetch_add(1, Ordering::Relaxed);
            let result = self.job(slot, batch, d, job, shared, &mut held);
            self.busy.fetch_sub(1, Ordering::Relaxed);
            if let Err(error) = result {
                let mut shared = lock(shared);
                shared.stop = true;
                shared.error.get_or_insert(error);
                return;
            }
        }
        // If another worker has stopped the run, this one may be no better.
        let stopped = lock(shared).error.is_some();
        if !stopped {
            self.release(slot.number, d, shared, &mut held);
        }
    }

    /// Evaluates a job: again when it was lost, and in halves when it has several samples.
    fn job(
        &self,
        slot: &mut Slot<W>,
        batch: Batch<'_>,
        d: usize,
        job: Range<usize>,
        shared: &Mutex<Shared<'_, '_>>,
        held: &mut Held,
    ) -> Result<(), ProgramError> {
        let mut tries = 0;
        loop {
            let begin = Instant::now();
            let attempt = slot.worker.attempt(batch, job.clone());
            let seconds = begin.elapsed().as_secs_f64() / job.len() as f64;
            self.count(slot);
            match attempt {
                Attempt::Fatal(error) => return Err(error),
                Attempt::Answers(answers) => {
                    slot.failures = 0;
                    self.release(slot.number, d, shared, held);
                    for (index, answer) in job.zip(answers) {
                        self.report(slot.number, d, shared, index, answer, seconds)?;
                    }
                    return Ok(());
                }
                Attempt::Lost { kind, message } => {
                    self.lost.fetch_add(1, Ordering::Relaxed);
                    let again = matches!(kind, FailureKind::Crashed | FailureKind::TimedOut);
                    let halves = again && job.len() > 1;
                    // A program that hangs is known to run, and the halves of a job will tell more.
                    slot.failures += u32::from(kind != FailureKind::TimedOut && !halves);
                    if slot.failures >= self.run.crash_limit() {
                        let (worker, times) = (slot.number, std::mem::take(&mut slot.failures));
                        return Err(ProgramError::Crashes { worker, times, last: message });
                    }
                    if halves {
                        let middle = job.start + job.len() / 2;
                        self.job(slot, batch, d, job.start..middle, shared, held)?;
                        return self.job(slot, batch, d, middle..job.end, shared, held);
                    }
                    if again && tries < self.run.retries() {
                        tries += 1;
                        continue;
                    }
                    let status = Status::failed(kind, message);
                    if self.run.aborts() {
                        return Err(aborted(job.start, &status));
                    }
                    held.extend(job.map(|index| (index, status.clone(), seconds)));
                    if kind == FailureKind::TimedOut {
                        self.release(slot.number, d, shared, held);
                    }
                    return Ok(());
                }
            }
        }
    }

    /// Reports lost samples, once the worker has answered again or hangs, so that it is known to run, or the
    /// batch ends. Those of a worker that stops the run are not reported, so that no store keeps them.
    fn release(&self, worker: u32, d: usize, shared: &Mutex<Shared<'_, '_>>, held: &mut Held) {
        for (index, status, seconds) in held.drain(..) {
            // Only an abort is an error, and there nothing is held.
            let _ = self.report(worker, d, shared, index, Err(status), seconds);
        }
    }

    fn report(
        &self,
        worker: u32,
        d: usize,
        shared: &Mutex<Shared<'_, '_>>,
        index: usize,
        answer: Answer,
        seconds: f64,
    ) -> Result<(), ProgramError> {
        let (outputs, status) = match answer {
            Ok(outputs) => (outputs, Status::Done),
            Err(status) if self.run.aborts() => return Err(aborted(index, &status)),
            Err(status) => (vec![f64::NAN; d], status),
        };
        let finished = Finished { index, outputs: &outputs, status: &status, seconds, worker };
        let mut shared = lock(shared);
        if (shared.report)(finished) == ControlFlow::Break(()) {
            shared.stop = true;
        }
        Ok(())
    }

    /// Keeps the number of living workers.
    fn count(&self, slot: &mut Slot<W>) {
        let alive = slot.worker.is_alive();
        if alive && !slot.alive {
            self.alive.fetch_add(1, Ordering::Relaxed);
        } else if slot.alive && !alive {
            self.alive.fetch_sub(1, Ordering::Relaxed);
        }
        slot.alive = alive;
    }
}

impl Shared<'_, '_> {
    /// The next job.
    fn take(&mut self, size: usize) -> Option<Range<usize>> {
        if self.stop || self.next == self.n {
            return None;
        }
        let begin = self.next;
        self.next = self.n.min(begin + size);
        Some(begin..self.next)
    }
}

fn lock<'m, 'a, 'b>(shared: &'m Mutex<Shared<'a, 'b>>) -> MutexGuard<'m, Shared<'a, 'b>> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}

fn aborted(index: usize, status: &Status) -> ProgramError {
    let message = match status {
        Status::Failed { message, .. } => message.to_string(),
        _ => String::new(),
    };
    ProgramError::Aborted { index, message }
}

impl<W> fmt::Debug for Pool<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool")
            .field("run", &self.run)
            .field("total", &self.total)
            .finish_non_exhaustive()
    }
}
