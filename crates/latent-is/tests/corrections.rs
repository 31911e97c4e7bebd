//! Estimates of the true event from a surrogate or from a flow that does not fit, over many seeds.
//!
//! On the problems with analytic maps, in latent and in target space. The mean over the seeds must lie
//! within four standard errors of the truth (a false alarm in 16,000 cases for a normal mean; a dozen
//! cases here); of sixty 95 % intervals at least 47 must cover, which a method that covers in 93 % fails
//! once in 10,000 cases.

use latent_is::latent::{ComposedLimitState, PullBack, PushForward};
use latent_is::transport::Mapped;
use latent_is::two_level::Corrected;
use latent_is::{
    Correction, CrossEntropy, Density, Estimate, Estimator, EvalError, FnLimitState, LimitState,
    SearchMethod, StandardNormal, Transport, TwoLevel, problems,
};
use nalgebra::{DMatrixView, DVector};
use rayon::prelude::*;

const SEEDS: u64 = 60;
const LEAST_COVERED: usize = 47;
const NAMES: [&str; 3] = ["banana-2", "warp-2", "gmm-2"];

fn assert_honest(what: &str, pf: f64, runs: &[Estimate]) -> f64 {
    let n = runs.len() as f64;
    let mean = runs.iter().map(Estimate::pf).sum::<f64>() / n;
    let sd = (runs.iter().map(|e| (e.pf() - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt();
    let z = (mean - pf) / (sd / n.sqrt());
    assert!(z.abs() < 4.0, "{what}: z = {z:.2}, mean {mean:.4e}, truth {pf:.4e}");
    let covered = runs.iter().filter(|e| e.interval(0.95).contains(pf)).count();
    assert!(covered >= LEAST_COVERED, "{what}: {covered} of {SEEDS} intervals cover");
    sd / pf
}

/// A limit state whose values are shifted by a constant and a wave: another event.
struct Shifted<G>(G, f64);

impl<G: LimitState> LimitState for Shifted<G> {
    fn dim(&self) -> usize {
        self.0.dim()
    }

    fn evaluate(&self, x: DMatrixView<'_, f64>) -> Result<DVector<f64>, EvalError> {
        let wave = |i: usize| 1.0 + 0.5 * (3.0 * x[(0, i)]).sin();
        Ok(self.0.evaluate(x)?.map_with_location(|i, _, g| g + self.1 * wave(i)))
    }
}

fn two_level(
    nominal: &(dyn Density + Sync),
    g: &(impl LimitState + Copy),
    shift: f64,
) -> Vec<Corrected> {
    let levels = TwoLevel { surrogate_draws: 20_000, draws: 1000 };
    let (method, surrogate) = (CrossEntropy::default(), Shifted(*g, shift));
    let run =
        |seed| method.estimate_two_level(nominal, &surrogate, g, &levels, 500 + seed).unwrap();
    (0..SEEDS).into_par_iter().map(run).collect()
}

#[test]
fn two_levels_are_unbiased_in_both_spaces() {
    for name in NAMES {
        let problem = problems::by_name(name).unwrap();
        let target = problem.target().unwrap();
        let runs = two_level(&StandardNormal::new(2), problem, -0.02);
        let estimates: Vec<_> = runs.iter().map(|c| c.estimate.clone()).collect();
        assert_honest(name, problem.pf(), &estimates);
        // In target space the search loses a mode of banana-2 now and then: see the next test.
        if name != "banana-2" {
            let runs = two_level(&PushForward::new(target.map), &target.limit_state, -0.02);
            let estimates: Vec<_> = runs.iter().map(|c| c.estimate.clone()).collect();
            assert_honest(&format!("{name}, target space"), problem.pf(), &estimates);
        }
    }
}

/// The proposal is given here, so that nothing but the correction is tested.
#[test]
fn the_choice_takes_the_smaller_variance_and_stays_unbiased() {
    let problem = problems::by_name("banana-2").unwrap();
    let target = problem.target().unwrap();
    let nominal = PushForward::new(target.map);
    let means = nalgebra::DMatrix::from_column_slice(2, 2, &[-3.6, 8.0, 0.0, -2.5]);
    let wide = nalgebra::DMatrix::from_diagonal_element(2, 2, 0.4);
    let fit = latent_is::GaussianMixture::new(vec![1.0; 2], means, vec![wide; 2]).unwrap();
    let proposal = latent_is::FinalStage::default().defend(&fit).unwrap();
    let levels = TwoLevel { surrogate_draws: 20_000, draws: 1000 };
    let runs = |shift| -> Vec<Corrected> {
        let surrogate = Shifted(target.limit_state, shift);
        let run = |seed| levels.run(&nominal, &surrogate, &target.limit_state, &proposal, seed);
        (0..SEEDS).into_par_iter().map(|seed| run(seed).unwrap()).collect()
    };
    let share = |runs: &[Corrected]| {
        let chosen = runs.iter().flat_map(|c| c.chosen);
        chosen.filter(|c| *c == Correction::TwoLevel).count() as f64 / (2 * SEEDS) as f64
    };
    let (near, far) = (runs(-0.02), runs(-0.9));
    assert!(share(&near) > 0.9 && share(&far) < 0.1, "{} {}", share(&near), share(&far));
    let estimates =
        |runs: &[Corrected]| runs.iter().map(|c| c.estimate.clone()).collect::<Vec<_>>();
    let with = assert_honest("near", problem.pf(), &estimates(&near));
    let without = assert_honest("far", problem.pf(), &estimates(&far));
    assert!(with < 0.7 * without, "{with} against {without}");
    assert!(near.iter().all(|c| c.surrogate_pf > problem.pf()));
    let few = TwoLevel { draws: 10, ..levels };
    assert!(few.run(&nominal, &target.limit_state, &target.limit_state, &proposal, 1).is_err());
}

/// A map that is off by a shear, a stretch and a shift: a flow that was trained badly.
#[derive(Clone, Copy)]
struct Misfit<T>(T);

impl<T: Transport> Transport for Misfit<T> {
    fn dim(&self) -> usize {
        2
    }

    fn decode(&self, u: DMatrixView<'_, f64>) -> Result<Mapped, EvalError> {
        let mut v = u.clone_owned();
        for mut c in v.column_iter_mut() {
            (c[0], c[1]) = (0.9 * c[0] + 0.2, 1.1 * c[1] + 0.15 * c[0] - 0.1);
        }
        let mut image = self.0.decode(v.as_view())?;
        image.ln_det.add_scalar_mut((0.9_f64 * 1.1).ln());
        Ok(image)
    }

    fn encode(&self, x: DMatrixView<'_, f64>) -> Result<Mapped, EvalError> {
        let mut image = self.0.encode(x)?;
        for mut c in image.points.column_iter_mut() {
            let first = (c[0] - 0.2) / 0.9;
            (c[0], c[1]) = (first, (c[1] + 0.1 - 0.15 * first) / 1.1);
        }
        image.ln_det.add_scalar_mut(-(0.9_f64 * 1.1).ln());
        Ok(image)
    }
}

#[test]
fn a_known_density_makes_up_for_a_flow_that_does_not_fit() {
    for name in NAMES {
        let problem = problems::by_name(name).unwrap();
        let target = problem.target().unwrap();
        let flow = Misfit(target.map);
        let g = ComposedLimitState::new(target.limit_state, flow).unwrap();
        let nominal = PullBack::new(PushForward::new(target.map), flow).unwrap();
        let method = CrossEntropy::default();
        let run = |nominal: &dyn Density, seed| method.estimate(nominal, &g, 900 + seed).unwrap();
        let runs: Vec<_> = (0..SEEDS).into_par_iter().map(|s| run(&nominal, s)).collect();
        assert_honest(name, problem.pf(), &runs);
        // Without the weighting the same flow answers another question.
        let other = run(&StandardNormal::new(2), 0).pf() / problem.pf();
        assert!((other - 1.0).abs() > 0.1, "{name}: {other}");
    }
    let g = FnLimitState::new(3, |_: &[f64]| 1.0);
    assert!(PullBack::new(StandardNormal::new(3), Misfit(problems::AnalyticMap::Warp)).is_err());
    assert_eq!(g.dim(), 3);
}
