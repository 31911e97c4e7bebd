//! Stored numbers of all types as `f64`, without a silent change.

/// What a file has at one place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Value {
    /// Nothing.
    Missing,
    /// A number.
    Number(f64),
    /// An integer, which `f64` holds exactly up to 2⁵³ and with gaps above.
    Integer(i128),
}

/// How the bytes of a number are to be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NumberKind {
    /// IEEE 754, of 2, 4 or 8 bytes.
    Float,
    /// An integer with a sign.
    Signed,
    /// An integer without a sign.
    Unsigned,
    /// One byte: 0 is false, anything else true.
    Boolean,
    /// An integer with a sign, divided by ten to this power.
    Decimal(i32),
}

/// Stored numbers of one type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NumberType {
    /// How the bytes are taken.
    pub(super) kind: NumberKind,
    /// Bytes of a number, from 1 to 16.
    pub(super) width: usize,
    /// Whether the most significant byte is the first one.
    pub(super) big_endian: bool,
}

impl NumberType {
    /// The number in `bytes`, as many as the width.
    pub(super) fn value(self, bytes: &[u8]) -> Value {
        let mut padded = [0; 16];
        for (to, from) in padded.iter_mut().zip(bytes) {
            *to = *from;
        }
        if self.big_endian {
            padded[..self.width].reverse();
        }
        let raw = u128::from_le_bytes(padded);
        let unused = 128 - 8 * self.width as u32;
        let signed = (raw << unused).cast_signed() >> unused;
        match self.kind {
            NumberKind::Float => Value::Number(match self.width {
                2 => half(raw as u16),
                4 => f64::from(f32::from_bits(raw as u32)),
                _ => f64::from_bits(raw as u64),
            }),
            NumberKind::Signed => Value::Integer(signed),
            NumberKind::Unsigned => Value::Integer(raw.cast_signed()),
            NumberKind::Boolean => Value::Number(f64::from(u8::from(raw != 0))),
            NumberKind::Decimal(scale) => decimal(signed, scale),
        }
    }
}

/// `value` as `f64`, if that is exact.
pub(super) fn exact(value: i128) -> Option<f64> {
    let number = value as f64;
    // 2¹²⁷ would come back as the largest integer.
    (number < 2_f64.powi(127) && number as i128 == value).then_some(number)
}

/// `value` divided by ten to the power `scale`: an integer, or a fraction that is correctly rounded.
pub(super) fn decimal(value: i128, scale: i32) -> Value {
    // Both numbers are exact up to these bounds, and a division is rounded correctly.
    match scale {
        0 => Value::Integer(value),
        1..=22 if value.unsigned_abs() <= 1 << 53 => {
            Value::Number(value as f64 / 10_f64.powi(scale))
        }
        _ => Value::Number(format!("{value}e{}", -i64::from(scale)).parse().unwrap_or(f64::NAN)),
    }
}

/// The number of half precision with these bits.
pub(super) fn half(bits: u16) -> f64 {
    let sign = if bits >> 15 == 1 { -1.0 } else { 1.0 };
    let (exponent, fraction) = (i32::from(bits >> 10 & 31), f64::from(bits & 1023) / 1024.0);
    sign * match exponent {
        0 => fraction * 2_f64.powi(-14),
        31 if fraction > 0.0 => f64::NAN,
        31 => f64::INFINITY,
        _ => (1.0 + fraction) * 2_f64.powi(exponent - 15),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_precision() {
        for (bits, expected) in [
            (0x3c00_u16, 1.0),
            (0xc000, -2.0),
            (0x3555, 0.333_251_953_125),
            (0x0001, 2_f64.powi(-24)),
            (0x7bff, 65504.0),
            (0xfc00, f64::NEG_INFINITY),
        ] {
            assert_eq!(half(bits).to_bits(), f64::to_bits(expected), "{bits:x}");
        }
        assert!(half(0x7e00).is_nan());
    }

    #[test]
    fn decimals_are_rounded_once() {
        assert_eq!(decimal(-12345, 2), Value::Number(-123.45));
        assert_eq!(decimal(-12345, 0), Value::Integer(-12345));
        assert_eq!(decimal(12345, -2), Value::Number(1_234_500.0));
        let exact = 1234567890123456789.0123_f64;
        assert_eq!(decimal(12_345_678_901_234_567_890_123, 4), Value::Number(exact));
    }

    #[test]
    fn integers_are_exact_or_not_taken() {
        let limit = 1_i128 << 53;
        for value in [0, -7, limit, -limit, limit + 2, 1 << 61, 1 << 100, i128::MIN] {
            assert_eq!(exact(value).map(|v| v as i128), Some(value), "{value}");
        }
        for value in [limit + 1, -limit - 1, i128::from(u64::MAX), i128::MAX] {
            assert_eq!(exact(value), None, "{value}");
        }
    }

    #[test]
    fn bytes_of_both_orders_and_all_widths() {
        use NumberKind::{Boolean, Decimal, Float, Signed, Unsigned};
        let value = |kind, bytes: &[u8], big_endian| {
            NumberType { kind, width: bytes.len(), big_endian }.value(bytes)
        };
        assert_eq!(value(Signed, &[0xfe], false), Value::Integer(-2));
        assert_eq!(value(Unsigned, &[0xfe], true), Value::Integer(254));
        assert_eq!(value(Signed, &[1, 0xff], false), Value::Integer(-255));
        assert_eq!(value(Signed, &[0xff, 1], true), Value::Integer(-255));
        assert_eq!(value(Unsigned, &[0xff; 8], false), Value::Integer(u64::MAX.into()));
        assert_eq!(value(Signed, &[0xff; 16], false), Value::Integer(-1));
        assert_eq!(value(Boolean, &[2], false), Value::Number(1.0));
        assert_eq!(value(Decimal(1), &[0xff; 16], true), Value::Number(-0.1));
        assert_eq!(value(Float, &2.5_f32.to_be_bytes(), true), Value::Number(2.5));
        assert_eq!(value(Float, &(-0.1_f64).to_le_bytes(), false), Value::Number(-0.1));
        assert_eq!(value(Float, &[0, 0x3c], false), Value::Number(1.0));
    }
}
