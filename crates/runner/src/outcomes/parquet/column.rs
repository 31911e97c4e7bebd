//! The numbers of one Parquet column, whatever their type.

use ::parquet::{
    basic::{ConvertedType, LogicalType, Type},
    column::{
        page::PageReader,
        reader::{get_column_reader, get_typed_column_reader},
    },
    data_type::{
        BoolType, ByteArrayType, DataType, DoubleType, FixedLenByteArray, FixedLenByteArrayType,
        FloatType, Int32Type, Int64Type,
    },
    schema::types::{ColumnDescPtr, ColumnDescriptor},
};

use crate::outcomes::number::{Value, decimal, half};

/// Values read at once.
const BATCH: usize = 1 << 14;

/// How the stored values of a column become numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ColumnKind {
    /// Numbers as they are; a boolean is 0 or 1.
    Plain,
    /// Integers without a sign.
    Unsigned,
    /// Half precision.
    Half,
    /// An integer divided by ten to this power.
    Decimal(i32),
}

impl ColumnKind {
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

/// Calls `each` with the value of each row of a column.
///
/// # Errors
/// When the column is not a column of numbers or its pages are damaged, and those of `each`.
pub(super) fn read(
    column: &ColumnDescPtr,
    pages: Box<dyn PageReader>,
    each: &mut dyn FnMut(Value) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let kind = ColumnKind::of(column)?;
    let unsigned = kind == ColumnKind::Unsigned;
    let integer = |value: i128| match kind {
        ColumnKind::Decimal(scale) => decimal(value, scale),
        _ => Value::Integer(value),
    };
    let bytes = |bytes: &[u8]| big_endian(bytes).map_or(Value::Number(f64::NAN), integer);
    match column.physical_type() {
        Type::BOOLEAN => {
            values::<BoolType>(column, pages, |v| Value::Number(f64::from(u8::from(*v))), each)
        }
        Type::INT32 => values::<Int32Type>(
            column,
            pages,
            |v| integer(if unsigned { v.cast_unsigned().into() } else { (*v).into() }),
            each,
        ),
        Type::INT64 => values::<Int64Type>(
            column,
            pages,
            |v| integer(if unsigned { v.cast_unsigned().into() } else { (*v).into() }),
            each,
        ),
        Type::FLOAT => values::<FloatType>(column, pages, |v| Value::Number(f64::from(*v)), each),
        Type::DOUBLE => values::<DoubleType>(column, pages, |v| Value::Number(*v), each),
        Type::BYTE_ARRAY => values::<ByteArrayType>(column, pages, |v| bytes(v.data()), each),
        Type::FIXED_LEN_BYTE_ARRAY if kind == ColumnKind::Half => {
            let half = |v: &FixedLenByteArray| match *v.data() {
                [low, high] => Value::Number(half(u16::from_le_bytes([low, high]))),
                _ => Value::Number(f64::NAN),
            };
            values::<FixedLenByteArrayType>(column, pages, half, each)
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
    number: impl Fn(&T::T) -> Value,
    each: &mut dyn FnMut(Value) -> anyhow::Result<()>,
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
            let value = if there { values.next() } else { None };
            each(value.unwrap_or(Value::Missing))?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_integers_with_a_sign() {
        assert_eq!(big_endian(&[0xff, 0x38]), Some(-200));
        assert_eq!(big_endian(&[0x01, 0x00]), Some(256));
        assert_eq!(big_endian(&[]), None);
        assert_eq!(big_endian(&[1; 17]), None);
    }
}
