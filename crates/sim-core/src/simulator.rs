//! The trait of all simulators.

use std::borrow::Cow;

use nalgebra::DMatrix;

use crate::blocks::in_blocks;

/// One coordinate of the outcome of a simulator.
///
/// ```
/// use sim_core::Feature;
///
/// static SPEED: Feature = Feature::new("speed", "m/s"); // known at compile time
/// let height = Feature::owned("height".to_owned(), "m".to_owned()); // read from a file
/// assert_eq!((SPEED.name(), height.unit()), ("speed", "m"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Feature {
    name: Cow<'static, str>,
    unit: Cow<'static, str>,
}

impl Feature {
    /// A feature with a name, as in a column header, and a unit in the usual notation (`m`, `rad/s`; `1`
    /// for pure numbers).
    pub const fn new(name: &'static str, unit: &'static str) -> Self {
        Self { name: Cow::Borrowed(name), unit: Cow::Borrowed(unit) }
    }

    /// The same with texts that are known only at run time.
    pub const fn owned(name: String, unit: String) -> Self {
        Self { name: Cow::Owned(name), unit: Cow::Owned(unit) }
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The unit; `1` for pure numbers.
    pub fn unit(&self) -> &str {
        &self.unit
    }
}

/// A stochastic simulator: a source of random outcomes $x \in \mathbb R^d$.
///
/// The outcomes of one seed form an infinite sequence. It is divided into blocks of
/// [`block_len`](Self::block_len) outcomes, and each block has its own random stream. Outcome `i`
/// therefore depends neither on the number of outcomes that are asked for nor on the number of
/// threads, and an interrupted run can resume at a block.
///
/// An implementation gives four methods; the others are provided.
///
/// ```
/// use rand_distr::{Distribution, StandardNormal};
/// use sim_core::{Feature, Simulator, rng};
///
/// /// Braking distance of a car whose speed and friction vary.
/// struct Braking;
///
/// static FEATURES: [Feature; 1] = [Feature::new("distance", "m")];
///
/// impl Simulator for Braking {
///     fn name(&self) -> &str {
///         "braking"
///     }
///     fn features(&self) -> &[Feature] {
///         &FEATURES
///     }
///     fn block_len(&self) -> usize {
///         1024
///     }
///     fn simulate_block(&self, seed: u64, block: u64, out: &mut [f64]) {
///         let mut rng = rng::stream(rng::derive(seed, "braking", 0), block);
///         for distance in out {
///             let [a, b]: [f64; 2] = std::array::from_fn(|_| StandardNormal.sample(&mut rng));
///             let (speed, friction) = (25.0 + 2.0 * a, 0.7 * (0.1 * b).exp());
///             *distance = speed * speed / (2.0 * 9.81 * friction);
///         }
///     }
/// }
///
/// let distances = Braking.simulate(5000, 1);
/// assert_eq!(distances.shape(), (1, 5000));
/// assert_eq!(Braking.simulate(10, 1), distances.columns(0, 10));
/// ```
///
/// # Models
///
/// A simulator decides itself what it draws. Where the random inputs have names and known
/// distributions, so that an estimator may choose them, implement [`Model`](crate::Model):
/// [`ModelSimulator`](crate::ModelSimulator) makes a simulator of any model. The F-16, the robot and the
/// race car implement both.
pub trait Simulator: Sync {
    /// Short name, as used on the command line.
    fn name(&self) -> &str;

    /// The coordinates of an outcome, in order; their number is `d`.
    fn features(&self) -> &[Feature];

    /// Number of outcomes per block.
    fn block_len(&self) -> usize;

    /// Simulates block `block` of the sequence of `seed`. An outcome that the simulator cannot compute is
    /// NaN in all its coordinates.
    ///
    /// # Shapes
    /// - `out`: `n * d` numbers, the first `n <= block_len` outcomes of the block, one after the other
    fn simulate_block(&self, seed: u64, block: u64, out: &mut [f64]);

    /// Number of coordinates `d`.
    fn dim(&self) -> usize {
        self.features().len()
    }

    /// Returns the first `n` outcomes of the sequence of `seed`, simulated in parallel.
    ///
    /// # Shapes
    /// - returns `[d, n]`, one outcome per column
    fn simulate(&self, n: usize, seed: u64) -> DMatrix<f64> {
        self.simulate_with(n, seed, &|_| ())
    }

    /// Like [`simulate`](Self::simulate). `progress` is called with the number of outcomes of each
    /// finished block, from any thread.
    ///
    /// # Shapes
    /// - returns `[d, n]`, one outcome per column
    fn simulate_with(
        &self,
        n: usize,
        seed: u64,
        progress: &(dyn Fn(usize) + Sync),
    ) -> DMatrix<f64> {
        self.simulate_from_block(0, n, seed, progress)
    }

    /// Returns the `n` outcomes of the sequence of `seed` that begin with block `first`, so that an
    /// interrupted run can resume there. `progress` is called as by
    /// [`simulate_with`](Self::simulate_with).
    ///
    /// # Shapes
    /// - returns `[d, n]`, one outcome per column
    fn simulate_from_block(
        &self,
        first: u64,
        n: usize,
        seed: u64,
        progress: &(dyn Fn(usize) + Sync),
    ) -> DMatrix<f64> {
        let d = self.dim();
        in_blocks(d, n, self.block_len(), |block, out| {
            self.simulate_block(seed, first + block as u64, out);
            progress(out.len() / d);
        })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// Outcomes that name seed, block and place; features read at run time.
    struct Labels(Vec<Feature>);

    impl Simulator for Labels {
        fn name(&self) -> &str {
            self.0[0].name()
        }
        fn features(&self) -> &[Feature] {
            &self.0
        }
        fn block_len(&self) -> usize {
            4
        }
        fn simulate_block(&self, seed: u64, block: u64, out: &mut [f64]) {
            for (i, out) in out.chunks_exact_mut(2).enumerate() {
                out.copy_from_slice(&[seed as f64, (4 * block) as f64 + i as f64]);
            }
        }
    }

    #[test]
    fn outcomes_form_one_sequence_per_seed() {
        let feature = |i| Feature::owned(format!("output {i}"), "m".to_owned());
        let simulator: &dyn Simulator = &Labels(vec![feature(0), feature(1)]);
        assert_eq!((simulator.name(), simulator.dim()), ("output 0", 2));
        let count = AtomicUsize::new(0);
        let told = |n| {
            count.fetch_add(n, Ordering::Relaxed);
        };
        let all = simulator.simulate_with(11, 3, &told);
        assert_eq!(count.load(Ordering::Relaxed), 11);
        assert_eq!(all, DMatrix::from_fn(2, 11, |i, j| if i == 0 { 3.0 } else { j as f64 }));
        assert_eq!(simulator.simulate_from_block(2, 3, 3, &|_| ()), all.columns(8, 3));
    }
}
