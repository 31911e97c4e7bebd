//! Comparison of a flow with outcomes at levels of the criterion.
//!
//! The rarity of a failure under the flow says nothing about the distance of the flow from its data.
//! Milder levels of the criterion do, because some outcomes reach them: a flow that is wrong there is
//! wrong at failure as well.

use latent_is::{Estimate, Interval, LimitState, Reason, rng::derive};
use serde::{Deserialize, Serialize};

use crate::{criterion::FailureCriterion, estimation::flow_model::FlowModel};

/// Shares of the outcomes that define the levels.
const SHARES: [f64; 5] = [0.1, 0.03, 0.01, 0.003, 0.001];
/// Smallest number of outcomes that reach a level.
const MIN_OUTCOMES: usize = 10;
/// Number of draws from the flow.
const DRAWS: usize = 50_000;
/// Confidence of the two intervals that must overlap. For equal probabilities they fail to overlap with
/// a probability between 0.0003 (equally wide intervals) and 0.01 (one of them much narrower). There are
/// at most six levels, so a correct flow is reported as different in fewer than six cases of a hundred.
const CONFIDENCE: f64 = 0.99;

/// Data and flow at one level of the criterion.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LevelComparison {
    /// Value of the limit-state function; failure is at zero.
    pub level: f64,
    /// Number of outcomes at or below the level.
    pub reached: u64,
    /// Probability under the flow to be at or below the level.
    pub flow: f64,
    /// Whether the difference between data and flow is significant.
    #[serde(alias = "apart")]
    pub differs: bool,
}

/// Comparison of outcomes with a flow. The levels decrease; the last one is failure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Agreement {
    /// Number of outcomes.
    pub outcomes: u64,
    /// The levels.
    pub levels: Vec<LevelComparison>,
}

impl Agreement {
    /// Compares outcomes with the flow; `estimate` is the failure probability under the flow.
    ///
    /// # Shapes
    /// - `g`: `[n]`, values of the criterion for the outcomes
    ///
    /// # Errors
    /// When the criterion or the flow cannot be evaluated.
    pub fn new(
        criterion: &FailureCriterion,
        g: &[f64],
        model: &FlowModel,
        estimate: &Estimate,
        seed: u64,
    ) -> anyhow::Result<Self> {
        let flow = model.transport.flow();
        let draws = flow.standardised().sample(DRAWS, derive(seed, "agreement", 0))?;
        let drawn = model.limit_state(criterion).evaluate(draws.as_view())?;
        let (data, drawn) = (sorted(g), sorted(drawn.as_slice()));
        let n = data.len();
        let mut levels = Vec::new();
        for share in SHARES {
            let rank = (share * n as f64) as usize;
            let Some(level) = rank.checked_sub(1).map(|i| data[i]) else { break };
            if rank < MIN_OUTCOMES || level <= 0.0 {
                break;
            }
            let [reached, hits] = [&data, &drawn].map(|g| count_at_or_below(g, level));
            let interval = Interval::of_count(hits, drawn.len() as u64, CONFIDENCE);
            let differs = differs(reached, n, &interval);
            let flow = hits as f64 / drawn.len() as f64;
            levels.push(LevelComparison { level, reached, flow, differs });
        }
        let reached = count_at_or_below(&data, 0.0);
        let differs = differs(reached, n, &estimate.interval(CONFIDENCE));
        levels.push(LevelComparison { level: 0.0, reached, flow: estimate.pf(), differs });
        Ok(Self { outcomes: n as u64, levels })
    }

    /// A reason for the verdict, if flow and data differ at a level.
    pub fn reason(&self) -> Option<Reason> {
        let differs = self.levels.iter().filter(|level| level.differs).count() as u64;
        let levels = self.levels.len() as u64;
        (differs > 0).then_some(Reason::FlowContradicted { differs, levels })
    }

    /// The result in one sentence.
    pub fn sentence(&self) -> String {
        let n = self.outcomes;
        match self.levels.iter().rfind(|level| level.differs) {
            Some(level) if level.level > 0.0 => format!(
                "Flow and data disagree at level {:.3}: data {}/{n}, flow {:.3e}. The estimate may be wrong.",
                level.level, level.reached, level.flow
            ),
            Some(level) => format!(
                "Flow and data disagree at failure: data {}/{n}, flow {:.3e}.",
                level.reached, level.flow
            ),
            None => format!(
                "No significant difference between flow and data ({n} outcomes, {} failures).",
                self.levels.last().map_or(0, |level| level.reached)
            ),
        }
    }

    /// Header of the cells of [`rows`](Self::rows).
    pub const HEAD: [&'static str; 4] = ["level", "outcomes at or below", "95 % interval", "flow"];

    /// One row of cells per level: level, share of the outcomes, its 95 % interval, probability under
    /// the flow.
    pub fn rows(&self) -> Vec<[String; 4]> {
        let row = |level: &LevelComparison| {
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
                format!("{:.3e}{}", level.flow, if level.differs { " (differs)" } else { "" }),
            ]
        };
        self.levels.iter().map(row).collect()
    }
}

/// Values of the limit-state function in ascending order.
fn sorted(values: &[f64]) -> Vec<f64> {
    let mut g = values.to_vec();
    g.sort_by(f64::total_cmp);
    g
}

/// Number of values at or below `level`; `g` is in ascending order.
fn count_at_or_below(g: &[f64], level: f64) -> u64 {
    g.partition_point(|v| *v <= level) as u64
}

/// Whether the interval of the share `reached / n` does not overlap the interval of the flow.
fn differs(reached: u64, n: usize, flow: &Interval) -> bool {
    let data = Interval::of_count(reached, n as u64, CONFIDENCE);
    data.ln_lower > flow.ln_upper || data.ln_upper < flow.ln_lower
}
