//! A model as a simulator: draw the inputs of a block, evaluate.

use std::sync::Mutex;

use nalgebra::DMatrix;
use rand_distr::{Distribution, StandardNormal};

use crate::{
    error::{InputError, ModelError},
    model::{Evaluations, Model},
    rng,
    simulator::{Feature, Simulator},
};

/// Samples per block of a [`ModelSimulator`].
const BLOCK: usize = 256;

/// A [`Model`] as a [`Simulator`]: the outcomes of inputs drawn from their distributions.
///
/// Sample `i` of the sequence of `seed` has the inputs of place `i % 256` in block `i / 256` of the stream
/// of `derive(seed, "inputs", 0)` and the seed `derive(seed, "model", i)`.
///
/// A [`Simulator`] has no place for an error. A block whose batch has no answer at all is therefore NaN,
/// and [`take_error`](Self::take_error) tells the first reason; who can handle errors calls
/// [`draw`](Self::draw), which also gives inputs, seeds and statuses.
///
/// ```
/// use inputs::{Inputs, Normal};
/// use nalgebra::{DMatrix, DMatrixView};
/// use sim_core::{Evaluations, Feature, Model, ModelError, ModelSimulator, Simulator};
///
/// /// Braking distance by speed.
/// struct Braking(Inputs, [Feature; 1]);
///
/// impl Model for Braking {
///     fn name(&self) -> &str {
///         "braking"
///     }
///     fn inputs(&self) -> &Inputs {
///         &self.0
///     }
///     fn outputs(&self) -> &[Feature] {
///         &self.1
///     }
///     fn evaluate(&self, w: DMatrixView<'_, f64>, seeds: &[u64]) -> Result<Evaluations, ModelError> {
///         self.check(w, seeds)?;
///         Ok(Evaluations::from_outputs(w.map(|speed| speed * speed / (2.0 * 9.81 * 0.7))))
///     }
/// }
///
/// let speed = Inputs::builder().input("speed", "m/s", Normal::new(25.0, 2.0)?).build()?;
/// let simulator = ModelSimulator::new(Braking(speed, [Feature::new("distance", "m")]));
/// let distances = simulator.simulate(1000, 7); // [1, 1000]
/// let drawn = simulator.draw(0, 1000, 7)?; // the same with inputs, seeds and statuses
/// assert_eq!(drawn.evaluations.outputs, distances);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct ModelSimulator<M> {
    model: M,
    error: Mutex<Option<ModelError>>,
}

/// Samples with all that made them.
#[derive(Clone, Debug, PartialEq)]
pub struct Drawn {
    /// The inputs, `[m, n]`.
    pub w: DMatrix<f64>,
    /// The seeds, `[n]`.
    pub seeds: Vec<u64>,
    /// The outcomes and statuses.
    pub evaluations: Evaluations,
}

impl<M: Model> ModelSimulator<M> {
    /// A simulator of `model`.
    pub fn new(model: M) -> Self {
        Self { model, error: Mutex::new(None) }
    }

    /// The model.
    pub fn model(&self) -> &M {
        &self.model
    }

    /// The first reason for which a block had no answer since the last call.
    pub fn take_error(&self) -> Option<ModelError> {
        self.lock().take()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<ModelError>> {
        self.error.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// The inputs and seeds of `n` samples from block `first` on, as a function of `seed` alone.
    ///
    /// # Shapes
    /// - returns `[m, n]` and `[n]`
    ///
    /// # Errors
    /// [`InputError::Inputs`] when a map of the inputs fails.
    pub fn inputs(
        &self,
        first: u64,
        n: usize,
        seed: u64,
    ) -> Result<(DMatrix<f64>, Vec<u64>), InputError> {
        let inputs = self.model.inputs();
        let stream = rng::derive(seed, "inputs", 0);
        let m = inputs.latent_dim();
        let mut u = DMatrix::zeros(m, n);
        // A chunk must not be empty, also for a model without random inputs.
        for (block, out) in (first..).zip(u.as_mut_slice().chunks_mut((m * BLOCK).max(1))) {
            let mut rng = rng::stream(stream, block);
            for u in out {
                *u = StandardNormal.sample(&mut rng);
            }
        }
        let start = first * BLOCK as u64;
        let seeds = (start..start + n as u64).map(|i| rng::derive(seed, "model", i)).collect();
        Ok((inputs.transform(u.as_view())?, seeds))
    }

    /// Draws and evaluates `n` samples from block `first` on as one batch.
    ///
    /// # Errors
    /// [`ModelError`] when the batch as a whole has no answer.
    pub fn draw(&self, first: u64, n: usize, seed: u64) -> Result<Drawn, ModelError> {
        let (w, seeds) = self.inputs(first, n, seed)?;
        let evaluations = self.model.evaluate(w.as_view(), &seeds)?;
        Ok(Drawn { w, seeds, evaluations })
    }
}

impl<M: Model> Simulator for ModelSimulator<M> {
    fn name(&self) -> &str {
        self.model.name()
    }

    fn features(&self) -> &[Feature] {
        self.model.outputs()
    }

    fn block_len(&self) -> usize {
        BLOCK
    }

    fn simulate_block(&self, seed: u64, block: u64, out: &mut [f64]) {
        match self.draw(block, out.len() / self.dim(), seed) {
            Ok(drawn) => out.copy_from_slice(drawn.evaluations.outputs.as_slice()),
            Err(error) => {
                out.fill(f64::NAN);
                self.lock().get_or_insert(error);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use inputs::{Constant, Inputs, Normal, Uniform};
    use nalgebra::DMatrixView;

    use super::*;
    use crate::model::{FailureKind, Status};

    /// Its outcome is its second input and a number made of its seed; it fails below -1 and refuses batches
    /// with an input above 4.5.
    struct Echo(Inputs, [Feature; 2]);

    impl Model for Echo {
        fn name(&self) -> &'static str {
            "echo"
        }

        fn inputs(&self) -> &Inputs {
            &self.0
        }

        fn outputs(&self) -> &[Feature] {
            &self.1
        }

        fn evaluate(
            &self,
            w: DMatrixView<'_, f64>,
            seeds: &[u64],
        ) -> Result<Evaluations, ModelError> {
            self.check(w, seeds)?;
            if w.row(1).iter().any(|v| *v > 4.5) {
                return Err(ModelError::failed("an input is too large"));
            }
            let outputs = DMatrix::from_fn(2, seeds.len(), |i, j| match i {
                0 if w[(1, j)] < -1.0 => f64::NEG_INFINITY,
                0 => w[(1, j)],
                _ => seeds[j] as f64,
            });
            Ok(Evaluations::from_outputs(outputs))
        }
    }

    fn echo(sd: f64) -> ModelSimulator<Echo> {
        let inputs = Inputs::builder()
            .input("fixed", "m", Constant::new(3.0).unwrap())
            .input("free", "m", Normal::new(0.0, sd).unwrap())
            .input("flat", "m", Uniform::new(0.0, 1.0).unwrap())
            .build()
            .unwrap();
        let features = [Feature::new("input", "m"), Feature::new("seed", "1")];
        ModelSimulator::new(Echo(inputs, features))
    }

    #[test]
    fn blocks_batches_and_continued_runs_agree() {
        let simulator = echo(1.0);
        let all = simulator.draw(0, 1000, 7).unwrap();
        assert_eq!(all.seeds[300], rng::derive(7, "model", 300));
        // NaN equals nothing, so bits are compared.
        let bits = |x: &DMatrix<f64>| x.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
        let expected = bits(&all.evaluations.outputs);
        assert_eq!(bits(&simulator.simulate(1000, 7)), expected);
        let rest = simulator.simulate_from_block(2, 488, 7, &|_| ());
        assert_eq!(bits(&rest), expected[2 * 512..]);
        assert!(simulator.take_error().is_none());
        // Each input has its own numbers.
        let (w, _) = simulator.inputs(0, 2, 7).unwrap();
        assert_eq!(w, all.w.columns(0, 2));
        let normal = rng::standard_normal(2, 2, rng::derive(7, "inputs", 0));
        assert!((w[(1, 1)] - normal[(0, 1)]).abs() < 1e-15);
    }

    #[test]
    fn samples_without_an_outcome_have_a_status_and_nan_throughout() {
        let drawn = echo(1.0).draw(0, 2000, 3).unwrap();
        for (j, status) in drawn.evaluations.statuses.iter().enumerate() {
            let outputs = drawn.evaluations.outputs.column(j);
            let failed = drawn.w[(1, j)] < -1.0;
            assert_eq!(status.is_done(), !failed);
            assert_eq!(outputs.iter().all(|v| v.is_nan()), failed);
            let kind = |status: &Status| match status {
                Status::Failed { kind, .. } => Some(*kind),
                Status::Done => None,
            };
            assert_eq!(kind(status), failed.then_some(FailureKind::NotFinite));
        }
    }

    #[test]
    fn a_batch_without_an_answer_is_nan_and_its_reason_is_kept() {
        let simulator = echo(3.0);
        let outcomes = simulator.simulate(256, 1);
        assert!(outcomes.iter().all(|v| v.is_nan()));
        assert_eq!(simulator.take_error().unwrap().to_string(), "an input is too large");
        assert!(simulator.take_error().is_none());
        let w = DMatrix::zeros(2, 1);
        let error = simulator.model().evaluate(w.as_view(), &[1]).unwrap_err().to_string();
        assert_eq!(error, "the simulator takes 3 inputs per sample, got 2");
        let error = simulator.model().evaluate(DMatrix::zeros(3, 2).as_view(), &[1]).unwrap_err();
        assert_eq!(error.to_string(), "2 samples need as many seeds, got 1");
    }
}
