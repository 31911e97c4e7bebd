//! Progress of a training run on the terminal.

use flow_core::train::{Epoch, TrainingObserver};

use crate::output::progress::TaskProgress;

/// Prints the progress of a training run.
pub struct TrainingProgress {
    label: String,
    /// Whether each epoch has a line.
    epochs: bool,
    task: Option<TaskProgress>,
}

impl TrainingProgress {
    /// For a run with this name.
    pub fn new(label: impl Into<String>) -> Self {
        Self { label: label.into(), epochs: true, task: None }
    }

    /// Without a line per epoch.
    #[must_use]
    pub fn without_epochs(mut self) -> Self {
        self.epochs = false;
        self
    }

    /// Says that the run has ended, if it has not been said yet.
    pub fn finish(&mut self) {
        if let Some(task) = self.task.take() {
            task.finish();
        }
    }
}

impl TrainingObserver for TrainingProgress {
    fn start(&mut self, steps: usize) {
        self.task = Some(TaskProgress::start(&self.label, steps as u64));
    }

    fn resume(&mut self, done: usize) {
        if let Some(progress) = &self.task {
            progress.print_line(&format!("{done} steps were done before"));
            progress.advance(done as u64);
        }
    }

    fn step(&mut self, loss: f64) {
        if let Some(progress) = &self.task {
            progress.set_message(format!("loss {loss:.4}"));
            progress.advance(1);
        }
    }

    fn epoch(&mut self, epoch: &Epoch) {
        let Some(progress) = self.task.as_ref().filter(|_| self.epochs) else { return };
        let held_out =
            epoch.held_out.map_or(String::new(), |l| format!(", held-out log-likelihood {l:.4}"));
        progress.print_line(&format!(
            "epoch {}/{}: loss {:.4}{held_out}, {:.0} rows/s, {:.0} s left",
            epoch.done, epoch.total, epoch.loss, epoch.rows_per_second, epoch.seconds_left
        ));
        if epoch.done == epoch.total {
            self.finish();
        }
    }
}
