//! Counts the floating-point operations of an inner step.

use std::{
    cell::Cell,
    ops::{Add, BitAnd, BitOr, Div, Mul, Neg, Not, Sub},
};

use sim_core::lanes::{Mask, Real};

use crate::{
    autopilot::Memory,
    params::{GcasParams, Initial},
};

thread_local! {
    /// Additions, multiplications, and divisions with square roots.
    static COUNT: Cell<[u32; 3]> = const { Cell::new([0; 3]) };
}

fn count(kind: usize) {
    COUNT.with(|cell| {
        let mut n = cell.get();
        n[kind] += 1;
        cell.set(n);
    });
}

/// A number that counts the operations on it.
#[derive(Clone, Copy)]
struct Counting(f64);

#[derive(Clone, Copy)]
struct Truth(bool);

macro_rules! counted {
    ($($trait:ident $method:ident $op:tt $kind:literal),*) => {$(
        impl $trait for Counting {
            type Output = Self;
            fn $method(self, other: Self) -> Self {
                count($kind);
                Self(self.0 $op other.0)
            }
        }
        impl $trait<f64> for Counting {
            type Output = Self;
            fn $method(self, other: f64) -> Self {
                count($kind);
                Self(self.0 $op other)
            }
        }
    )*};
}

counted!(Add add + 0, Sub sub - 0, Mul mul * 1, Div div / 2);

impl Neg for Counting {
    type Output = Self;
    fn neg(self) -> Self {
        Self(-self.0)
    }
}

impl Real for Counting {
    type Mask = Truth;
    const LANES: usize = 1;
    const TINY: f64 = f64::TINY;
    const HALF_PI: [f64; 3] = [std::f64::consts::FRAC_PI_2, 0.0, 0.0];
    // As many terms as in double precision.
    const SIN: &'static [f64] = &[-1.0 / 6.0, 1.0 / 120.0, -1.0 / 5040.0, 0.0, 0.0, 0.0];
    const COS: &'static [f64] = &[1.0 / 24.0, -1.0 / 720.0, 1.0 / 40320.0, 0.0, 0.0, 0.0];
    const ROUND: f64 = 6_755_399_441_055_744.0;

    fn lit(self, value: f64) -> Self {
        Self(value)
    }
    fn load(self, numbers: &[f64]) -> Self {
        Self(numbers[0])
    }
    fn store(self, out: &mut [f64]) {
        out[0] = self.0;
    }
    fn abs(self) -> Self {
        Self(self.0.abs())
    }
    fn sqrt(self) -> Self {
        count(2);
        Self(self.0.sqrt())
    }
    fn min(self, other: Self) -> Self {
        Self(self.0.min(other.0))
    }
    fn max(self, other: Self) -> Self {
        Self(self.0.max(other.0))
    }
    fn lt(self, other: Self) -> Truth {
        Truth(self.0 < other.0)
    }
    fn le(self, other: Self) -> Truth {
        Truth(self.0 <= other.0)
    }
    fn eq(self, other: Self) -> Truth {
        Truth(self.0 == other.0)
    }
    fn select(mask: Truth, yes: Self, no: Self) -> Self {
        if mask.0 { yes } else { no }
    }
    fn range(self) -> (f64, f64) {
        (self.0, self.0)
    }
}

impl BitAnd for Truth {
    type Output = Self;
    fn bitand(self, other: Self) -> Self {
        Self(self.0 && other.0)
    }
}

impl BitOr for Truth {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        Self(self.0 || other.0)
    }
}

impl Not for Truth {
    type Output = Self;
    fn not(self) -> Self {
        Self(!self.0)
    }
}

impl Mask for Truth {
    fn any(self) -> bool {
        self.0
    }
}

/// The benches and the documentation use this number: 652 additions and multiplications per step.
#[test]
fn a_step_takes_the_documented_number_of_operations() {
    let plan = GcasParams::default().plan();
    let mut x = Initial::default().state([0.0; 5]).map(Counting);
    let mut memory = Memory::new(Counting(0.0), plan.autopilot);
    COUNT.set([0; 3]);
    for k in 0..plan.steps {
        let command = memory.command(plan.autopilot, &x, k, plan.dt);
        plan.step(&mut x, &command);
    }
    let [additions, multiplications, divisions] = COUNT.get().map(|n| n / plan.steps);
    println!("{additions} additions, {multiplications} multiplications, {divisions} divisions");
    assert_eq!([additions + multiplications, divisions], [652, 5]);
}
