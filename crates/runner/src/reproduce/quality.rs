//! The flow compared with the simulator. Estimates under the flow inherit these differences.

use flow_core::{Finding, Health};
use latent_is::{Density, FlowTransport, StandardNormal, Transport, rng::derive};
use mvee::Union;
use nalgebra::DMatrix;
use serde::{Deserialize, Serialize};

use crate::{
    output::progress::TaskProgress,
    systems::{experiment::Experiment, probability::CountedProbability, reference::Reference},
};

/// Number of latent draws decoded together.
const CHUNK: usize = 65_536;
/// Factor of the critical value of the two-sample Kolmogorov–Smirnov test at 1 %.
const KS_1_PERCENT: f64 = 1.628;

/// Comparison of a flow with the simulator.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FlowQuality {
    /// Mean log-density of reference outcomes, in standardised units.
    pub held_out: f64,
    /// Distances between the distributions of each feature: draws from the flow, reference outcomes.
    pub features: Vec<FeatureDistance>,
    /// Critical value: by chance alone, one distance of a hundred is larger.
    pub distance_bound: f64,
    /// Probabilities of the failure regions, in their order.
    pub regions: Vec<RegionProbability>,
    /// Findings on round trip, tails, precision and others.
    pub health: Vec<Finding>,
}

/// Kolmogorov–Smirnov distance of one feature.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FeatureDistance {
    /// Name of the feature.
    pub feature: String,
    /// The distance.
    pub distance: f64,
}

/// The probability of one region.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RegionProbability {
    /// By simulation.
    pub simulation: CountedProbability,
    /// Under the flow.
    pub flow: CountedProbability,
}

/// Counts over draws from the flow.
pub(super) struct FlowDraws {
    /// The failure event.
    pub(super) failure: CountedProbability,
    /// The surrogate event.
    pub(super) surrogate: CountedProbability,
    /// The failure regions.
    regions: Vec<CountedProbability>,
    /// Some of the draws, standardised, `[d, n]`.
    sample: DMatrix<f64>,
}

impl FlowDraws {
    /// Counts events over `flow_draws` draws. Each draw is decoded once for all events.
    pub(super) fn count(
        transport: &FlowTransport,
        failure: &Union,
        surrogate: &Union,
        experiment: &Experiment,
    ) -> anyhow::Result<Self> {
        let draws = experiment.flow_draws;
        let progress = TaskProgress::start("failure probability of the flow", draws as u64);
        let latent = StandardNormal::new(transport.dim());
        let inside = |union: &Union, x: &DMatrix<f64>| {
            union.distances(x.as_view()).iter().filter(|g| **g <= 0.0).count()
        };
        let (mut fail, mut surrogates) = (0, 0);
        let mut regions = vec![0; failure.members().len()];
        let mut sample = None;
        for (chunk, first) in (0..draws).step_by(CHUNK).enumerate() {
            let n = CHUNK.min(draws - first);
            let u = latent.sample(n, derive(experiment.seed, "flow draws", chunk as u64))?;
            let x = transport.decode_points(u.as_view())?;
            fail += inside(failure, &x);
            surrogates += inside(surrogate, &u);
            for (count, member) in regions.iter_mut().zip(failure.members()) {
                *count += member.distances(x.as_view()).iter().filter(|g| **g <= 0.0).count();
            }
            sample.get_or_insert(x);
            progress.advance(n as u64);
        }
        progress.finish();
        Ok(Self {
            failure: CountedProbability::new(fail, draws),
            surrogate: CountedProbability::new(surrogates, draws),
            regions: regions
                .into_iter()
                .map(|count| CountedProbability::new(count, draws))
                .collect(),
            sample: sample.unwrap_or_else(|| DMatrix::zeros(transport.dim(), 0)),
        })
    }
}

impl FlowQuality {
    /// Compares the draws from the flow with the reference.
    pub(super) fn new(
        transport: &FlowTransport,
        failure: &Union,
        reference: &Reference,
        draws: &FlowDraws,
        features: &[String],
    ) -> anyhow::Result<Self> {
        let flow = transport.flow();
        let outcomes = flow.standardise().apply(reference.outcomes.as_view());
        let (n, m) = (outcomes.ncols() as f64, draws.sample.ncols() as f64);
        let distances = features.iter().zip(outcomes.row_iter().zip(draws.sample.row_iter()));
        let regions = failure.members().iter().zip(&draws.regions).map(|(member, flow)| {
            let kept = reference.failures.ncols().max(1) as f64;
            let inside = member.distances(reference.failures.as_view());
            let share = inside.iter().filter(|g| **g <= 0.0).count() as f64 / kept;
            // The reference keeps only some of the failures; their shares hold for all.
            let count = share * reference.facts.failing as f64;
            let simulation = CountedProbability::new(count.round() as usize, reference.facts.runs);
            RegionProbability { simulation, flow: flow.clone() }
        });
        Ok(Self {
            held_out: flow.standardised().ln_pdf(outcomes.as_view())?.mean(),
            features: distances
                .map(|(name, (a, b))| FeatureDistance {
                    feature: name.clone(),
                    distance: kolmogorov_smirnov(a.iter(), b.iter()),
                })
                .collect(),
            distance_bound: KS_1_PERCENT * (1.0 / n + 1.0 / m).sqrt(),
            regions: regions.collect(),
            health: Health::examine(flow, None)?.findings,
        })
    }
}

/// Largest distance between two empirical distribution functions.
fn kolmogorov_smirnov<'a>(
    a: impl Iterator<Item = &'a f64>,
    b: impl Iterator<Item = &'a f64>,
) -> f64 {
    let sorted = |values: &mut dyn Iterator<Item = &'a f64>| {
        let mut values: Vec<f64> = values.copied().collect();
        values.sort_by(f64::total_cmp);
        values
    };
    let (a, b) = (sorted(&mut { a }), sorted(&mut { b }));
    let (mut i, mut j, mut largest) = (0, 0, 0.0_f64);
    while i < a.len() && j < b.len() {
        let value = a[i].min(b[j]);
        while i < a.len() && a[i] <= value {
            i += 1;
        }
        while j < b.len() && b[j] <= value {
            j += 1;
        }
        largest = largest.max((i as f64 / a.len() as f64 - j as f64 / b.len() as f64).abs());
    }
    largest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_distance_of_distribution_functions_is_that_of_the_steps() {
        let distance = |a: &[f64], b: &[f64]| kolmogorov_smirnov(a.iter(), b.iter());
        assert!(distance(&[1.0, 2.0, 3.0], &[3.0, 1.0, 2.0]).abs() < 1e-15);
        // F_a is 1 where F_b is still 0.
        assert!((distance(&[1.0, 2.0], &[3.0, 4.0, 5.0]) - 1.0).abs() < 1e-15);
        // Ties move both at once: at 1 the functions are 3/4 and 1/2.
        assert!((distance(&[1.0, 1.0, 1.0, 2.0], &[1.0, 2.0]) - 0.25).abs() < 1e-15);
    }
}
