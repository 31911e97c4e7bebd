//! A flow beside outcomes it stands for, on the way to failure.
//!
//! How rare a failure is under the flow says nothing about how far the flow is from its data. Milder levels
//! of the criterion, which some outcomes reach, do: a flow that is off there is off at failure as well.

use latent_is::{Estimate, EvalError, FlowTransport, Interval, LimitState, Reason};
use nalgebra::DMatrix;
use serde::{Deserialize, Serialize};

use crate::criterion::Criterion;

/// Shares of the outcomes whose levels are compared.
const SHARES: [f64; 5] = [0.1, 0.03, 0.01, 0.003, 0.001];
/// Outcomes that a level needs.
const LEAST: usize = 10;
/// Draws of the flow.
const DRAWS: usize = 50_000;
/// Confidence of the intervals that must overlap. Two of them from one law fail to with a probability between
/// 0.0003, where they are equally wide, and 0.01, where one is much narrower: with six levels at most, a
/// flow without fault is complained of in fewer than six of a hundred cases.
const CONFIDENCE: f64 = 0.99;

/// A level of the criterion: who reaches it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Level {
    /// Value of the limit state; failure is at zero.
    pub level: f64,
    /// Outcomes at or below it.
    pub reached: u64,
    /// The flow's probability to be.
    pub flow: f64,
    /// Whether outcomes and flow disagree beyond chance.
    pub apart: bool,
}

/// Outcomes beside a flow. The levels fall; the last is failure itself.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Agreement {
    /// Outcomes.
    pub outcomes: u64,
    /// The levels.
    pub levels: Vec<Level>,
}

impl Agreement {
    /// Compares outcomes `z`, `[d, n]`, standardised, with the flow, whose failure probability is `estimate`.
    ///
    /// # Errors
    /// When the criterion or the flow cannot be evaluated.
    pub fn new(
        criterion: &Criterion,
        z: &DMatrix<f64>,
        transport: &FlowTransport,
        estimate: &Estimate,
        seed: u64,
    ) -> anyhow::Result<Self> {
        let seed = latent_is::rng::derive(seed, "agreement", 0);
        let draws = transport.flow().standardised().sample(DRAWS, seed)?;
        let (rows, drawn) = (sorted(criterion, z)?, sorted(criterion, &draws)?);
        let n = rows.len();
        let mut levels = Vec::new();
        for share in SHARES {
            let rank = (share * n as f64) as usize;
            let Some(level) = rank.checked_sub(1).map(|i| rows[i]) else { break };
            if rank < LEAST || level <= 0.0 {
                break;
            }
            let [reached, hits] = [&rows, &drawn].map(|g| below(g, level));
            let flow = Interval::of_count(hits, drawn.len() as u64, CONFIDENCE);
            let apart = apart(reached, n, &flow);
            levels.push(Level { level, reached, flow: hits as f64 / drawn.len() as f64, apart });
        }
        let reached = below(&rows, 0.0);
        let apart = apart(reached, n, &estimate.interval(CONFIDENCE));
        levels.push(Level { level: 0.0, reached, flow: estimate.pf(), apart });
        Ok(Self { outcomes: n as u64, levels })
    }

    /// What speaks against an estimate under the flow, if anything does.
    pub fn reason(&self) -> Option<Reason> {
        let apart = self.levels.iter().filter(|level| level.apart).count() as u64;
        let levels = self.levels.len() as u64;
        (apart > 0).then_some(Reason::FlowContradicted { differs: apart, levels })
    }

    /// What it comes to, in a sentence.
    pub fn sentence(&self) -> String {
        let failing = self.levels.last().map_or(0, |level| level.reached);
        match self.levels.iter().rfind(|level| level.apart) {
            Some(level) if level.level > 0.0 => format!(
                "The flow is not the outcomes on the way to failure: {} of {} reach level {:.3}, of the flow's \
                 draws a share of {:.3e}. Do not expect it to be right at failure.",
                level.reached, self.outcomes, level.level, level.flow
            ),
            Some(level) => format!(
                "The flow is not the outcomes: {failing} of {} fail, which is not the flow's {:.3e}.",
                self.outcomes, level.flow
            ),
            None => format!(
                "Nothing in {} outcomes, {failing} of which fail, speaks against the flow.",
                self.outcomes
            ),
        }
    }

    /// The levels as cells: level, share of the outcomes, its 95 % interval, share of the flow.
    pub fn rows(&self) -> Vec<[String; 4]> {
        let row = |level: &Level| {
            let (reached, n) = (level.reached, self.outcomes);
            let interval = Interval::of_count(reached, n, 0.95);
            [
                if level.level > 0.0 {
                    format!("{:.3}", level.level)
                } else {
                    "failure".to_owned()
                },
                format!("{reached} of {n}: {:.3e}", reached as f64 / n as f64),
                format!("{:.3e} to {:.3e}", interval.lower(), interval.upper()),
                format!("{:.3e}{}", level.flow, if level.apart { " (apart)" } else { "" }),
            ]
        };
        self.levels.iter().map(row).collect()
    }

    /// What the cells of [`rows`](Self::rows) are.
    pub const HEAD: [&'static str; 4] =
        ["level", "outcomes that reach it", "95 % interval", "flow"];
}

/// Values of the criterion in rising order.
fn sorted(criterion: &Criterion, z: &DMatrix<f64>) -> Result<Vec<f64>, EvalError> {
    let mut g: Vec<f64> = criterion.evaluate(z.as_view())?.iter().copied().collect();
    g.sort_by(f64::total_cmp);
    Ok(g)
}

/// Values at or below `level`.
fn below(g: &[f64], level: f64) -> u64 {
    g.partition_point(|v| *v <= level) as u64
}

/// Whether the interval of a count lies wholly beside that of the flow.
fn apart(reached: u64, n: usize, flow: &Interval) -> bool {
    let rows = Interval::of_count(reached, n as u64, CONFIDENCE);
    rows.ln_lower > flow.ln_upper || rows.ln_upper < flow.ln_lower
}
