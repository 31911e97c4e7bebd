//! What is written comes back, to the last bit, in all formats.

#[path = "common/cases.rs"]
mod cases;

use cases::cases;
use latent_is_runner::outcomes::{Format, options::ReadOptions, read, write};
use nalgebra::DMatrix;
use proptest::{collection::vec, num::f64, prelude::*};

/// Rows of finite numbers: ordinary ones, the smallest, the largest, zeros of both signs.
fn table() -> impl Strategy<Value = DMatrix<f64>> {
    let number = f64::NORMAL | f64::SUBNORMAL | f64::ZERO;
    (1..6_usize, 1..40_usize).prop_flat_map(move |(d, n)| {
        vec(number, d * n).prop_map(move |numbers| DMatrix::from_vec(d, n, numbers))
    })
}

/// Names of features. A name alone with `;` would look as if that separated two.
const NAME: &str = "[a-z][a-zA-Z0-9 ,\"'é_-]{0,9}";

fn bits(x: &DMatrix<f64>) -> Vec<u64> {
    x.iter().map(|v| v.to_bits()).collect()
}

/// Reads these bytes as a file of this name.
fn read_bytes(name: &str, bytes: &[u8]) -> Result<DMatrix<f64>, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    read(&path, &ReadOptions::default()).map(|table| table.x).map_err(|error| format!("{error:#}"))
}

fn npy(kind: &str, column_major: bool, shape: &str, numbers: &[u8]) -> Vec<u8> {
    let order = if column_major { "True" } else { "False" };
    let header = format!("{{'descr': '{kind}', 'fortran_order': {order}, 'shape': {shape}, }}\n");
    let mut bytes = b"\x93NUMPY\x01\0".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(numbers);
    bytes
}

proptest! {
    #![proptest_config(cases(150))]

    #[test]
    fn tables_in_all_formats(x in table(), texts in vec(NAME, 6)) {
        let folder = tempfile::tempdir().unwrap();
        let names: Vec<String> =
            texts.iter().take(x.nrows()).enumerate().map(|(i, text)| format!("{text}.{i}")).collect();
        for extension in ["csv", "npy", "parquet", "arrow"] {
            let path = folder.path().join("x").with_extension(extension);
            write(&path, Format::to_write(&path).unwrap(), &names, &x).unwrap();
            let table = read(&path, &ReadOptions::default()).unwrap();
            prop_assert_eq!(bits(&table.x), bits(&x), "{}", extension);
            if table.named {
                prop_assert_eq!(&table.names, &names, "{}", extension);
            }
        }
    }

    #[test]
    fn integers_in_arrays_of_both_orders(
        numbers in vec(-(1_i64 << 53)..=1 << 53, 12),
        rows in prop::sample::select(vec![1_usize, 2, 3, 4, 6, 12]),
    ) {
        let columns = 12 / rows;
        let expected = DMatrix::from_fn(columns, rows, |i, j| numbers[j * columns + i] as f64);
        let transposed = DMatrix::from_fn(columns, rows, |i, j| numbers[i * rows + j] as f64);
        let little: Vec<u8> = numbers.iter().flat_map(|v| v.to_le_bytes()).collect();
        let big: Vec<u8> = numbers.iter().flat_map(|v| v.to_be_bytes()).collect();
        let shape = format!("({rows}, {columns})");
        for (kind, bytes) in [("<i8", &little), (">i8", &big)] {
            let read = |column_major| {
                read_bytes("x.npy", &npy(kind, column_major, &shape, bytes)).unwrap()
            };
            prop_assert_eq!(read(false), expected.clone());
            prop_assert_eq!(read(true), transposed.clone());
        }
    }

    #[test]
    fn integers_beyond_the_exact_ones_are_read_exactly_or_refused(number in any::<i64>()) {
        let bytes = npy("<i8", false, "(1,)", &number.to_le_bytes());
        match read_bytes("x.npy", &bytes) {
            Ok(x) => prop_assert_eq!(x[(0, 0)] as i128, i128::from(number)),
            Err(error) => {
                prop_assert!(number.unsigned_abs() > 1 << 53);
                prop_assert!(error.contains(&format!("`x0` is {number}, an integer")), "{}", error);
            }
        }
    }
}
