//! What all marginal maps have in common, and what each promises.
#![expect(clippy::float_cmp, reason = "atoms and whole numbers are exact")]

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::StandardNormal;
use tails::normal;

use crate::marginals::{Marginal, MarginalChoice};

fn uniforms(n: usize, seed: u64) -> Vec<f64> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    (0..n).map(|_| rng.random::<f64>()).collect()
}

/// Student's t with 3 degrees of freedom.
fn student(n: usize, seed: u64) -> Vec<f64> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    (0..n)
        .map(|_| {
            let z: [f64; 4] = std::array::from_fn(|_| rng.sample(StandardNormal));
            z[0] / ((z[1] * z[1] + z[2] * z[2] + z[3] * z[3]) / 3.0).sqrt()
        })
        .collect()
}

fn choose(values: &[f64], choice: &str) -> Marginal {
    Marginal::choose(values, choice.parse().unwrap()).unwrap()
}

/// Values with a share of exact zeros.
fn rain(n: usize) -> Vec<f64> {
    uniforms(n, 3)
        .into_iter()
        .map(|v| if v < 0.17 { 0.0 } else { -((v - 0.17) / 0.83).ln() })
        .collect()
}

/// One map of each kind with a continuous part.
fn continuous() -> Vec<(&'static str, Marginal)> {
    let uniform = uniforms(2_000, 1);
    let angles: Vec<f64> =
        uniforms(2_000, 4).iter().map(|v| (330.0 + 60.0 * v).rem_euclid(360.0)).collect();
    vec![
        ("Student", choose(&student(2_500, 2), "quantile")),
        ("uniform", choose(&uniform, "bounded:0:1")),
        ("rain", choose(&rain(3_000), "auto")),
        ("angles", choose(&angles, "periodic:360")),
    ]
}

#[test]
fn encode_inverts_decode_and_the_slopes_are_the_derivatives() {
    for (name, marginal) in continuous() {
        let map = marginal.map().unwrap();
        let mut last = f64::NEG_INFINITY;
        for i in -60..=60 {
            let z = 0.1 * f64::from(i) + 0.003;
            let image = map.decode(z);
            let atom = matches!(&marginal, Marginal::Atomic(m) if m.atoms().iter().any(|a| a.value == image.value));
            // An angle jumps by a period where its convention begins.
            if name != "angles" {
                assert!(image.value > last || atom && image.value >= last, "{name} {z}");
                last = image.value;
            }
            if atom {
                continue;
            }
            let back = map.encode(image.value);
            // Near a bound the values have few digits left to tell places apart.
            let near = if name == "uniform" || name == "angles" { 3.5 } else { 6.5 };
            if z.abs() < near {
                assert!((back.value - z).abs() < 1e-7, "{name} {z}: {}", back.value);
                assert!((back.ln_slope + image.ln_slope).abs() < 1e-5, "{name} {z}");
                let h = 1e-6 * (1.0 + image.value.abs());
                let h = h.min(1e-3 * image.ln_slope.exp());
                let slope = (map.encode(image.value + h).value - map.encode(image.value - h).value)
                    / (2.0 * h);
                assert!(
                    (slope.ln() - back.ln_slope).abs() < 1e-3,
                    "{name} {z}: {} {}",
                    slope.ln(),
                    back.ln_slope
                );
            }
        }
        // Far out every place still has a value.
        for z in [-38.0, -12.5, 12.0, 38.0] {
            let image = map.decode(z);
            assert!(image.value.is_finite() && image.ln_slope.is_finite(), "{name} {z}: {image:?}");
            assert!(map.encode(image.value).value.is_finite());
        }
    }
}

#[test]
fn a_map_makes_its_values_standard_normal() {
    for (name, marginal) in continuous() {
        let map = marginal.map().unwrap();
        let values = match name {
            "Student" => student(2_500, 2),
            "uniform" => uniforms(2_000, 1),
            "rain" => rain(3_000),
            _ => continue,
        };
        let n = values.len() as f64;
        for level in [-1.5, -0.5, 0.0, 1.0, 2.0] {
            let below = values.iter().enumerate();
            let below = below
                .filter(|(j, v)| map.spread(**v, (*j as f64 * 0.618).fract()).value <= level)
                .count();
            let expected = normal::cdf(level);
            // The map is fitted to these values: it misses its own sample by less than the sampling error,
            // three standard deviations of which are the bound.
            let error = 3.0 * (expected * (1.0 - expected) / n).sqrt();
            assert!(
                (below as f64 / n - expected).abs() < error,
                "{name} {level}: {}",
                below as f64 / n
            );
        }
    }
}

/// The largest of n values stands at about the quantile of 1/n, also where a tail ends abruptly: with the end of the
/// likelihood at the largest value it would stand at infinity, and the likelihood of a flow would be nothing.
#[test]
fn the_outermost_values_stay_in_the_distribution() {
    for seed in 0..50 {
        let abrupt = uniforms(500, seed);
        let skewed: Vec<f64> = abrupt.iter().map(|v| v.powi(3)).collect();
        let rising: Vec<f64> = abrupt.iter().map(|v| v.powf(0.7)).collect();
        for values in [abrupt, skewed, rising] {
            let map = choose(&values, "quantile");
            let map = map.map().unwrap();
            // P(|z| > 6) is 2e-9.
            let largest = values.iter().map(|v| map.encode(*v).value.abs()).fold(0.0, f64::max);
            assert!(largest < 6.0, "{seed}: {largest}");
        }
    }
}

/// Exponential values: in some samples the likelihood is largest for a tail that ends, and the next larger values of
/// the same distribution would be impossible. Of 1,000 tails a true 1 % ends by chance, 26 or more with probability
/// 0.00001.
#[test]
fn a_tail_ends_only_where_the_data_show_it() {
    let ends = |values: &[f64]| match choose(values, "quantile") {
        Marginal::Quantile(map) => map.upper().shape < 0.0,
        other => panic!("{other}"),
    };
    let samples = (0..1_000).map(|seed| uniforms(2_000, seed));
    let (mut by_chance, mut shown) = (0, 0);
    for uniform in samples {
        let exponential: Vec<f64> = uniform.iter().map(|v| -v.ln()).collect();
        by_chance += u32::from(ends(&exponential));
        shown += u32::from(ends(&uniform));
    }
    assert!(by_chance < 26, "{by_chance}");
    assert_eq!(shown, 1_000);
}

#[test]
fn atoms_keep_their_mass_and_nothing_is_beyond_them() {
    let values = rain(3_000);
    let zeros = values.iter().filter(|v| **v == 0.0).count() as f64 / 3_000.0;
    let marginal = choose(&values, "auto");
    let Marginal::Atomic(map) = &marginal else { panic!("{marginal}") };
    assert_eq!(map.atoms().len(), 1);
    let map = marginal.map().unwrap();
    let end = -normal::inverse_ln_cdf(zeros.ln()).abs();
    for z in [-30.0, -5.0, end - 1e-6] {
        assert_eq!(map.decode(z).value.to_bits(), 0.0_f64.to_bits(), "{z}");
    }
    assert!(map.decode(end + 1e-6).value > 0.0);
    // The middle of its interval, and its ends.
    assert!((normal::cdf(map.encode(0.0).value) - 0.5 * zeros).abs() < 1e-9);
    assert!((normal::cdf(map.spread(0.0, 0.9).value) - 0.9 * zeros).abs() < 1e-9);
    // A value that is the atom up to the rounding of other units.
    assert_eq!(map.encode(1e-17), map.encode(0.0));

    let flag: Vec<f64> = (0..2_500).map(|i| f64::from(u8::from(i % 250 == 7))).collect();
    let marginal = choose(&flag, "auto");
    let map = marginal.map().unwrap();
    let edge = -normal::inverse_ln_cdf(0.004_f64.ln());
    assert_eq!((map.decode(edge - 1e-6).value, map.decode(edge + 1e-6).value), (0.0, 1.0));
    assert_eq!(map.decode(38.0).value, 1.0);
    assert!(marginal.to_string().contains("0.40 % at 1; no other values"), "{marginal}");
}

/// An atom whose last digit depends on how it was computed, between and beside other values.
#[test]
fn values_that_differ_by_rounding_are_one_atom() {
    let third = 1.0_f64 / 3.0;
    let rounded = [third, third.next_up(), third.next_down(), third];
    let mut values = uniforms(1_000, 3);
    values.extend((0..400).map(|i| rounded[i % 4]));
    values.extend((0..200).map(|i| if i % 2 == 0 { 1.0 } else { 1.0_f64.next_down() }));
    let marginal = choose(&values, "auto");
    let Marginal::Atomic(map) = &marginal else { panic!("{marginal}") };
    let atoms: Vec<(f64, f64)> = map.atoms().iter().map(|a| (a.value, a.mass)).collect();
    assert_eq!(atoms, [(third, 0.25), (1.0_f64.next_down(), 0.125)]);
    // Each of them is in the interval of the atom.
    let map = marginal.map().unwrap();
    for value in rounded {
        assert_eq!(map.encode(value).value, map.encode(third).value);
    }
}

#[test]
fn whole_numbers_stay_whole_and_keep_their_frequencies() {
    // Geometric with success probability 0.1: P(X = 0) = 0.1, P(X >= 100) = 2.7e-5.
    let values: Vec<f64> =
        uniforms(5_000, 5).iter().map(|v| (v.ln() / 0.9_f64.ln()).floor()).collect();
    let marginal = choose(&values, "auto");
    assert!(matches!(marginal, Marginal::Integer(_)), "{marginal}");
    let map = marginal.map().unwrap();
    for i in -40..=40 {
        let value = map.decode(0.1 * f64::from(i)).value;
        assert!(value.fract() == 0.0 && value >= 0.0, "{value}");
    }
    let zeros = values.iter().filter(|v| **v == 0.0).count() as f64 / 5_000.0;
    let share = normal::cdf(map.encode(0.5).value);
    assert!((share - zeros).abs() < 0.01, "{share} {zeros}");
    assert!(Marginal::choose(&[0.5; 200], MarginalChoice::Integer).is_err());
}

#[test]
fn the_rule_chooses_by_what_the_values_show() {
    let mut rng = ChaCha8Rng::seed_from_u64(6);
    let normals: Vec<f64> = (0..3_000).map(|_| rng.sample(StandardNormal)).collect();
    let auto = |values: &[f64]| choose(values, "auto");
    assert_eq!(auto(&normals), Marginal::Affine);
    assert_eq!(auto(&normals[..99]), Marginal::Affine);
    assert!(matches!(auto(&student(2_500, 7)), Marginal::Quantile(_)));
    assert!(matches!(auto(&uniforms(2_500, 8)), Marginal::Quantile(_)));
    // A log-normal with few values beyond four standard deviations, and two far clusters with short tails.
    let skewed: Vec<f64> = normals.iter().map(|v| (0.25 * v).exp()).collect();
    assert!(matches!(auto(&skewed), Marginal::Quantile(_)));
    let clusters: Vec<f64> = normals
        .iter()
        .enumerate()
        .map(|(i, v)| 0.1 * v + if i % 2 == 0 { -1.0 } else { 1.0 })
        .collect();
    assert_eq!(auto(&clusters), Marginal::Affine);
    // The false alarms of the rule: at 1 %, more than 9 of 200 have a probability of 0.01 %.
    let alarms = (0..200).filter(|seed| {
        let mut rng = ChaCha8Rng::seed_from_u64(1_000 + seed);
        let normals: Vec<f64> = (0..1_000).map(|_| rng.sample(StandardNormal)).collect();
        auto(&normals) != Marginal::Affine
    });
    assert!(alarms.count() <= 9);
    assert!(matches!(auto(&rain(2_500)), Marginal::Atomic(_)));
    // Numbers rounded to one digit are no atoms.
    let rounded: Vec<f64> = normals.iter().map(|v| (v * 10.0).round() / 10.0).collect();
    assert_eq!(auto(&rounded), Marginal::Affine);
    let heavy = auto(&student(2_500, 7)).to_string();
    assert!(heavy.starts_with("quantiles; lower tail: shape 0."), "{heavy}");
}

#[test]
fn values_that_do_not_suit_a_choice_are_refused() {
    let values = uniforms(500, 9);
    let refused = |values: &[f64], choice: &str| {
        Marginal::choose(values, choice.parse().unwrap()).unwrap_err().to_string()
    };
    assert!(refused(&values, "bounded:0.5:1").contains("is not within the bounds 0.5 and 1"));
    assert!(refused(&values, "periodic:0.1").contains("more than a period of 0.1 apart"));
    assert!(refused(&values[..50], "quantile").contains("50 values are too few, 100 are needed"));
}

#[test]
fn a_map_is_the_same_after_a_file() {
    for (name, marginal) in continuous() {
        let text = serde_json::to_string(&marginal).unwrap();
        assert_eq!(serde_json::from_str::<Marginal>(&text).unwrap(), marginal, "{name}");
        let damaged = text.replacen("\"scale\":", "\"scale\":-", 1);
        assert!(serde_json::from_str::<Marginal>(&damaged).is_err(), "{name}");
    }
}
