//! Draws of weighted rows for the steps of an epoch.

/// Draws `size` rows for each of `steps` steps by systematic resampling; the rows of a step are consecutive.
///
/// The rows lie end to end in the order `order`, as intervals as long as their weights, and a draw is the row at
/// one of `size · steps` evenly spaced positions. `offset` in `[0, 1)` is the place of the first position in the
/// first spacing. Step `b` takes every `steps`-th position from the `b`-th on: its positions are evenly spaced, too.
///
/// # Shapes
/// - `weights`: `[n]`, not negative and not all zero
/// - `order`: `[n]`, indices of `weights`
pub(crate) fn resample(
    order: &[usize],
    weights: &[f64],
    [size, steps]: [usize; 2],
    offset: f64,
) -> Vec<usize> {
    let draws = size * steps;
    let total: f64 = order.iter().map(|&row| weights[row]).sum();
    let spacing = total / draws as f64;
    let mut drawn = vec![0; draws];
    let (mut place, mut end) = (0, weights[order[0]]);
    for k in 0..draws {
        let position = (k as f64 + offset) * spacing;
        // By rounding, the last position can be at the end of the last interval.
        while position >= end && place + 1 < order.len() {
            place += 1;
            end += weights[order[place]];
        }
        drawn[(k % steps) * size + k / steps] = order[place];
    }
    drawn
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::{RngExt, SeedableRng, seq::SliceRandom};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    fn counts(drawn: &[usize], n: usize) -> Vec<usize> {
        let mut counts = vec![0; n];
        for &row in drawn {
            counts[row] += 1;
        }
        counts
    }

    /// Whether `count` is `expected` rounded down or up.
    fn is_rounded(count: usize, expected: f64) -> bool {
        let count = count as f64;
        count > expected - 1.0 - 1e-9 && count < expected + 1.0 + 1e-9
    }

    #[test]
    fn equal_weights_draw_every_row_once_in_its_order() {
        let order: Vec<usize> = (0..90).map(|i| (i * 7) % 90).collect();
        for offset in [0.0, 0.3, 0.999] {
            let drawn = resample(&order, &[1.0; 90], [30, 3], offset);
            for (step, rows) in drawn.chunks(30).enumerate() {
                let expected: Vec<usize> = order.iter().copied().skip(step).step_by(3).collect();
                assert_eq!(rows, expected);
            }
        }
    }

    /// The second of these rows has half of the weight: it is half of every batch, not a batch of its own.
    #[test]
    fn a_heavy_row_is_spread_over_the_batches() {
        let weights = [1.0, 8.0, 1.0, 2.0, 1.0, 2.0, 0.0, 1.0];
        let drawn = resample(&[0, 1, 2, 3, 4, 5, 6, 7], &weights, [8, 4], 0.5);
        for batch in drawn.chunks(8) {
            assert_eq!(counts(batch, 8)[1], 4, "{batch:?}");
        }
        assert_eq!(counts(&drawn, 8), [2, 16, 2, 4, 2, 4, 0, 2]);
    }

    proptest! {
        #[test]
        fn rows_come_as_often_as_their_weights_say(
            n in 1..200_usize, size in 1..50_usize, steps in 1..9_usize, power in 0..8_i32, seed in any::<u64>()
        ) {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            let weights: Vec<f64> = (0..n).map(|_| rng.random::<f64>().powi(power) + 1e-9).collect();
            let total: f64 = weights.iter().sum();
            let mut order: Vec<usize> = (0..n).collect();
            order.shuffle(&mut rng);
            let drawn = resample(&order, &weights, [size, steps], rng.random());
            prop_assert_eq!(drawn.len(), size * steps);
            let expected = |row: usize, draws: usize| draws as f64 * weights[row] / total;
            for (row, count) in counts(&drawn, n).into_iter().enumerate() {
                prop_assert!(is_rounded(count, expected(row, size * steps)), "{row}: {count}");
            }
            for batch in drawn.chunks(size) {
                for (row, count) in counts(batch, n).into_iter().enumerate() {
                    prop_assert!(is_rounded(count, expected(row, size)), "{row}: {count}");
                }
            }
        }
    }
}
