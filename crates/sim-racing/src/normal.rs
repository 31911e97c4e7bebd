//! Many standard normal numbers at once, by the method of Box and Muller.
//!
//! The method has no branches, so the loop is compiled to vector code, and the numbers do not depend on
//! the mathematical library of the machine. Each pair of numbers takes one random word of 64 bits, half of
//! it for the radius and half for the angle; therefore no number exceeds 6.8 in absolute value.

use pulp::{Arch, Simd, WithSimd};
use rand::{Rng, RngExt};
use sim_core::elementary::{ln_below_two, sin_cos_reduced};

/// Words that are turned into numbers at a time.
const CHUNK: usize = 256;

/// Fills `out` with standard normal numbers; draws `out.len() / 2` words, rounded up.
pub(crate) fn fill(arch: Arch, rng: &mut impl Rng, out: &mut [f64]) {
    let mut words = [0; CHUNK];
    let mut numbers = [[0.0; CHUNK]; 2];
    for out in out.chunks_mut(2 * CHUNK) {
        let half = out.len().div_ceil(2);
        rng.fill(&mut words[..half]);
        arch.dispatch(Pairs { words: &words[..half], numbers: &mut numbers });
        let (first, second) = out.split_at_mut(half);
        first.copy_from_slice(&numbers[0][..half]);
        second.copy_from_slice(&numbers[1][..second.len()]);
    }
}

/// Turns each word into a pair of numbers.
struct Pairs<'a> {
    words: &'a [u64],
    numbers: &'a mut [[f64; CHUNK]; 2],
}

impl WithSimd for Pairs<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let [first, second] = self.numbers;
        for ((word, first), second) in self.words.iter().zip(first).zip(second) {
            (*first, *second) = pair(*word);
        }
    }
}

/// 2^52; a double with this exponent holds an integer in its lowest bits.
const TWO52: f64 = 4_503_599_627_370_496.0;
const TWO52_BITS: u64 = 0x4330_0000_0000_0000;

/// Returns the two standard normal numbers of a word of 64 random bits.
#[inline(always)]
fn pair(word: u64) -> (f64, f64) {
    // The upper half of the word plus 0.5, exactly; divided by 2^32 it lies in (0, 1).
    let unit = f64::from_bits(TWO52_BITS | (word >> 32)) - (TWO52 - 0.5);
    let radius = (-2.0 * ln_below_two(unit * (1.0 / 4_294_967_296.0))).sqrt();
    // The angle is a multiple of a right angle, given by two bits, plus at most an eighth of a turn.
    let rest = f64::from_bits(TWO52_BITS | (word & 0x3fff_ffff)) - (TWO52 + 536_870_911.5);
    let (sin, cos) = sin_cos_reduced(rest * (std::f64::consts::FRAC_PI_2 / 1_073_741_824.0));
    let odd = word & (1 << 30) != 0;
    let (x, y) = if odd { (-sin, cos) } else { (cos, sin) };
    let flip = (word & (1 << 31)) << 32;
    let turn = |v: f64| f64::from_bits(v.to_bits() ^ flip);
    (radius * turn(x), radius * turn(y))
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;

    #[test]
    fn extreme_words_are_finite() {
        let radius = |word: u64| {
            let (x, y) = pair(word);
            x.hypot(y)
        };
        for low in [0, 1, 0x3fff_ffff, 0x4000_0000, 0x8000_0000, 0xffff_ffff] {
            let largest = (66.0 * std::f64::consts::LN_2).sqrt();
            assert!((radius(low) - largest).abs() < 1e-12);
            assert!(radius(0xffff_ffff_0000_0000 | low) < 2e-5);
        }
    }

    #[test]
    fn instruction_sets_agree_to_the_bit() {
        let numbers = |arch| {
            let mut out = vec![0.0; 1237];
            fill(arch, &mut ChaCha8Rng::seed_from_u64(3), &mut out);
            out
        };
        assert_eq!(numbers(Arch::new()), numbers(Arch::Scalar));
    }

    /// Moments, tails and correlations of 10 million numbers, each within 4.5 standard errors: 13
    /// checks, false alarm 9e-5.
    #[test]
    fn numbers_are_standard_normal() {
        let n = 10_000_000;
        let mut z = vec![0.0; n];
        fill(Arch::new(), &mut ChaCha8Rng::seed_from_u64(11), &mut z);
        let check = |what: &str, mean: f64, exact: f64, variance: f64, n: usize| {
            let score = (mean - exact) / (variance / n as f64).sqrt();
            assert!(score.abs() < 4.5, "{what}: {score:.2} standard errors");
        };
        let moment = |f: &dyn Fn(f64) -> f64| z.iter().map(|z| f(*z)).sum::<f64>() / n as f64;
        check("mean", moment(&|z| z), 0.0, 1.0, n);
        check("square", moment(&|z| z * z), 1.0, 2.0, n);
        check("cube", moment(&|z| z.powi(3)), 0.0, 15.0, n);
        check("fourth power", moment(&|z| z.powi(4)), 3.0, 96.0, n);
        check("sixth power", moment(&|z| z.powi(6)), 15.0, 10_170.0, n);
        for limit in [0.1_f64, 0.5, 1.0, 2.0, 3.0, 4.0] {
            let p = libm::erfc(limit / std::f64::consts::SQRT_2);
            let share = moment(&|z| f64::from(u8::from(z.abs() > limit)));
            check(&format!("beyond {limit}"), share, p, p * (1.0 - p), n);
        }
        let products = |lag: usize| {
            z.iter().zip(&z[lag..]).map(|(a, b)| a * b).sum::<f64>() / (n - lag) as f64
        };
        check("neighbours", products(1), 0.0, 1.0, n - 1);
        check("both of a pair", products(CHUNK), 0.0, 1.0, n - CHUNK);
    }
}
