//! Dictionaries: the distinct numbers of a column, to which its rows refer.

use std::collections::BTreeMap;

use anyhow::Context;

use crate::outcomes::{
    arrow::{
        batch::{Batch, Column, Values},
        field::{NumberField, Place},
        file::Message,
    },
    number::Value,
};

/// The dictionaries of the columns that are read, still packed.
#[derive(Debug)]
pub(super) struct Dictionaries<'a> {
    parts: BTreeMap<i64, Vec<Column<'a>>>,
}

impl<'a> Dictionaries<'a> {
    /// The dictionaries of the columns `fields` in `messages`.
    ///
    /// # Errors
    /// When one is damaged or stands there twice.
    pub(super) fn of(messages: &[Message<'a>], fields: &[NumberField]) -> anyhow::Result<Self> {
        let mut wanted = BTreeMap::new();
        for field in fields {
            let Some(id) = field.dictionary() else { continue };
            let known = *wanted.entry(id).or_insert(field.values);
            anyhow::ensure!(known == field.values, "two columns take dictionary {id} differently");
        }
        let mut parts: BTreeMap<i64, Vec<Column<'a>>> = BTreeMap::new();
        for message in messages {
            let table = message.table()?;
            let dictionary =
                table.header_as_dictionary_batch().context("a dictionary is damaged")?;
            let id = dictionary.id();
            let Some(&stored) = wanted.get(&id) else { continue };
            let record = dictionary.data().context("a dictionary has no values")?;
            let column = Batch::new(&record, message.body)
                .and_then(|batch| batch.column(Place::default(), stored))
                .with_context(|| format!("dictionary {id} is damaged"))?;
            let known = parts.entry(id).or_default();
            anyhow::ensure!(
                known.is_empty() || dictionary.isDelta(),
                "dictionary {id} is there twice"
            );
            known.push(column);
        }
        Ok(Self { parts })
    }

    /// Bytes that decompression will take.
    pub(super) fn unpacked(&self) -> u64 {
        let columns = self.parts.values().flatten();
        columns.fold(0, |sum, column| sum.saturating_add(column.unpacked()))
    }

    /// The numbers of all dictionaries.
    ///
    /// # Errors
    /// When they cannot be decompressed.
    pub(super) fn unpack(&self) -> anyhow::Result<Numbers<'a>> {
        let mut numbers = BTreeMap::new();
        for (id, columns) in &self.parts {
            let mut end = 0_u64;
            let parts = columns.iter().map(|column| {
                end = end.saturating_add(column.rows());
                Ok((end, column.unpack().with_context(|| format!("dictionary {id} is damaged"))?))
            });
            numbers.insert(*id, parts.collect::<anyhow::Result<Vec<_>>>()?);
        }
        Ok(Numbers { parts: numbers })
    }
}

/// The numbers of dictionaries.
#[derive(Debug)]
pub(super) struct Numbers<'a> {
    /// The parts of each dictionary, with the index at which each ends.
    parts: BTreeMap<i64, Vec<(u64, Values<'a>)>>,
}

impl Numbers<'_> {
    /// The number at `index` of the dictionary `id`.
    ///
    /// # Errors
    /// When there is no such number.
    pub(super) fn value(&self, id: i64, index: i128) -> anyhow::Result<Value> {
        let find = || {
            let (parts, index) = (self.parts.get(&id)?, u64::try_from(index).ok()?);
            let part = parts.partition_point(|(end, _)| *end <= index);
            let begin = part.checked_sub(1).map_or(0, |before| parts[before].0);
            Some(parts.get(part)?.1.value((index - begin) as usize))
        };
        find()
            .with_context(|| format!("it refers to number {index} of a dictionary that has fewer"))
    }
}
