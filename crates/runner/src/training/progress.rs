//! Progress of a training run on the terminal.

use flow_core::train::{Epoch, TrainingObserver};

use crate::output::progress::TaskProgress;

/// Prints the progress of a training run.
#[derive(Default)]
pub struct TrainingProgress(Option<TaskProgress>);

impl TrainingObserver for TrainingProgress {
    fn start(&mut self, steps: usize) {
        self.0 = Some(TaskProgress::start("training the flow", steps as u64));
    }

    fn resume(&mut self, done: usize) {
        if let Some(progress) = &self.0 {
            progress.print_line(&format!("{done} steps were done before"));
            progress.advance(done as u64);
        }
    }

    fn step(&mut self, loss: f64) {
        if let Some(progress) = &self.0 {
            progress.set_message(format!("loss {loss:.4}"));
            progress.advance(1);
        }
    }

    fn epoch(&mut self, epoch: &Epoch) {
        let Some(progress) = &self.0 else { return };
        let held_out =
            epoch.held_out.map_or(String::new(), |l| format!(", held-out log-likelihood {l:.4}"));
        progress.print_line(&format!(
            "epoch {}/{}: loss {:.4}{held_out}, {:.0} rows/s, {:.0} s left",
            epoch.done, epoch.total, epoch.loss, epoch.rows_per_second, epoch.seconds_left
        ));
        if epoch.done == epoch.total
            && let Some(progress) = self.0.take()
        {
            progress.finish();
        }
    }
}
