//! The flow of a study: trained on tilted outcomes, it knows the tail towards the failures of its criterion.

use flow_core::{
    Checkpoint, Device, FlowConfig, FlowError, FlowFile, TrainSettings, Trained, fit_weighted,
    train::Schedule,
};
use latent_is::{
    Density, Estimate, FinalStage, FlowTransport, GaussianMixture, LimitState, StandardNormal,
    Tilt, Tilted, Transport, Units, latent::ComposedLimitState, rng::derive,
};
use nalgebra::{DMatrix, DMatrixView};

use crate::{
    criterion::FailureCriterion,
    study::{levels::FlowDraws, rows::StudyRows},
    training::progress::TrainingProgress,
};

/// Draws of the flow for its mass and its levels.
const DRAWS: usize = 200_000;
/// Draws at once.
const BATCH: usize = 10_000;
/// Share of the draws from the nominal density itself: the others have bounded weights anyway.
const NOMINAL_DRAWS: f64 = 0.02;

/// How the flow of a study is trained.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Training {
    /// Width of the conditioner networks.
    pub(crate) hidden: usize,
    /// Number of spline layers.
    pub(crate) steps: usize,
    /// Largest number of passes over the rows.
    pub(crate) epochs: usize,
    /// Seed.
    pub(crate) seed: u64,
}

impl Training {
    /// Trains a flow on the outcomes of `rows`, tilted by the scores `values: [k, n]`. Rows without an outcome are left
    /// out.
    ///
    /// # Errors
    /// As [`fit_weighted`].
    pub(crate) fn run(
        self,
        rows: &StudyRows,
        values: DMatrixView<'_, f64>,
        tilt: &Tilt,
        device: &Device,
        checkpoint: &Checkpoint,
    ) -> anyhow::Result<Trained> {
        let ln_omega = tilt.ln_omega(values)?;
        let whole: Vec<usize> = (0..rows.len())
            .filter(|j| rows.outputs.column(*j).iter().all(|v| v.is_finite()))
            .collect();
        let ln_w: Vec<f64> = whole.iter().map(|j| rows.sample.ln_w()[*j] + ln_omega[*j]).collect();
        let largest = ln_w.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let weights: Vec<f64> = ln_w.iter().map(|ln_w| (ln_w - largest).exp()).collect();
        let x = rows.outputs.select_columns(&whole);
        let config = FlowConfig::builder(x.nrows())
            .hidden(self.hidden)
            .steps(self.steps)
            .batch_norm(false)
            .build()?;
        let settings = TrainSettings::builder()
            .epochs(self.epochs)
            .batch_size(512)
            .learning_rate(2e-3)
            .schedule(Schedule::Cosine)
            .warm_up(0.02)
            .average(0.99)
            .seed(self.seed)
            .build()?;
        let mut observer = TrainingProgress::new("training the flow");
        let trained = fit_weighted(
            x.as_view(),
            &weights,
            &config,
            &settings,
            device,
            &mut observer,
            Some(checkpoint),
        );
        observer.finish();
        trained.map_err(|error| named(error, rows))
    }
}

/// Names the output in an error.
fn named(error: FlowError, rows: &StudyRows) -> anyhow::Error {
    match &error {
        FlowError::ConstantFeature { feature, value } => anyhow::anyhow!(
            "the output `{}` is {value} in all rows; a flow needs outputs that vary",
            rows.names.outputs[*feature]
        ),
        _ => error.into(),
    }
}

/// The flow with its tilt, and the density of the outcomes that they make.
pub(crate) struct EnrichedFlow {
    transport: FlowTransport,
    tilt: Tilt,
    scores: FailureCriterion,
    mass: f64,
}

impl EnrichedFlow {
    /// The flow, which was trained on outcomes with the tilt `tilt` by the modes of `scores`; its mass is found from
    /// draws.
    ///
    /// # Errors
    /// When the flow cannot be evaluated.
    pub(crate) fn new(
        file: FlowFile,
        tilt: Tilt,
        scores: FailureCriterion,
        seed: u64,
    ) -> anyhow::Result<Self> {
        let mut flow =
            Self { transport: FlowTransport::new(file.flow, Units::Raw), tilt, scores, mass: 1.0 };
        flow.mass = flow.draws(derive(seed, "mass", 0))?.mass();
        Ok(flow)
    }

    /// The flow with a mass that is known.
    pub(crate) fn with_mass(
        file: FlowFile,
        tilt: Tilt,
        scores: FailureCriterion,
        mass: f64,
    ) -> Self {
        Self { transport: FlowTransport::new(file.flow, Units::Raw), tilt, scores, mass }
    }

    /// $\mathrm E_r[1 / \omega]$.
    pub(crate) fn mass(&self) -> f64 {
        self.mass
    }

    /// Draws of the flow with their scores and weights.
    ///
    /// # Errors
    /// When the flow or the scores cannot be evaluated.
    pub(crate) fn draws(&self, seed: u64) -> anyhow::Result<FlowDraws> {
        let scores = ComposedLimitState::new(&self.scores, &self.transport)?;
        let (mut values, mut ln_w) = (Vec::new(), Vec::new());
        for batch in 0..DRAWS / BATCH {
            let seed = derive(seed, "draws", batch as u64);
            let u = StandardNormal::new(scores.dim()).sample(BATCH, seed)?;
            let batch = scores.evaluate_modes(u.as_view())?;
            let ln_omega = self.tilt.ln_omega(batch.as_view())?;
            ln_w.extend(ln_omega.iter().map(|ln| -ln - self.mass.ln()));
            values.extend_from_slice(batch.as_slice());
        }
        Ok(FlowDraws { values: DMatrix::from_vec(scores.modes(), ln_w.len(), values), ln_w })
    }

    /// The probability of `criterion` under the density.
    ///
    /// # Errors
    /// When the flow or the criterion cannot be evaluated.
    pub(crate) fn estimate(
        &self,
        criterion: &FailureCriterion,
        target_cov: f64,
        budget: u64,
        seed: u64,
    ) -> anyhow::Result<Estimate> {
        let scores = ComposedLimitState::new(&self.scores, &self.transport)?;
        let density = Tilted::new(&scores, &self.tilt, -self.mass.ln())?;
        let g = ComposedLimitState::new(criterion, &self.transport)?;
        let d = g.dim();
        let flow =
            GaussianMixture::new(vec![1.0], DMatrix::zeros(d, 1), vec![DMatrix::identity(d, d)])?;
        let last = FinalStage::builder()
            .batch(BATCH)
            .target_cov(Some(target_cov))
            .budget(Some(budget))
            .nominal_share(NOMINAL_DRAWS)
            .inflated_share(0.0)
            .build()?;
        let mut estimate = last.run(&density, &g, &flow, 0, seed)?;
        let points = self.transport.decode_points(estimate.sample.points.as_view())?;
        // Outcomes, as in the estimates from rows.
        estimate.sample.points = points;
        Ok(estimate)
    }
}
