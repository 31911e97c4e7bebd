//! Sub-models and derivatives against recordings of the reference program (`tests/data/README.md`).

use std::collections::HashMap;

use pulp::{Arch, Scalar, Simd, WithSimd};
use safetensors::SafeTensors;
use sim_core::lanes::{F64Lanes, MAX_LANES, Real};

use crate::{
    aerodynamics, atmosphere,
    autopilot::{Autopilot, Memory},
    damping, engine,
    history::number,
    rigid_body::{Evaluation, evaluate},
};

/// The tensors of a file, as row-major numbers.
fn load(file: &str) -> HashMap<String, Vec<f64>> {
    let path = format!("{}/tests/data/{file}.safetensors", env!("CARGO_MANIFEST_DIR"));
    let bytes = std::fs::read(path).unwrap();
    let tensors = SafeTensors::deserialize(&bytes).unwrap();
    let numbers = |name: &str| {
        let tensor = tensors.tensor(name).unwrap();
        let words = tensor.data().as_chunks::<8>().0.iter();
        match tensor.dtype() {
            safetensors::Dtype::F64 => words.map(|b| f64::from_le_bytes(*b)).collect(),
            safetensors::Dtype::I64 => words.map(|b| i64::from_le_bytes(*b) as f64).collect(),
            other => panic!("{name}: {other:?}"),
        }
    };
    tensors.names().into_iter().map(|name| (name.to_string(), numbers(name))).collect()
}

type Lane = F64Lanes<Scalar>;

fn lane(v: f64) -> Lane {
    F64Lanes::zero(Scalar).lit(v)
}

fn lanes<const N: usize>(row: &[f64]) -> [Lane; N] {
    std::array::from_fn(|i| lane(row[i]))
}

/// Requires `|actual - expected| <= tolerance (1 + |expected|)`; two NaNs agree.
fn close(what: &str, row: usize, actual: f64, expected: f64, tolerance: f64) {
    let error = (actual - expected).abs() / (1.0 + expected.abs());
    let agree = error <= tolerance || (actual.is_nan() && expected.is_nan());
    assert!(agree, "{what}, row {row}: {actual} is not {expected} ({error:e})");
}

/// Compares a function of rows of `inputs` numbers with its recorded values.
fn check<const N: usize>(
    data: &HashMap<String, Vec<f64>>,
    (input, output): (&str, &str),
    inputs: usize,
    tolerance: f64,
    f: impl Fn(&[f64]) -> [f64; N],
) {
    let rows = data[input].chunks_exact(inputs);
    assert!(rows.len() > 90 && rows.len() * N == data[output].len());
    for (i, (row, expected)) in rows.zip(data[output].chunks_exact(N)).enumerate() {
        for (actual, expected) in f(row).into_iter().zip(expected) {
            close(output, i, actual, *expected, tolerance);
        }
    }
}

fn columns(d: aerodynamics::Rates<Lane>) -> [f64; 9] {
    [d.cx_q, d.cy_r, d.cy_p, d.cz_q, d.cl_r, d.cl_p, d.cm_q, d.cn_r, d.cn_p].map(number)
}

#[test]
fn engine_atmosphere_and_damping() {
    let data = load("submodels");
    let tolerance = 1e-12;
    check(&data, ("thrust_in", "thrust_out"), 3, tolerance, |row| {
        let [w, h, mach] = lanes(row);
        [number(engine::thrust(w, h, mach))]
    });
    check(&data, ("lag_in", "lag_out"), 2, tolerance, |row| {
        let [w, k] = lanes(row);
        [number(engine::power_rate(w, k))]
    });
    check(&data, ("rate_in", "rate_out"), 1, tolerance, |row| {
        [number(engine::lag_rate(lane(row[0])))]
    });
    check(&data, ("gear_in", "gear_out"), 1, tolerance, |row| [number(engine::gear(lane(row[0])))]);
    check(&data, ("air_in", "air_out"), 2, tolerance, |row| {
        let [v, h] = lanes(row);
        let air = atmosphere::air(v, h);
        [number(air.mach), number(air.qbar)]
    });
    check(&data, ("damp_in_deg", "damp_out"), 1, tolerance, |row| {
        columns(damping::damping(lane(row[0].to_radians())))
    });
}

/// The polynomials alone, with the centre of gravity moved once.
fn polynomials(row: &[f64], shift: f64) -> [f64; 6] {
    let [a, b, de, da, dr, p, q, r, v]: [Lane; 9] = lanes(row);
    let hats = [p * 15.0 / v, q * 5.66 / v, r * 15.0 / v];
    let fixed = aerodynamics::statics(a, b, [de, da, dr]);
    let c = aerodynamics::with_rates(fixed, aerodynamics::rates(a), hats);
    let (cm, cn) = (c.cm + c.cz * shift, c.cn - c.cy * (shift * 11.32 / 30.0));
    [c.cx, c.cy, c.cz, c.cl, cm, cn].map(number)
}

#[test]
fn polynomials_at_both_centres_of_gravity() {
    let data = load("submodels");
    check(&data, ("poly_in", "poly_out"), 9, 1e-12, |row| polynomials(row, 0.0));
    check(&data, ("poly_in", "poly_out_xcg030"), 9, 1e-12, |row| polynomials(row, 0.35 - 0.30));
}

#[test]
fn memoryless_autopilot() {
    let data = load("submodels");
    let states = data["gcas_state"].chunks_exact(16);
    assert_eq!(states.len(), 220);
    for (i, row) in states.enumerate() {
        let mut memory = Memory::new(lane(0.0), Autopilot::Memoryless);
        let command = memory.command(Autopilot::Memoryless, &lanes(row), 0, 0.002);
        for (j, actual) in command.into_iter().enumerate() {
            let error = (number(actual) - data["gcas_command"][4 * i + j]).abs();
            assert!(error <= 1e-12, "row {i}: {error:e}");
        }
        assert_eq!(number(memory.mode) as i64, data["gcas_mode"][i] as i64, "row {i}");
    }
}

/// Evaluates the model on rows, in the registers of one instruction set.
struct Rows<'a> {
    states: &'a [f64],
    commands: &'a [f64],
}

/// Names of the recorded values and their numbers of columns, in the order of [`values`].
const VALUES: [(&str, usize); 9] = [
    ("xdot", 16),
    ("surfaces_deg", 4),
    ("nz", 1),
    ("ny", 1),
    ("ps", 1),
    ("mach", 1),
    ("qbar", 1),
    ("thrust", 1),
    ("power_cmd", 1),
];

fn values<R: Real>(e: &Evaluation<R>) -> Vec<R> {
    let s = e.surfaces;
    let rest = [e.nz, e.ny, e.ps, e.air.mach, e.air.qbar, e.thrust, e.power_command];
    [e.rate.as_slice(), &[s.throttle, s.elevator, s.aileron, s.rudder], &rest].concat()
}

impl WithSimd for Rows<'_> {
    type Output = Vec<Vec<f64>>;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> Vec<Vec<f64>> {
        let zero = F64Lanes::zero(simd);
        let n = self.states.len() / 16;
        let mut out = vec![Vec::new(); n];
        for first in (0..n).step_by(S::F64_LANES) {
            let row = |lane: usize| (first + lane).min(n - 1);
            let state = std::array::from_fn(|i| zero.fill(|j| self.states[16 * row(j) + i]));
            let command = std::array::from_fn(|i| zero.fill(|j| self.commands[4 * row(j) + i]));
            for value in values(&evaluate(&state, &command, 0.35)) {
                let mut lanes = [0.0; MAX_LANES];
                value.store(&mut lanes);
                for (out, lane) in out[first..].iter_mut().zip(&lanes[..S::F64_LANES]) {
                    out.push(*lane);
                }
            }
        }
        out
    }
}

/// Every instruction set of this machine.
fn instruction_sets() -> Vec<Arch> {
    let mut all = vec![Arch::Scalar, Arch::new()];
    #[cfg(target_arch = "x86_64")]
    all.extend(pulp::x86::V3::try_new().map(Arch::V3));
    all
}

#[test]
fn derivatives_and_edges_in_all_registers() {
    let data = load("derivative");
    for prefix in ["", "edge_"] {
        let (states, commands) =
            (&data[&format!("{prefix}state")], &data[&format!("{prefix}control")]);
        let scalar = Arch::Scalar.dispatch(Rows { states, commands });
        for (row, actual) in scalar.iter().enumerate() {
            let mut actual = actual.iter();
            for (name, columns) in VALUES {
                let name = format!("{prefix}{name}");
                for expected in &data[&name][row * columns..(row + 1) * columns] {
                    close(&name, row, *actual.next().unwrap(), *expected, 1e-12);
                }
            }
        }
        let bits = |rows: &[Vec<f64>]| -> Vec<u64> {
            let canonical = |v: &f64| if v.is_nan() { f64::NAN.to_bits() } else { v.to_bits() };
            rows.iter().flatten().map(canonical).collect()
        };
        for arch in instruction_sets() {
            let vector = arch.dispatch(Rows { states, commands });
            assert_eq!(bits(&vector), bits(&scalar), "{arch:?}");
        }
    }
}
