//! The numbers of one Parquet column, whatever their type.

use ::parquet::{
    basic::{ConvertedType, LogicalType, Type},
    column::{
        page::PageReader,
        reader::{get_column_reader, get_typed_column_reader},
    },
    data_type::{
        BoolType, ByteArrayType, DataType, DoubleType, FixedLenByteArrayType, FloatType, Int32Type,
        Int64Type,
    },
    schema::types::{ColumnDescPtr, ColumnDescriptor},
};

/// Values read at once.
const BATCH: usize = 1 << 14;

/// How the stored values of a column become numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NumberKind {
    /// Numbers as they are; a boolean is 0 or 1.
    Plain,
    /// Integers without a sign.
    Unsigned,
    /// Half precision.
    Half,
    /// An integer divided by ten to this power.
    Decimal(i32),
}

impl NumberKind {
    /// The kind of a column.
    ///
    /// # Errors
    /// Says what the column is if it is not a number.
    pub(super) fn of(column: &ColumnDescriptor) -> anyhow::Result<Self> {
        let name = column.name();
        let refused = |what: &str| {
            anyhow::anyhow!(
                "`{name}` is {what}, not a number; choose the other columns with --columns"
            )
        };
        if column.max_rep_level() > 0 || column.path().parts().len() > 1 {
            return Err(refused("a list or a structure"));
        }
        let logical = match (column.logical_type_ref(), column.converted_type()) {
            (Some(LogicalType::Integer(integer)), _) if !integer.is_signed => Some(Self::Unsigned),
            // `Unknown` is a column of missing values only.
            (Some(LogicalType::Integer(_) | LogicalType::Unknown), _) => Some(Self::Plain),
            (Some(LogicalType::Float16), _) => Some(Self::Half),
            (Some(LogicalType::Decimal(decimal)), _) => Some(Self::Decimal(decimal.scale)),
            (Some(LogicalType::String | LogicalType::Enum | LogicalType::Json), _) => {
                return Err(refused("text"));
            }
            (Some(LogicalType::Date), _) => return Err(refused("a date")),
            (Some(LogicalType::Time(_) | LogicalType::Timestamp(_)), _) => {
                return Err(refused("a time"));
            }
            (Some(_), _) => return Err(refused("of another type")),
            (None, converted) => match converted {
                ConvertedType::UINT_8
                | ConvertedType::UINT_16
                | ConvertedType::UINT_32
                | ConvertedType::UINT_64 => Some(Self::Unsigned),
                ConvertedType::DECIMAL => Some(Self::Decimal(column.type_scale())),
                ConvertedType::DATE => return Err(refused("a date")),
                ConvertedType::TIME_MILLIS
                | ConvertedType::TIME_MICROS
                | ConvertedType::TIMESTAMP_MILLIS
                | ConvertedType::TIMESTAMP_MICROS => return Err(refused("a time")),
                ConvertedType::UTF8 | ConvertedType::ENUM | ConvertedType::JSON => {
                    return Err(refused("text"));
                }
                _ => None,
            },
        };
        match (column.physical_type(), logical) {
            (Type::INT96, _) => Err(refused("a time")),
            (Type::BYTE_ARRAY | Type::FIXED_LEN_BYTE_ARRAY, None | Some(Self::Plain)) => {
                Err(refused("text or bytes"))
            }
            (_, Some(Self::Decimal(scale))) if !(0..=300).contains(&scale) => {
                Err(refused("a decimal with a scale outside 0 to 300"))
            }
            (_, kind) => Ok(kind.unwrap_or(Self::Plain)),
        }
    }
}

/// Calls `each` with the number of each row of a column, `None` where it is missing.
///
/// # Errors
/// When the column is not a column of numbers or its pages are damaged, and those of `each`.
pub(super) fn read(
    column: &ColumnDescPtr,
    pages: Box<dyn PageReader>,
    each: &mut dyn FnMut(Option<f64>) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let kind = NumberKind::of(column)?;
    let unsigned = kind == NumberKind::Unsigned;
    let number = |value: i128| match kind {
        NumberKind::Decimal(scale) => decimal(value, scale),
        _ => value as f64,
    };
    let bytes = |bytes: &[u8]| big_endian(bytes).map_or(f64::NAN, number);
    match column.physical_type() {
        Type::BOOLEAN => values::<BoolType>(column, pages, |v| f64::from(u8::from(*v)), each),
        Type::INT32 => values::<Int32Type>(
            column,
            pages,
            |v| if unsigned { f64::from(v.cast_unsigned()) } else { number(i128::from(*v)) },
            each,
        ),
        Type::INT64 => values::<Int64Type>(
            column,
            pages,
            |v| if unsigned { v.cast_unsigned() as f64 } else { number(i128::from(*v)) },
            each,
        ),
        Type::FLOAT => values::<FloatType>(column, pages, |v| f64::from(*v), each),
        Type::DOUBLE => values::<DoubleType>(column, pages, |v| *v, each),
        Type::BYTE_ARRAY => values::<ByteArrayType>(column, pages, |v| bytes(v.data()), each),
        Type::FIXED_LEN_BYTE_ARRAY if kind == NumberKind::Half => {
            values::<FixedLenByteArrayType>(column, pages, |v| half(v.data()), each)
        }
        Type::FIXED_LEN_BYTE_ARRAY => {
            values::<FixedLenByteArrayType>(column, pages, |v| bytes(v.data()), each)
        }
        Type::INT96 => anyhow::bail!("`{}` is a time, not a number", column.name()),
    }
}

fn values<T: DataType>(
    column: &ColumnDescPtr,
    pages: Box<dyn PageReader>,
    number: impl Fn(&T::T) -> f64,
    each: &mut dyn FnMut(Option<f64>) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let mut reader = get_typed_column_reader::<T>(get_column_reader(column.clone(), pages));
    let present = column.max_def_level();
    let (mut levels, mut values) = (Vec::new(), Vec::new());
    loop {
        levels.clear();
        values.clear();
        let (rows, _, _) = reader.read_records(BATCH, Some(&mut levels), None, &mut values)?;
        if rows == 0 {
            return Ok(());
        }
        let mut values = values.iter().map(&number);
        for row in 0..rows {
            let there = present == 0 || levels.get(row) == Some(&present);
            each(if there { values.next() } else { None })?;
        }
    }
}

/// An integer of 1 to 16 bytes, most significant byte first.
fn big_endian(bytes: &[u8]) -> Option<i128> {
    let first = *bytes.first()?;
    let sign = if first >= 0x80 { -1 } else { 0 };
    (bytes.len() <= 16)
        .then(|| bytes.iter().fold(sign, |value, byte| value << 8 | i128::from(*byte)))
}

/// `value` divided by ten to the power `scale`, correctly rounded.
fn decimal(value: i128, scale: i32) -> f64 {
    // Both numbers are exact up to these bounds, and a division is rounded correctly.
    if scale <= 22 && value.unsigned_abs() <= 1 << 53 {
        return value as f64 / 10_f64.powi(scale);
    }
    format!("{value}e-{scale}").parse().unwrap_or(f64::NAN)
}

/// A number of half precision, least significant byte first.
fn half(bytes: &[u8]) -> f64 {
    let bits = match *bytes {
        [low, high] => u16::from_le_bytes([low, high]),
        _ => return f64::NAN,
    };
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
            assert_eq!(half(&bits.to_le_bytes()).to_bits(), f64::to_bits(expected), "{bits:x}");
        }
        assert!(half(&0x7e00_u16.to_le_bytes()).is_nan() && half(&[1]).is_nan());
    }

    #[test]
    fn decimals_are_rounded_once() {
        assert_eq!(big_endian(&[0xff, 0x38]), Some(-200));
        assert_eq!(big_endian(&[0x01, 0x00]), Some(256));
        assert_eq!(decimal(-12345, 2).to_bits(), (-123.45_f64).to_bits());
        let exact = 1234567890123456789.0123_f64;
        assert_eq!(decimal(12_345_678_901_234_567_890_123, 4).to_bits(), exact.to_bits());
    }
}
