//! Edits of the JSON in the header of a safetensors file.

use serde_json::Value;

/// What numbers are replaced by.
pub(crate) fn replacements() -> Vec<Value> {
    let mut values: Vec<Value> =
        [-1.0, 0.5, 1e308, -1e308, 1e-308].into_iter().map(Value::from).collect();
    for n in [0, 1, 2, 3, 8000, 100_000, 1 << 31, 1 << 62, u64::MAX] {
        values.push(n.into());
    }
    values.extend(["NaN", "inf", ""].map(Value::from));
    values.push(Value::Null);
    values
}

/// The values that differ from `value` in one number or text.
pub(crate) fn edited(value: &Value) -> Vec<Value> {
    match value {
        Value::Object(map) => map
            .iter()
            .flat_map(|(key, old)| edited(old).into_iter().map(move |new| (key.clone(), new)))
            .map(|(key, new)| {
                let mut map = map.clone();
                map.insert(key, new);
                Value::Object(map)
            })
            .collect(),
        Value::Array(list) => {
            let one = |i: usize| {
                edited(&list[i]).into_iter().map(move |new| {
                    let mut list = list.clone();
                    list[i] = new;
                    Value::Array(list)
                })
            };
            // A longer and a shorter list too.
            let longer = [&list[..], &list[..list.len().min(1)]].concat();
            let shorter = list[..list.len().saturating_sub(1)].to_vec();
            (0..list.len()).flat_map(one).chain([longer, shorter].map(Value::Array)).collect()
        }
        Value::Bool(_) => Vec::new(),
        _ => replacements(),
    }
}

/// Header and data of a safetensors file.
pub(crate) fn parts(bytes: &[u8]) -> (Value, &[u8]) {
    let (length, rest) = bytes.split_at(8);
    let length = u64::from_le_bytes(length.try_into().unwrap()) as usize;
    let (header, data) = rest.split_at(length);
    (serde_json::from_slice(header).unwrap(), data)
}

/// A safetensors file.
pub(crate) fn file(header: &Value, data: &[u8]) -> Vec<u8> {
    let header = header.to_string();
    [&(header.len() as u64).to_le_bytes(), header.as_bytes(), data].concat()
}

/// The files in which one number of the metadata entry `key` is another one.
pub(crate) fn files(bytes: &[u8], key: &str) -> Vec<Vec<u8>> {
    let (header, data) = parts(bytes);
    let text = header["__metadata__"][key].as_str().unwrap();
    edited(&serde_json::from_str(text).unwrap())
        .into_iter()
        .map(|value| {
            let mut header = header.clone();
            header["__metadata__"][key] = value.to_string().into();
            file(&header, data)
        })
        .collect()
}
