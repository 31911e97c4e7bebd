//! The methods that take part: a new one is a line in [`all`].

use latent_is::latent::PushForward;
use latent_is::problems::Problem;
use latent_is::{
    Adaptive, CrossEntropy, Error, Estimate, Estimator, ImprovedCrossEntropy, LimitState,
    MonteCarlo, Sequential, StandardNormal, SubsetSimulation,
};
use serde_json::Value;

/// A method with the space it runs in.
pub(crate) struct Contender {
    pub(crate) name: &'static str,
    pub(crate) estimator: Box<dyn Estimator>,
    /// Runs in target space: only problems that have one.
    in_target: bool,
}

impl Contender {
    /// Whether the method works on the problem.
    pub(crate) fn takes(&self, problem: &Problem) -> bool {
        !self.in_target || problem.target().is_some()
    }

    /// The settings of the method.
    pub(crate) fn settings(&self) -> Value {
        self.estimator.settings().expect("settings are plain data")
    }

    /// One run.
    pub(crate) fn run(&self, problem: &Problem, seed: u64) -> Result<Estimate, Error> {
        if self.in_target {
            let target = problem.target().expect("only problems with a target space are taken");
            let nominal = PushForward::new(target.map);
            self.estimator.estimate(&nominal, &target.limit_state, seed)
        } else {
            self.estimator.estimate(&StandardNormal::new(problem.dim()), problem, seed)
        }
    }

    /// A method in standard normal space.
    fn latent(name: &'static str, estimator: impl Estimator + 'static) -> Self {
        Self { name, estimator: Box::new(estimator), in_target: false }
    }

    /// A method in target space, under the push-forward of the standard normal.
    fn target(name: &'static str, estimator: impl Estimator + 'static) -> Self {
        Self { name, estimator: Box::new(estimator), in_target: true }
    }
}

/// All methods.
pub(crate) fn all() -> Vec<Contender> {
    let mc = MonteCarlo::builder().budget(20_000).target_cov(None).build();
    vec![
        Contender::latent("mc", mc.expect("the settings are in range")),
        Contender::latent("adaptive", Adaptive::default()),
        Contender::latent("ce", CrossEntropy::default()),
        Contender::latent("ce-paper", CrossEntropy::paper()),
        Contender::target("ce-target", CrossEntropy::default()),
        Contender::latent("ice", ImprovedCrossEntropy::default()),
        Contender::latent("ice-paper", ImprovedCrossEntropy::paper()),
        Contender::latent("sis", Sequential::default()),
        Contender::latent("sis-paper", Sequential::paper()),
        Contender::target("sis-target", Sequential::default()),
        Contender::latent("sis-pcn", Sequential::conditional()),
        Contender::latent("subset", SubsetSimulation::default()),
    ]
}
