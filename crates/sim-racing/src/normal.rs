//! Standard normal numbers in bulk: the method of Box and Muller without branches, so that the loop is
//! compiled to vector code and the numbers do not depend on the machine's mathematical library.
//!
//! Each pair takes one 64-bit word, half of it for the radius and half for the angle, so no number
//! exceeds 6.8. Logarithm, sine and cosine are those of fdlibm (Sun Microsystems, 1993), here on the
//! only arguments that occur.

use pulp::{Arch, Simd, WithSimd};
use rand::{Rng, RngExt};

/// Words turned into numbers at a time.
const CHUNK: usize = 256;

/// Fills `out` with standard normal numbers; takes `out.len() / 2` words, rounded up.
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

#[inline(always)]
fn pair(word: u64) -> (f64, f64) {
    // Exactly the upper half plus 0.5, in units of 2^-32.
    let unit = f64::from_bits(TWO52_BITS | (word >> 32)) - (TWO52 - 0.5);
    let radius = (-2.0 * ln(unit * (1.0 / 4_294_967_296.0))).sqrt();
    // The angle is a multiple of the right angle plus one within an eighth of a turn.
    let rest = f64::from_bits(TWO52_BITS | (word & 0x3fff_ffff)) - (TWO52 + 536_870_911.5);
    let (sin, cos) = sin_cos(rest * (std::f64::consts::FRAC_PI_2 / 1_073_741_824.0));
    let odd = word & (1 << 30) != 0;
    let (x, y) = if odd { (-sin, cos) } else { (cos, sin) };
    let flip = (word & (1 << 31)) << 32;
    let turn = |v: f64| f64::from_bits(v.to_bits() ^ flip);
    (radius * turn(x), radius * turn(y))
}

/// Natural logarithm on [2^-64, 2).
#[inline(always)]
fn ln(x: f64) -> f64 {
    const SQRT_HALF: u64 = 0x3fe6_a09e_0000_0000;
    const EXPONENT: u64 = 0xfff << 52;
    let above = x.to_bits().wrapping_sub(SQRT_HALF);
    let k = f64::from_bits(TWO52_BITS | (above.wrapping_add(64 << 52) >> 52)) - (TWO52 + 64.0);
    let f = f64::from_bits(x.to_bits().wrapping_sub(above & EXPONENT)) - 1.0;
    let s = f / (2.0 + f);
    let z = s * s;
    let w = z * z;
    let even = w
        * (3.999_999_999_940_942e-1
            + w * (2.222_219_843_214_978_4e-1 + w * 1.531_383_769_920_937_3e-1));
    let odd = z
        * (6.666_666_666_666_735e-1
            + w * (2.857_142_874_366_239e-1
                + w * (1.818_357_216_161_805e-1 + w * 1.479_819_860_511_658_6e-1)));
    let half = 0.5 * f * f;
    let low = s * (half + (even + odd)) + k * 1.908_214_929_270_587_7e-10;
    k * 6.931_471_803_691_238e-1 - ((half - low) - f)
}

/// Sine and cosine on [-pi/4, pi/4].
#[inline(always)]
fn sin_cos(x: f64) -> (f64, f64) {
    let z = x * x;
    let sin_tail = -1.666_666_666_666_663_2e-1
        + z * (8.333_333_333_322_49e-3
            + z * (-1.984_126_982_985_795e-4
                + z * (2.755_731_370_707_007e-6
                    + z * (-2.505_076_025_340_686_3e-8 + z * 1.589_690_995_211_55e-10))));
    let cos_tail = 4.166_666_666_666_66e-2
        + z * (-1.388_888_888_887_411e-3
            + z * (2.480_158_728_947_673e-5
                + z * (-2.755_731_435_139_066_3e-7
                    + z * (2.087_572_321_298_175e-9 - z * 1.135_964_755_778_819_5e-11))));
    (x + x * z * sin_tail, (z * cos_tail - 0.5) * z + 1.0)
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    use super::*;

    #[test]
    fn functions_agree_with_the_library() {
        for i in 1..200_000_u32 {
            for x in [f64::from(i) / 200_000.0, f64::from(i) * 2.0_f64.powi(-33), 1.0] {
                let (got, exact) = (ln(x), libm::log(x));
                assert!((got - exact).abs() <= 4e-16 * exact.abs(), "ln {x}: {got} {exact}");
            }
            let x = (f64::from(i) / 100_000.0 - 1.0) * std::f64::consts::FRAC_PI_4;
            let (sin, cos) = sin_cos(x);
            assert!((sin - libm::sin(x)).abs() < 2e-16 && (cos - libm::cos(x)).abs() < 2e-16);
        }
    }

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
