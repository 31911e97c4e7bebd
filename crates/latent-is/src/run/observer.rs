//! What watches a run: a line for people, a line of JSON for programs.

use std::io::{self, Write};

use serde::Serialize;

use super::Stopped;
use crate::method::stepwise::Progress;
use crate::result::estimate::Estimate;

/// A run after a step.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report<'a> {
    /// Name of the estimator.
    pub estimator: &'a str,
    /// Steps so far.
    pub step: u64,
    /// Seconds so far, those before a resumption included.
    pub seconds: f64,
    /// How far the run is.
    #[serde(flatten)]
    pub progress: Progress,
}

/// Watches a run.
pub trait Observer {
    /// After each step.
    ///
    /// # Errors
    /// When the report cannot be written; the run ends, after its checkpoint.
    fn step(&mut self, report: &Report<'_>) -> io::Result<()>;

    /// At the end of the run; there is an estimate unless it ended too early for one.
    ///
    /// # Errors
    /// When the report cannot be written.
    fn end(&mut self, _stopped: Stopped, _estimate: Option<&Estimate>) -> io::Result<()> {
        Ok(())
    }
}

/// One line a step, for people.
#[derive(Debug)]
pub struct ProgressLine<W> {
    out: W,
}

impl<W: Write> ProgressLine<W> {
    /// Lines to `out`, say the standard error.
    pub fn new(out: W) -> Self {
        Self { out }
    }
}

impl<W: Write> Observer for ProgressLine<W> {
    fn step(&mut self, report: &Report<'_>) -> io::Result<()> {
        let p = &report.progress;
        let seconds = report.seconds;
        write!(
            self.out,
            "{} {:>7.1} s {:>9} evaluations",
            report.estimator, seconds, p.evaluations
        )?;
        match (&p.level, p.phase) {
            (Some(level), "search" | "levels") => {
                let threshold = level.threshold;
                write!(self.out, ", level {}, threshold {threshold:.3e}", level.level)?;
                write!(self.out, ", {} failures", level.failures)?;
            }
            _ => write!(self.out, ", {}", p.phase)?,
        }
        if let Some(ln_pf) = p.ln_pf {
            write!(self.out, ", P = {:.3e}", ln_pf.exp())?;
        }
        if let Some(cov) = p.cov {
            write!(self.out, " +- {:.1} %", 100.0 * cov)?;
        }
        writeln!(self.out)?;
        self.out.flush()
    }

    fn end(&mut self, stopped: Stopped, estimate: Option<&Estimate>) -> io::Result<()> {
        writeln!(self.out, "{stopped}")?;
        match estimate {
            Some(estimate) => writeln!(self.out, "{}", estimate.verdict()),
            None => writeln!(self.out, "There is no estimate yet."),
        }
    }
}

/// One JSON object a step and one at the end, for programs.
#[derive(Debug)]
pub struct JsonLines<W> {
    out: W,
}

impl<W: Write> JsonLines<W> {
    /// Lines to `out`, say a file opened for appending.
    pub fn new(out: W) -> Self {
        Self { out }
    }

    fn line(&mut self, value: &impl Serialize) -> io::Result<()> {
        serde_json::to_writer(&mut self.out, value)?;
        writeln!(self.out)?;
        self.out.flush()
    }
}

#[derive(Serialize)]
struct End<'a> {
    stopped: Stopped,
    pf: Option<f64>,
    cov: Option<f64>,
    evaluations: Option<u64>,
    verdict: Option<&'a str>,
}

impl<W: Write> Observer for JsonLines<W> {
    fn step(&mut self, report: &Report<'_>) -> io::Result<()> {
        self.line(report)
    }

    fn end(&mut self, stopped: Stopped, estimate: Option<&Estimate>) -> io::Result<()> {
        let verdict = estimate.map(|e| e.verdict().to_string());
        self.line(&End {
            stopped,
            pf: estimate.map(Estimate::pf),
            cov: estimate.map(|e| e.cov).filter(|cov| cov.is_finite()),
            evaluations: estimate.map(|e| e.counts.evaluations),
            verdict: verdict.as_deref(),
        })
    }
}
