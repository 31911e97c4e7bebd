//! What outcomes say about an event, also where the criterion has no value for some of them.

use latent_is::{Error, Support};

/// What `values` of the criterion say. Where one is NaN nobody knows whether the outcome fails: the interval reaches
/// from all of these safe to all of them failing, and the other numbers are those with all of them safe.
///
/// # Errors
/// As [`Support::of`] for the others.
pub fn support_of(values: &[f64], confidence: f64) -> Result<Support, Error> {
    if !values.iter().any(|v| v.is_nan()) {
        return Support::of(values, confidence);
    }
    let farthest = values.iter().copied().fold(1.0, f64::max);
    let with = |unknown: f64| -> Vec<f64> {
        values.iter().map(|v| if v.is_nan() { unknown } else { *v }).collect()
    };
    let mut support = Support::of(&with(farthest), confidence)?;
    let worst = Support::of(&with(0.0), confidence)?;
    support.interval = support.interval.hull(&worst.interval);
    Ok(support)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_outcomes_widen_the_interval() {
        let known: Vec<f64> = (0..200).map(|i| f64::from(i) - 19.5).collect();
        let all = support_of(&known, 0.95).unwrap();
        assert_eq!(all, Support::of(&known, 0.95).unwrap());
        let partly: Vec<f64> = known
            .iter()
            .enumerate()
            .map(|(i, v)| if i % 20 == 7 { f64::NAN } else { *v })
            .collect();
        let support = support_of(&partly, 0.95).unwrap();
        // One of the twenty failures is among the ten unknown ones.
        assert_eq!(support.failures, 19);
        assert!(support.interval.ln_lower < all.interval.ln_lower);
        assert!(support.interval.contains(29.0 / 200.0) && support.interval.contains(19.0 / 200.0));
    }
}
