//! Neural spline flows: an invertible map between a standard normal latent and data, trained on the
//! data by maximum likelihood.
//!
//! A [`Flow`] is a density that can be evaluated, sampled and inverted exactly. Its layers are
//! [burn](https://burn.dev) modules and run on every device of burn. On a CPU, this crate's own vector
//! code trains and evaluates them, and results do not depend on the number of threads. The arithmetic
//! and the names of the weights are those of the Python package `nflows`.
//!
//! ```
//! use flow_core::{FlowConfig, TrainSettings, default_device, fit};
//! use nalgebra::DMatrix;
//!
//! // Outcomes of a simulator, one per column: noisy points on a parabola.
//! let noise = |j: usize| (12.9898 * j as f64).sin();
//! let x = DMatrix::from_fn(2, 2_000, |i, j| match i {
//!     0 => noise(j),
//!     _ => noise(j).powi(2) + 0.1 * noise(7 * j + 1),
//! });
//!
//! let config = FlowConfig::builder(2).hidden(16).steps(3).build()?;
//! let settings = TrainSettings::builder().epochs(2).learning_rate(3e-3).build()?;
//! let flow = fit(x.as_view(), &config, &settings, &default_device(), &mut ())?.flow;
//!
//! let draws = flow.sample(1_000, 7)?; // [2, 1000]
//! let ln_p = flow.ln_pdf(draws.as_view())?; // [1000]
//! let u = flow.encode(draws.as_view())?; // latent points and log-determinants
//! let back = flow.decode_points(u.points.as_view())?;
//! assert!((back - draws).amax() < 1e-3 && ln_p.iter().all(|v| v.is_finite()));
//! # Ok::<(), flow_core::FlowError>(())
//! ```
//!
//! Batches are nalgebra matrices `[d, n]`, one sample per column, in double precision.
//!
//! # What is offered
//!
//! | task | items |
//! | --- | --- |
//! | choose an architecture | [`FlowConfig`], [`TransformKind`], [`LinearKind`] |
//! | train | [`fit`], [`TrainSettings`], [`train::TrainingObserver`], [`TrainingRecord`] |
//! | resume an interrupted training | [`fit_resumable`], [`Checkpoint`] |
//! | train on weighted outcomes | [`fit_weighted`], [`RowWeightsError`] |
//! | estimate the error of a flow by an ensemble | [`fit_member`], [`FlowFile::with_members`] |
//! | evaluate, in the units of the data | [`Flow::encode`], [`Flow::decode`], [`Flow::ln_pdf`], [`Flow::sample`] |
//! | evaluate in standardised units | [`Flow::standardised`], [`StandardisedFlow`] |
//! | decode without log-determinants | [`Flow::decode_points`], [`StandardisedFlow::decode_points`] |
//! | map more rows than fit in memory | [`Flow::encode_into`], [`Flow::decode_into`], [`Mapped`] |
//! | give features their tails, bounds and point masses | [`marginals`], [`TrainSettings::marginals`] |
//! | leave out features that follow from others | [`Completion`], [`FlowFile::with_completion`] |
//! | check a flow far from the origin | [`Health`] |
//! | read and write flows | [`FlowFile`] |
//! | exchange weights with `nflows` | [`Flow::from_nflows`], [`Flow::to_nflows`], [`StateDict`] |
//! | choose a device | [`device()`], [`DEVICES`], [`Precision`] |
//! | write a layer | [`bijection::Bijection`] |
//!
//! # Theory
//!
//! With an invertible map $x = T(u)$ and a standard normal latent $u$, outcomes have the density
//!
//! $$ \ln p_X(x) = \ln \varphi_d(T^{-1}(x)) + \ln \left| \det \frac{\partial T^{-1}}{\partial x} \right|. \tag{1} $$
//!
//! $T^{-1}$ standardises the outcomes, $x_{\text{std},i} = (x_i - m_i) / s_i$, and applies layers whose
//! Jacobian is triangular or constant: permutations, linear layers $L U x + b$, and monotone
//! rational-quadratic splines. The knots of the spline of one feature come from a *conditioner*, a
//! residual network of other features:
//!
//! - coupling ([`bijection::RqCoupling`]): one half of the features is the condition of the other half.
//!   Both directions cost one network pass per layer.
//! - autoregressive ([`bijection::RqAutoregressive`]): feature $i$ is conditioned on features
//!   $1, \dots, i - 1$. Encoding costs one pass, decoding $d$ passes per layer.
//!
//! The splines act on $[-B, B]$ in standardised units and are the identity outside ($B$ is
//! [`FlowConfig::tail_bound`]). Training minimises the mean of $-\ln p(x_\text{std})$ over batches with
//! Adam ([`train::negative_log_likelihood`]); outcomes without a density, such as points on a surface,
//! need noise ([`train::Jitter`]).
//!
//! # Limits
//!
//! - A flow maps the whole space onto the whole space: data in separate clusters are connected by thin
//!   bridges of low density, and hard bounds are exceeded slightly.
//! - Outside the training data a flow extrapolates. [`Health`] checks that the map is invertible there
//!   and that its log-determinants are right, but no check shows that tail probabilities are right:
//!   compare them with simulations.
//! - Flows of this crate have no context variables, and one chain has one kind of transform.
//! - The vector code computes in single precision. [`Precision::F64`] uses burn, is slower and is meant
//!   for tests; GPUs compute in single precision.
//!
//! # Features
//!
//! `flex` (default) and `ndarray` are CPU backends of burn, `wgpu` is its GPU backend. Several can be
//! compiled in; [`device()`] selects one by name. At least one is needed.
//!
//! # References
//!
//! - C. Durkan, A. Bekasov, I. Murray, G. Papamakarios: Neural spline flows. *NeurIPS* (2019).
//! - G. Papamakarios, T. Pavlakou, I. Murray: Masked autoregressive flow for density estimation.
//!   *NeurIPS* (2017).
//! - M. Germain, K. Gregor, I. Murray, H. Larochelle: MADE: Masked autoencoder for distribution
//!   estimation. *ICML* (2015).
//! - J. B. Oliva et al.: Transformation autoregressive networks. *ICML* (2018).
//! - G. Papamakarios, E. Nalisnick, D. J. Rezende, S. Mohamed, B. Lakshminarayanan: Normalizing flows for
//!   probabilistic modeling and inference. *JMLR* 22 (2021).

mod base;
pub mod bijection;
mod completion;
mod config;
mod cpu;
mod device;
mod error;
mod evaluator;
mod expected;
mod file;
mod flow;
mod health;
mod io;
mod mapped;
pub mod marginals;
mod nflows;
pub mod nn;
mod size;
mod standardised;
mod state_dict;
#[cfg(test)]
mod testing;
pub mod train;
mod units;
mod words;

pub use burn::tensor::Device;
pub use completion::Completion;
pub use config::{FlowConfig, FlowConfigBuilder, LinearKind, TransformKind};
pub use device::{DEVICES, Precision, default_device, device};
pub use error::FlowError;
pub use flow::Flow;
pub use health::{Check, Finding, Health};
pub use io::FlowFile;
pub use mapped::Mapped;
pub use standardised::StandardisedFlow;
pub use state_dict::{HostTensor, StateDict};
pub use train::{
    Checkpoint, RowWeightsError, TrainSettings, TrainSettingsBuilder, Trained, TrainingRecord, fit,
    fit_member, fit_resumable, fit_weighted,
};

/// The example of the README.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct ReadmeExample;
