//! The limit-state functions, each of one sample; those of the mapped problems take `x`.

use std::f64::consts::{SQRT_2, TAU};

use crate::math::special::ln_normal_cdf;

/// $\beta - \sum_i u_i / \sqrt d$.
pub(super) fn linear(u: &[f64], beta: f64) -> f64 {
    beta - u.iter().sum::<f64>() / (u.len() as f64).sqrt()
}

/// A series system of four branches.
pub(super) fn four_branch(u: &[f64], b: f64, c: f64) -> f64 {
    let (sum, difference) = (u[0] + u[1], u[0] - u[1]);
    let curved = 0.1 * difference * difference + b;
    (curved - sum / SQRT_2)
        .min(curved + sum / SQRT_2)
        .min(difference + c / SQRT_2)
        .min(-difference + c / SQRT_2)
}

pub(super) fn parabolic(u: &[f64]) -> f64 {
    5.0 - u[1] - 0.5 * (u[0] - 0.1).powi(2)
}

pub(super) fn two_mode(u: &[f64]) -> f64 {
    let s = u.iter().sum::<f64>() / (u.len() as f64).sqrt();
    (3.5 - s).min(3.7 + s)
}

pub(super) fn himmelblau(u: &[f64]) -> f64 {
    let first = (0.75 * u[0] - 0.5).powi(2) / 1.81 + (0.75 * u[1] - 1.5) / 1.81 - 11.0;
    let second = (0.75 * u[0] - 1.0) / 1.81 + (0.75 * u[1] - 0.5).powi(2) / 1.81 - 7.0;
    first * first + second * second - 95.0
}

pub(super) fn quad_mixed(u: &[f64]) -> f64 {
    4.0 + 1.25 * (u[0] - u[1]).powi(2) - u.iter().sum::<f64>() / 10.0
}

/// Sum of a hundred standard exponentials against 145.
pub(super) fn exp_sum(u: &[f64]) -> f64 {
    145.0 + u.iter().map(|u| ln_normal_cdf(-u)).sum::<f64>()
}

/// Displacement of a two-spring oscillator under a rectangular pulse.
pub(super) fn oscillator(u: &[f64]) -> f64 {
    const MEAN: [f64; 6] = [1.0, 1.0, 0.1, 0.5, 0.6, 1.0];
    const SD: [f64; 6] = [0.05, 0.1, 0.01, 0.05, 0.1, 0.2];
    let input: [f64; 6] = std::array::from_fn(|i| MEAN[i] + SD[i] * u[i]);
    let [mass, spring_1, spring_2, yielding, force, duration] = input;
    let frequency = ((spring_1 + spring_2) / mass).max(1e-12).sqrt();
    let amplitude = 2.0 * force / (mass * frequency * frequency);
    3.0 * yielding - (amplitude * (frequency * duration / 2.0).sin()).abs()
}

pub(super) fn misleading(u: &[f64]) -> f64 {
    let first = if u[0] > 3.5 { 4.0 - u[0] } else { 0.85 - 0.1 * u[0] };
    let second = if u[1] > 2.0 { 0.5 - 0.1 * u[1] } else { 2.3 - u[1] };
    first.min(second)
}

pub(super) fn black_swan(u: &[f64]) -> f64 {
    let r = (u[0] + 3.0).hypot(u[1] + 3.0) - 0.7;
    (3.8 - u[0]).min(if r < 0.3 { r } else { 5.0 })
}

pub(super) fn metaball(u: &[f64]) -> f64 {
    let ball = |a: f64, b: f64| (a + b).powi(2) + 1.0;
    30.0 / ball(4.0 * (u[0] + 2.0).powi(2) / 9.0, u[1] * u[1] / 25.0)
        + 20.0 / ball((u[0] - 2.5).powi(2) / 4.0, (u[1] - 0.5).powi(2) / 25.0)
        - 5.0
}

pub(super) fn rastrigin(u: &[f64]) -> f64 {
    20.0 - u.iter().map(|u| u * u - 5.0 * (TAU * u).cos()).sum::<f64>()
}

pub(super) fn sphere(u: &[f64], radius: f64) -> f64 {
    radius - u.iter().map(|u| u * u).sum::<f64>().sqrt()
}

/// An ellipse in the plane: centre, semi-axes, angle of the first axis.
struct Ellipse([f64; 2], [f64; 2], f64);

impl Ellipse {
    fn distance(&self, x: &[f64]) -> f64 {
        let Self(centre, axes, angle) = self;
        let (sin, cos) = angle.sin_cos();
        let (dx, dy) = (x[0] - centre[0], x[1] - centre[1]);
        ((cos * dx + sin * dy) / axes[0]).hypot((cos * dy - sin * dx) / axes[1]) - 1.0
    }
}

/// Failure regions of the bananas, one in each plane.
const BANANAS: [Ellipse; 5] = [
    Ellipse([-3.9, 8.6], [0.5, 1.5], 0.0),
    Ellipse([0.0, -3.0], [1.2, 0.6], 0.0),
    Ellipse([3.9, 8.6], [0.5, 1.5], 0.0),
    Ellipse([0.0, 1.7], [0.5, 0.5], 0.0),
    Ellipse([2.9, 2.0], [0.4, 0.6], 0.0),
];

const WARP: [Ellipse; 3] = [
    Ellipse([6.1, 1.6], [0.7, 0.9], 0.0),
    Ellipse([-4.5, -1.8], [0.7, 0.9], 0.4),
    Ellipse([0.6, 4.9], [0.8, 0.6], 0.0),
];

pub(super) fn banana(x: &[f64]) -> f64 {
    BANANAS[0].distance(x).min(BANANAS[1].distance(x))
}

pub(super) fn bananas(x: &[f64]) -> f64 {
    let each = x.chunks_exact(2).zip(&BANANAS).map(|(x, e)| e.distance(x));
    each.fold(f64::INFINITY, f64::min)
}

pub(super) fn warp(x: &[f64]) -> f64 {
    WARP.iter().map(|e| e.distance(x)).fold(f64::INFINITY, f64::min)
}

pub(super) fn half_plane(x: &[f64]) -> f64 {
    4.6 - 0.6 * x[0] - 0.8 * x[1]
}
