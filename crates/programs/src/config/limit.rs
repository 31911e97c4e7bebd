//! Times such as `"90s"`.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Units, the longest endings first.
const UNITS: [(&str, f64); 4] = [("ms", 1e-3), ("min", 60.0), ("s", 1.0), ("h", 3600.0)];

/// A time limit, written as a number and a unit: `"500ms"`, `"90s"`, `"1.5min"`, `"2h"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(crate) struct Limit(pub(crate) Duration);

impl TryFrom<String> for Limit {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let bad = || {
            format!(
                "a time is a positive number with `ms`, `s`, `min` or `h`, as in \"90s\"; got \"{text}\""
            )
        };
        let found = UNITS.iter().find_map(|(unit, seconds)| {
            let number: f64 = text.strip_suffix(unit)?.trim().parse().ok()?;
            Some(number * seconds)
        });
        let seconds = found.filter(|&seconds| seconds > 0.0).ok_or_else(bad)?;
        Duration::try_from_secs_f64(seconds).map(Self).map_err(|_| bad())
    }
}

impl From<Limit> for String {
    fn from(limit: Limit) -> Self {
        let millis = limit.0.as_millis();
        if millis.is_multiple_of(1000) {
            format!("{}s", limit.0.as_secs())
        } else {
            format!("{}ms", limit.0.as_secs_f64() * 1e3)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_and_written() {
        let read = |text: &str| Limit::try_from(text.to_owned()).map(|limit| limit.0.as_secs_f64());
        for (text, seconds) in
            [("90s", 90.0), ("500ms", 0.5), ("1.5min", 90.0), ("2 h", 7200.0), ("1e3s", 1000.0)]
        {
            assert_eq!(read(text), Ok(seconds));
            let back = String::from(Limit::try_from(text.to_owned()).unwrap());
            assert_eq!(read(&back), Ok(seconds), "{back}");
        }
        for text in ["90", "s", "-1s", "0s", "NaNs", "infs", "1e300h", "1d", ""] {
            assert!(read(text).unwrap_err().contains("as in"), "{text}");
        }
    }
}
