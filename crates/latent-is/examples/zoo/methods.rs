//! The methods that take part: a new one is a line in [`all`].

use latent_is::latent::PushForward;
use latent_is::problems::Problem;
use latent_is::{
    Adaptive, CrossEntropy, Error, Estimate, ImprovedCrossEntropy, LimitState, Method, MonteCarlo,
    Sequential, StandardNormal, SubsetSimulation,
};
use serde::Serialize;
use serde_json::Value;

type Runner = Box<dyn Fn(&Problem, u64) -> Result<Estimate, Error> + Sync>;

/// A method with its settings.
pub(crate) struct Contender {
    pub(crate) name: &'static str,
    pub(crate) settings: Value,
    pub(crate) run: Runner,
    /// Runs in target space: only problems that have one.
    in_target: bool,
}

impl Contender {
    /// Whether the method works on the problem.
    pub(crate) fn takes(&self, problem: &Problem) -> bool {
        !self.in_target || problem.target().is_some()
    }

    /// A method in standard normal space.
    fn latent<M: Method + Serialize + 'static>(name: &'static str, method: M) -> Self {
        let settings = settings(&method);
        let run = move |problem: &Problem, seed| {
            method.estimate(&StandardNormal::new(problem.dim()), problem, seed)
        };
        Self { name, settings, run: Box::new(run), in_target: false }
    }

    /// A method in target space, under the push-forward of the standard normal.
    fn target<M: Method + Serialize + 'static>(name: &'static str, method: M) -> Self {
        let settings = settings(&method);
        let run = move |problem: &Problem, seed| {
            let target = problem.target().expect("only problems with a target space are taken");
            method.estimate(&PushForward::new(target.map), &target.limit_state, seed)
        };
        Self { name, settings, run: Box::new(run), in_target: true }
    }
}

fn settings(method: &impl Serialize) -> Value {
    serde_json::to_value(method).expect("settings are plain data")
}

/// All methods.
pub(crate) fn all() -> Vec<Contender> {
    let mc = MonteCarlo::builder().budget(20_000).target_cov(None).build();
    let mc = mc.expect("the settings are in range");
    let subset = SubsetSimulation::default();
    let normal = |problem: &Problem| StandardNormal::new(problem.dim());
    vec![
        Contender {
            name: "mc",
            settings: settings(&mc),
            run: Box::new(move |problem, seed| mc.estimate(&normal(problem), problem, seed)),
            in_target: false,
        },
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
        Contender {
            name: "subset",
            settings: settings(&subset),
            run: Box::new(move |problem, seed| subset.estimate(problem, seed)),
            in_target: false,
        },
    ]
}
