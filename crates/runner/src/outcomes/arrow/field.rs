//! The types of the columns, and where each is in a batch.

use arrow_ipc::{Field, MetadataVersion, Precision, RecordBatch, Type, UnionMode};

use crate::outcomes::{
    number::{NumberKind, NumberType},
    text::shown,
};

/// How the values of a column are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stored {
    /// One bit each, the least significant one first.
    Bits,
    /// As many bytes as the type has.
    Bytes(NumberType),
}

/// A column of numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NumberField {
    /// How the numbers are stored.
    pub(super) values: Stored,
    /// If the numbers are in a dictionary: its identifier, and how the indices are stored.
    indices: Option<(i64, Stored)>,
}

impl NumberField {
    /// The type of a column.
    ///
    /// # Errors
    /// Says what the column is if it is not a number.
    pub(super) fn of(field: &Field<'_>, big_endian: bool) -> anyhow::Result<Self> {
        let name = shown(field.name().unwrap_or(""));
        let refused = |what: &str| {
            anyhow::anyhow!(
                "`{name}` is {what}, not a number; choose the other columns with --columns"
            )
        };
        let bytes = |kind, bits: i32| match bits {
            8 | 16 | 32 | 64 | 128 => {
                Some(Stored::Bytes(NumberType { kind, width: bits as usize / 8, big_endian }))
            }
            _ => None,
        };
        let integer = |integer: arrow_ipc::Int<'_>| {
            let signed =
                if integer.is_signed() { NumberKind::Signed } else { NumberKind::Unsigned };
            bytes(signed, integer.bitWidth()).filter(|_| integer.bitWidth() <= 64)
        };
        let values = match field.type_type() {
            Type::Int => field.type_as_int().and_then(integer),
            Type::FloatingPoint => {
                let bits = match field.type_as_floating_point().map(|float| float.precision()) {
                    Some(Precision::HALF) => 16,
                    Some(Precision::SINGLE) => 32,
                    _ => 64,
                };
                bytes(NumberKind::Float, bits)
            }
            Type::Bool => Some(Stored::Bits),
            Type::Decimal => {
                let decimal = field.type_as_decimal().ok_or_else(|| refused("of another type"))?;
                anyhow::ensure!(
                    (0..=300).contains(&decimal.scale()),
                    refused("a decimal with a scale outside 0 to 300")
                );
                let bits = decimal.bitWidth();
                anyhow::ensure!(bits <= 128, refused("a decimal of more than 128 bits"));
                bytes(NumberKind::Decimal(decimal.scale()), bits)
            }
            Type::Date => return Err(refused("a date")),
            Type::Time | Type::Timestamp => return Err(refused("a time")),
            Type::Duration | Type::Interval => return Err(refused("a duration")),
            Type::Utf8 | Type::LargeUtf8 | Type::Utf8View => return Err(refused("text")),
            Type::Null => return Err(refused("a column without values")),
            Type::List
            | Type::LargeList
            | Type::ListView
            | Type::LargeListView
            | Type::FixedSizeList
            | Type::Map
            | Type::Struct_
            | Type::Union => return Err(refused("a list or a structure")),
            _ => None,
        };
        let values = values.ok_or_else(|| refused("of another type"))?;
        let indices = match field.dictionary() {
            None => None,
            Some(dictionary) => {
                let stored = match dictionary.indexType() {
                    Some(index) => integer(index),
                    None => bytes(NumberKind::Signed, 32),
                };
                Some((dictionary.id(), stored.ok_or_else(|| refused("of another type"))?))
            }
        };
        Ok(Self { values, indices })
    }

    /// How the values in a batch of rows are stored: numbers, or indices of a dictionary.
    pub(super) fn stored(&self) -> Stored {
        self.indices.map_or(self.values, |(_, stored)| stored)
    }

    /// The dictionary of the numbers, if they are in one.
    pub(super) fn dictionary(&self) -> Option<i64> {
        self.indices.map(|(id, _)| id)
    }
}

/// Where a column is in a batch: its place among the columns, and that of its first buffer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    /// The columns within columns count, too.
    pub(super) node: usize,
    /// All buffers of the columns before it count.
    pub(super) buffer: usize,
}

/// The places of all columns in a batch.
///
/// # Errors
/// When a column has a type that this program does not know.
pub(super) fn places(
    fields: &[Field<'_>],
    batch: &RecordBatch<'_>,
    version: MetadataVersion,
) -> anyhow::Result<Vec<Place>> {
    let mut variadic = batch.variadicBufferCounts().into_iter().flatten();
    let mut next = Place::default();
    let mut places = Vec::new();
    for field in fields {
        places.push(next);
        step_over(field, &mut next, &mut variadic, version)?;
    }
    Ok(places)
}

/// Moves `next` behind a column.
fn step_over(
    field: &Field<'_>,
    next: &mut Place,
    variadic: &mut dyn Iterator<Item = i64>,
    version: MetadataVersion,
) -> anyhow::Result<()> {
    next.node += 1;
    // A dictionary has the children of its values elsewhere.
    if field.dictionary().is_some() {
        next.buffer += 2;
        return Ok(());
    }
    next.buffer += match field.type_type() {
        Type::Null | Type::RunEndEncoded => 0,
        Type::FixedSizeList | Type::Struct_ => 1,
        Type::Int
        | Type::FloatingPoint
        | Type::Bool
        | Type::Decimal
        | Type::Date
        | Type::Time
        | Type::Timestamp
        | Type::Interval
        | Type::Duration
        | Type::FixedSizeBinary
        | Type::List
        | Type::LargeList
        | Type::Map => 2,
        Type::Utf8
        | Type::LargeUtf8
        | Type::Binary
        | Type::LargeBinary
        | Type::ListView
        | Type::LargeListView => 3,
        Type::Utf8View | Type::BinaryView => {
            let count = variadic.next().and_then(|count| usize::try_from(count).ok());
            2 + count.filter(|count| *count < 1 << 31).unwrap_or(0)
        }
        Type::Union => {
            let dense = field.type_as_union().is_some_and(|u| u.mode() == UnionMode::Dense);
            // Before version 5, unions had a bitmap of missing values.
            1 + usize::from(dense) + usize::from(version < MetadataVersion::V5)
        }
        _ => anyhow::bail!(
            "`{}` has a type that this program does not know; save the file without it",
            shown(field.name().unwrap_or(""))
        ),
    };
    for child in field.children().iter().flatten() {
        step_over(&child, next, variadic, version)?;
    }
    Ok(())
}
