//! Registers of `f64` and `f32` lanes for whatever instruction set the machine has (crate `pulp`).

use std::ops::{Add, Div, Mul, Neg, Sub};

use pulp::{Simd, bytemuck};

use super::{MAX_LANES, Real};

macro_rules! lanes {
    (
        $name:ident, $mask:ident, $elem:ty, $v:ident, $m:ident, lanes $lanes:ident, tiny $tiny:expr,
        $splat:ident $abs:ident $sqrt:ident $neg:ident
        $add:ident $sub:ident $mul:ident $div:ident $min:ident $max:ident $lt:ident $le:ident
        $select:ident
    ) => {
        /// One register.
        #[derive(Clone, Copy)]
        pub(crate) struct $name<S: Simd> {
            simd: S,
            v: S::$v,
        }

        /// The result of comparing two registers.
        #[derive(Clone, Copy)]
        pub(crate) struct $mask<S: Simd> {
            simd: S,
            m: S::$m,
        }

        impl<S: Simd> $name<S> {
            /// Zero in every lane.
            #[inline(always)]
            pub(crate) fn zero(simd: S) -> Self {
                Self { simd, v: simd.$splat(0.0) }
            }
        }

        impl<S: Simd> Neg for $name<S> {
            type Output = Self;
            #[inline(always)]
            fn neg(self) -> Self {
                Self { v: self.simd.$neg(self.v), ..self }
            }
        }

        lanes!(@binary $name, Add add $add, Sub sub $sub, Mul mul $mul, Div div $div);
        lanes!(@constant $name, Add add, Sub sub, Mul mul);

        impl<S: Simd> Real for $name<S> {
            type Mask = $mask<S>;

            const LANES: usize = S::$lanes;
            const TINY: f64 = $tiny;

            #[inline(always)]
            fn lit(self, value: f64) -> Self {
                Self { v: self.simd.$splat(value as $elem), ..self }
            }
            #[inline(always)]
            fn load(self, numbers: &[f64]) -> Self {
                let mut lanes = [0.0; MAX_LANES];
                for (lane, number) in lanes.iter_mut().zip(&numbers[..Self::LANES]) {
                    *lane = *number as $elem;
                }
                let bytes = bytemuck::cast_slice(&lanes[..Self::LANES]);
                Self { v: bytemuck::pod_read_unaligned(bytes), ..self }
            }
            #[inline(always)]
            fn store(self, out: &mut [f64; MAX_LANES]) {
                let lanes: &[$elem] = bytemuck::cast_slice(bytemuck::bytes_of(&self.v));
                for (out, lane) in out.iter_mut().zip(lanes) {
                    *out = f64::from(*lane);
                }
            }
            #[inline(always)]
            fn abs(self) -> Self {
                Self { v: self.simd.$abs(self.v), ..self }
            }
            #[inline(always)]
            fn sqrt(self) -> Self {
                Self { v: self.simd.$sqrt(self.v), ..self }
            }
            #[inline(always)]
            fn min(self, other: Self) -> Self {
                Self { v: self.simd.$min(self.v, other.v), ..self }
            }
            #[inline(always)]
            fn max(self, other: Self) -> Self {
                Self { v: self.simd.$max(self.v, other.v), ..self }
            }
            #[inline(always)]
            fn lt(self, other: Self) -> $mask<S> {
                $mask { simd: self.simd, m: self.simd.$lt(self.v, other.v) }
            }
            #[inline(always)]
            fn le(self, other: Self) -> $mask<S> {
                $mask { simd: self.simd, m: self.simd.$le(self.v, other.v) }
            }
            #[inline(always)]
            fn any(mask: $mask<S>) -> bool {
                bytemuck::bytes_of(&mask.m).iter().fold(0, |all, byte| all | byte) != 0
            }
            #[inline(always)]
            fn select(mask: $mask<S>, yes: Self, no: Self) -> Self {
                Self { v: mask.simd.$select(mask.m, yes.v, no.v), ..yes }
            }
        }
    };
    (@binary $name:ident, $($trait:ident $method:ident $function:ident),*) => {$(
        impl<S: Simd> $trait for $name<S> {
            type Output = Self;
            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                Self { v: self.simd.$function(self.v, other.v), ..self }
            }
        }
    )*};
    (@constant $name:ident, $($trait:ident $method:ident),*) => {$(
        impl<S: Simd> $trait<f64> for $name<S> {
            type Output = Self;
            #[inline(always)]
            fn $method(self, other: f64) -> Self {
                $trait::$method(self, self.lit(other))
            }
        }
    )*};
}

lanes!(
    F64Lanes, F64Mask, f64, f64s, m64s, lanes F64_LANES, tiny 1e-100,
    splat_f64s abs_f64s sqrt_f64s neg_f64s
    add_f64s sub_f64s mul_f64s div_f64s min_f64s max_f64s less_than_f64s less_than_or_equal_f64s
    select_f64s
);

lanes!(
    F32Lanes, F32Mask, f32, f32s, m32s, lanes F32_LANES, tiny 1e-15,
    splat_f32s abs_f32s sqrt_f32s neg_f32s
    add_f32s sub_f32s mul_f32s div_f32s min_f32s max_f32s less_than_f32s less_than_or_equal_f32s
    select_f32s
);
