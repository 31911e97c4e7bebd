//! One register of `f64` or `f32` lanes, for any instruction set of the crate `pulp`.

use std::ops::{Add, BitAnd, BitOr, Div, Mul, Neg, Not, Sub};

use pulp::{Simd, bytemuck};

use super::{
    MAX_LANES, Mask, Real,
    coefficients::{double, single},
};

macro_rules! lanes {
    (
        $name:ident, $mask:ident, $elem:ident, $v:ident, $m:ident, $lanes:ident,
        tiny $tiny:expr, constants $constants:ident,
        $splat:ident $abs:ident $sqrt:ident $neg:ident
        $add:ident $sub:ident $mul:ident $div:ident $min:ident $max:ident
        $lt:ident $le:ident $eq:ident $select:ident $least:ident $largest:ident
        $and:ident $or:ident $not:ident
    ) => {
        #[doc = concat!("The lanes of one register, in `", stringify!($elem), "`.")]
        #[derive(Clone, Copy, Debug)]
        pub struct $name<S: Simd> {
            simd: S,
            v: S::$v,
        }

        #[doc = concat!("Truth values of the lanes of [`", stringify!($name), "`].")]
        #[derive(Clone, Copy, Debug)]
        pub struct $mask<S: Simd> {
            simd: S,
            m: S::$m,
        }

        impl<S: Simd> $name<S> {
            /// Returns zero in every lane.
            #[inline(always)]
            pub fn zero(simd: S) -> Self {
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
            const HALF_PI: [f64; 3] = $constants::HALF_PI;
            const SIN: &'static [f64] = &$constants::SIN;
            const COS: &'static [f64] = &$constants::COS;
            const ROUND: f64 = $constants::ROUND;

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
            fn store(self, out: &mut [f64]) {
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
            fn eq(self, other: Self) -> $mask<S> {
                $mask { simd: self.simd, m: self.simd.$eq(self.v, other.v) }
            }
            #[inline(always)]
            fn select(mask: $mask<S>, yes: Self, no: Self) -> Self {
                Self { v: mask.simd.$select(mask.m, yes.v, no.v), ..yes }
            }
            #[inline(always)]
            fn range(self) -> (f64, f64) {
                (f64::from(self.simd.$least(self.v)), f64::from(self.simd.$largest(self.v)))
            }
        }

        lanes!(@mask $mask, BitAnd bitand $and, BitOr bitor $or);

        impl<S: Simd> Not for $mask<S> {
            type Output = Self;
            #[inline(always)]
            fn not(self) -> Self {
                Self { m: self.simd.$not(self.m), ..self }
            }
        }

        impl<S: Simd> Mask for $mask<S> {
            #[inline(always)]
            fn any(self) -> bool {
                bytemuck::bytes_of(&self.m).iter().fold(0, |all, byte| all | byte) != 0
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
    (@mask $name:ident, $($trait:ident $method:ident $function:ident),*) => {$(
        impl<S: Simd> $trait for $name<S> {
            type Output = Self;
            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                Self { m: self.simd.$function(self.m, other.m), ..self }
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
    F64Lanes, F64Mask, f64, f64s, m64s, F64_LANES, tiny 1e-100, constants double,
    splat_f64s abs_f64s sqrt_f64s neg_f64s
    add_f64s sub_f64s mul_f64s div_f64s min_f64s max_f64s
    less_than_f64s less_than_or_equal_f64s equal_f64s select_f64s reduce_min_f64s reduce_max_f64s
    and_m64s or_m64s not_m64s
);

lanes!(
    F32Lanes, F32Mask, f32, f32s, m32s, F32_LANES, tiny 1e-15, constants single,
    splat_f32s abs_f32s sqrt_f32s neg_f32s
    add_f32s sub_f32s mul_f32s div_f32s min_f32s max_f32s
    less_than_f32s less_than_or_equal_f32s equal_f32s select_f32s reduce_min_f32s reduce_max_f32s
    and_m32s or_m32s not_m32s
);
