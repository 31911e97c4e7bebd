//! What a run on a model has done, line by line.

use std::{fmt::Write as _, io, sync::Arc};

use latent_is::{
    method::stepwise::Progress,
    run::{Observer, Report},
};

use crate::output::progress::TaskProgress;

/// One line per level, and what the final draws give so far.
pub(super) struct Levels(pub(super) Arc<TaskProgress>);

impl Observer for Levels {
    fn step(&mut self, report: &Report<'_>) -> io::Result<()> {
        self.0.print_line(&step(&report.progress));
        Ok(())
    }
}

/// How far a run is, in words.
pub(in crate::commands) fn step(p: &Progress) -> String {
    let mut line = format!("{} evaluations, {}", p.evaluations, p.phase);
    match (&p.level, p.phase) {
        (Some(level), "search" | "levels") => {
            let _ = write!(
                line,
                ", level {}: threshold {:.3e}, {} failures of {}",
                level.level,
                level.threshold,
                level.failures,
                // Chains start from states that are not evaluated again.
                level.evaluations.max(level.ess as u64)
            );
        }
        _ => {
            if let (Some(ln_pf), Some(cov)) = (p.ln_pf, p.cov) {
                let _ = write!(
                    line,
                    ": P = {:.3e} with coefficient of variation {:.1} %",
                    ln_pf.exp(),
                    100.0 * cov
                );
            }
        }
    }
    line
}
