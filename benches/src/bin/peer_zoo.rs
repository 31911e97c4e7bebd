//! Our side of `benches/peers/zoo.py`: whole runs on problems with known answers. Against OpenTURNS's cross-entropy
//! and subset simulation stand ours; against its nonparametric adaptive importance sampling (NAIS), sequential
//! importance sampling; against directional sampling and importance sampling around the design point, which fit
//! some problems and not others, the adaptive pipeline that chooses for itself. All have their defaults.

use std::time::Instant;

use benches::report;
use latent_is::metrics::{Repeated, Repetition};
use latent_is::{
    Adaptive, CrossEntropy, Error, Estimator, LimitState, Sequential, StandardNormal,
    SubsetSimulation, problems,
};

/// The same lists stand in `zoo.py`.
const PROBLEMS: [&str; 5] = ["linear-2", "linear-10", "four-branch-2", "parabolic-2", "two-mode-5"];
const PEERS: [&str; 5] = ["cross-entropy", "subset", "NAIS", "directional", "FORM + IS"];
const RUNS: u64 = 20;

fn main() -> Result<(), Error> {
    let (ce, sis) = (CrossEntropy::default(), Sequential::default());
    let (subset, adaptive) = (SubsetSimulation::default(), Adaptive::default());
    for name in PROBLEMS {
        let problem = problems::by_name(name).expect("it is one of the problems");
        let nominal = StandardNormal::new(problem.dim());
        for peer in PEERS {
            let ours: &dyn Estimator = match peer {
                "cross-entropy" => &ce,
                "subset" => &subset,
                "NAIS" => &sis,
                _ => &adaptive,
            };
            let started = Instant::now();
            let runs = (0..RUNS)
                .map(|seed| ours.estimate(&nominal, problem, seed))
                .collect::<Result<Vec<_>, _>>()?;
            let seconds = started.elapsed().as_secs_f64() / RUNS as f64;
            let runs: Vec<Repetition> = runs.iter().map(Repetition::from).collect();
            let s = Repeated::new(&runs, problem.pf())?;
            let rmse = 100.0 * s.rmse;
            let note = format!("WNV {:.3e}, {:.0} calls, RMSE {rmse:.1} %", s.wnv, s.evaluations);
            report(&format!("{name}, {peer}"), seconds, "s", &note);
        }
    }
    Ok(())
}
