//! A limit state of your own, run with a budget, a checkpoint and a progress line.

use latent_is::run::ProgressLine;
use latent_is::{Budget, CrossEntropy, EvalError, LimitState, NanPolicy, Run, StandardNormal};
use nalgebra::{DMatrixView, DVector};

/// A beam under two random loads: it fails when the bending moment exceeds what it bears.
struct Beam {
    bears: f64,
}

impl LimitState for Beam {
    fn dim(&self) -> usize {
        2
    }

    fn evaluate(&self, u: DMatrixView<'_, f64>) -> Result<DVector<f64>, EvalError> {
        EvalError::check_dim(2, u.nrows())?;
        let margin = |load: f64, place: f64| self.bears - load * place * (1.0 - place);
        let each = u.column_iter().map(|u| margin(10.0 + 2.0 * u[0], 0.5 + 0.1 * u[1]));
        Ok(DVector::from_iterator(u.ncols(), each))
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let beam = Beam { bears: 4.4 };
    let method = CrossEntropy::default();
    let mut run = Run::new(&method)
        .seed(7)
        .budget(Budget { evaluations: Some(20_000), ..Budget::default() })
        .on_nan(NanPolicy::Unknown)
        .label("beam, 4.4")
        .observer(ProgressLine::new(std::io::stderr()));
    let outcome = run.start(&StandardNormal::new(2), &beam)?;
    let estimate = outcome.estimate.ok_or("the budget ended before an estimate")?;
    let interval = estimate.interval(0.95);
    println!(
        "P = {:.3e}, 95 %: {:.3e} to {:.3e}",
        estimate.pf(),
        interval.lower(),
        interval.upper()
    );
    println!("{}", estimate.verdict());
    Ok(())
}
