//! Numbers in messages.

/// Bytes in GiB, for a message.
pub(crate) fn gib(bytes: f64) -> String {
    let gib = bytes / 1024.0_f64.powi(3);
    if gib < 1e6 { format!("{gib:.1} GiB") } else { format!("{gib:.1e} GiB") }
}

/// A count for a message: in full if it is short.
pub(crate) fn count(n: f64) -> String {
    if n < 1e12 { format!("{n}") } else { format!("{n:.1e}") }
}
