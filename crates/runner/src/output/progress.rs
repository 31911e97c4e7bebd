//! Progress of long work: a bar on a terminal, plain lines otherwise.

use std::{
    io::{IsTerminal, stderr},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use indicatif::{ProgressBar, ProgressStyle};

use crate::output::terminal::{escaped, print_note};

/// Time between two plain lines.
const PLAIN_INTERVAL: Duration = Duration::from_secs(15);

/// Time between two messages beside a bar.
const MESSAGE_INTERVAL: Duration = Duration::from_millis(200);

/// The progress of one task, counted in steps. Several threads may report steps.
pub struct TaskProgress {
    label: String,
    total: u64,
    done: AtomicU64,
    bar: Option<ProgressBar>,
    begin: Instant,
    last_line: Mutex<Instant>,
}

impl TaskProgress {
    /// Starts a task of `total` steps.
    pub fn start(label: impl Into<String>, total: u64) -> Self {
        let label = label.into();
        let bar = stderr().is_terminal().then(|| {
            let style = "{prefix:<28} [{bar:32}] {percent:>3} % {msg} ({eta} left)";
            let style = ProgressStyle::with_template(style)
                .unwrap_or_else(|_| ProgressStyle::default_bar());
            ProgressBar::new(total)
                .with_style(style.progress_chars("=> "))
                .with_prefix(label.clone())
        });
        let now = Instant::now();
        Self { label, total, done: AtomicU64::new(0), bar, begin: now, last_line: Mutex::new(now) }
    }

    /// Reports that `n` more steps are done.
    pub fn advance(&self, n: u64) {
        self.advance_with(n, || None);
    }

    /// Reports that `n` more steps are done. `detail`, which is asked for only now and then, is what is going on.
    pub fn advance_with(&self, n: u64, detail: impl FnOnce() -> Option<String>) {
        let done = self.done.fetch_add(n, Ordering::Relaxed) + n;
        if let Some(bar) = &self.bar {
            bar.set_position(done);
        }
        let interval = if self.bar.is_some() { MESSAGE_INTERVAL } else { PLAIN_INTERVAL };
        let mut last = self.last_line.lock().unwrap_or_else(PoisonError::into_inner);
        if last.elapsed() < interval {
            return;
        }
        *last = Instant::now();
        drop(last);
        let Some(bar) = &self.bar else {
            let percent = 100 * done / self.total.max(1);
            let detail = detail().map(|detail| format!(", {detail}")).unwrap_or_default();
            let seconds = self.begin.elapsed().as_secs();
            print_note!("{}: {percent} % after {seconds} s{detail}", self.label);
            return;
        };
        if let Some(detail) = detail() {
            bar.set_message(detail);
        }
    }

    /// Sets the text to the right of the bar.
    pub fn set_message(&self, text: impl Into<String>) {
        if let Some(bar) = &self.bar {
            bar.set_message(text.into());
        }
    }

    /// Prints a separate line, above the bar if there is one.
    pub fn print_line(&self, text: &str) {
        match &self.bar {
            Some(bar) => bar.println(escaped(text)),
            None => print_note!("{}: {text}", self.label),
        }
    }

    /// Ends the task and prints one line with the time it took.
    pub fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        print_note!("{}: done in {:.1} s", self.label, self.begin.elapsed().as_secs_f64());
    }
}
