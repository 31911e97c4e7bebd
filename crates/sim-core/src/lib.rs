//! What simulators share: the traits [`Simulator`] and [`Model`], random streams, vector lanes and elementary
//! functions.
//!
//! A simulator draws random inputs and returns an outcome, a point $x \in \mathbb R^d$. Here an
//! outcome is a function of a seed and an index: it has the same bits on any number of threads, on
//! any instruction set and in a run of any length.
//!
//! ```
//! use rand_distr::{Distribution, StandardNormal};
//! use sim_core::{Feature, Simulator, rng};
//!
//! /// The largest of ten standard normal numbers.
//! struct Largest;
//!
//! static FEATURES: [Feature; 1] = [Feature::new("largest", "1")];
//!
//! impl Simulator for Largest {
//!     fn name(&self) -> &str {
//!         "largest"
//!     }
//!     fn features(&self) -> &[Feature] {
//!         &FEATURES
//!     }
//!     fn block_len(&self) -> usize {
//!         256
//!     }
//!     fn simulate_block(&self, seed: u64, block: u64, out: &mut [f64]) {
//!         let mut rng = rng::stream(rng::derive(seed, "largest", 0), block);
//!         for x in out {
//!             *x = (0..10).map(|_| StandardNormal.sample(&mut rng)).fold(f64::NEG_INFINITY, f64::max);
//!         }
//!     }
//! }
//!
//! let x = Largest.simulate(100_000, 7); // [1, 100000]
//! assert!((x.mean() - 1.5388).abs() < 0.01);
//! assert_eq!(Largest.simulate(1000, 7), x.columns(0, 1000));
//! ```
//!
//! # What is offered
//!
//! | item | what it is |
//! | --- | --- |
//! | [`Simulator`], [`Feature`] | outcomes by seed and block; names and units of their coordinates |
//! | [`Model`], [`Evaluations`], [`Status`] | functions of named random inputs and a seed; outcomes and how each sample ended |
//! | [`ModelSimulator`] | a model as a simulator: draws the inputs, evaluates |
//! | [`InputError`], [`ModelError`] | why a batch of inputs cannot be evaluated |
//! | [`in_blocks`] | a matrix whose columns are computed in blocks, in parallel |
//! | [`rng`] | seeds by purpose, one `ChaCha8` stream per block, standard normal matrices |
//! | [`lanes::Real`] | arithmetic on one number, one register or two registers, written once |
//! | [`lanes::F64Lanes`], [`lanes::F32Lanes`], [`lanes::Pair`] | its implementations in vector registers |
//! | [`Precision`], [`Registers`] | settings: `f32` or `f64`; widest or scalar registers |
//! | [`elementary`] | polynomials, sine and cosine, exponential, logarithm in vector instructions |
//!
//! # The same bits on every machine
//!
//! IEEE 754 fixes the result of $+$, $-$, $\times$, $/$ and $\sqrt{\cdot}$ to the last bit. A program
//! loses this property when it calls the mathematical library of the machine, fuses multiplications with
//! additions, or changes the order of a sum with the width of the registers. The lanes and functions of this
//! crate do none of the three: operations act on each lane alone, and all functions are polynomials
//! after a reduction of the argument. An angle is reduced by
//!
//! $$ r = x - k \frac{\pi}{2}, \qquad k = \mathrm{round}\Bigl(\frac{2x}{\pi}\Bigr), \qquad
//!    \frac{\pi}{2} \approx c_1 + c_2 + c_3, \tag{1} $$
//!
//! where $c_1$ and $c_2$ have so few bits that $k c_1$ and $k c_2$ are exact (Cody and Waite), and sine and
//! cosine of $r$ follow from
//!
//! $$ \sin r \approx r + r^3 S(r^2), \qquad \cos r \approx 1 - \tfrac12 r^2 + r^4 C(r^2). \tag{2} $$
//!
//! # Limits
//!
//! - The functions of [`elementary`] accept only the arguments that they state; sine and cosine, for
//!   example, angles up to $10^6$ rad.
//! - `f32` lanes are stored to and loaded from `f64` slices.
//!
//! # References
//! - J. K. Salmon et al.: Parallel random numbers: as easy as 1, 2, 3. *SC* 2011 (random numbers by
//!   counter).
//! - D. J. Bernstein: ChaCha, a variant of Salsa20. *SASC* 2008.
//! - W. J. Cody, W. Waite: *Software Manual for the Elementary Functions*. Prentice-Hall, 1980.
//! - fdlibm: Freely Distributable Mathematical Library, Sun Microsystems, 1993 (coefficients in `f64`).
//! - S. L. Moshier: *Cephes Mathematical Library*, 1984–2000 (coefficients in `f32`).

#![expect(clippy::inline_always, reason = "vector code works only where all of it is inlined")]

mod blocks;
pub mod elementary;
pub mod error;
pub mod lanes;
pub mod model;
pub mod model_simulator;
pub mod rng;
pub mod simulator;
pub mod trajectory;

pub use blocks::in_blocks;
pub use error::{InputError, ModelError};
pub use lanes::{Precision, Registers};
pub use model::{Evaluations, FailureKind, Model, Status};
pub use model_simulator::{Drawn, ModelSimulator};
pub use simulator::{Feature, Simulator};
pub use trajectory::Trajectory;
