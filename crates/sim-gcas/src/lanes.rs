//! Registers of `f64` and `f32` lanes for whatever instruction set the machine has (crate `pulp`).

use std::ops::{Add, BitAnd, BitOr, Div, Mul, Neg, Not, Sub};

use pulp::{Simd, bytemuck};

use crate::real::{Mask, Real};

macro_rules! lanes {
    (
        $name:ident, $mask:ident, $elem:ty, $v:ident, $m:ident, lanes $lanes:ident,
        $splat:ident $load:ident $store:ident $abs:ident $sqrt:ident $neg:ident
        $add:ident $sub:ident $mul:ident $div:ident $lt:ident $le:ident $eq:ident
        $select:ident $min:ident $max:ident $and:ident $or:ident $not:ident,
        half_pi $half_pi:expr, sin $sin:expr, cos $cos:expr, round $round:expr
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

        lanes!(@binary $name, Add add $add, Sub sub $sub, Mul mul $mul, Div div $div);
        lanes!(@constant $name, $elem, Add add, Sub sub, Mul mul);

        impl<S: Simd> Neg for $name<S> {
            type Output = Self;
            #[inline(always)]
            fn neg(self) -> Self {
                Self { v: self.simd.$neg(self.v), ..self }
            }
        }

        impl<S: Simd> Real for $name<S> {
            type Mask = $mask<S>;

            const LANES: usize = S::$lanes;
            const HALF_PI: [f64; 3] = $half_pi;
            const SIN: &'static [f64] = $sin;
            const COS: &'static [f64] = $cos;
            const ROUND: f64 = $round;

            #[inline(always)]
            fn lit(self, value: f64) -> Self {
                Self { v: self.simd.$splat(value as $elem), ..self }
            }
            #[inline(always)]
            fn fill(self, value: impl Fn(usize) -> f64) -> Self {
                let mut lanes = [0.0; 16];
                for (i, lane) in lanes[..Self::LANES].iter_mut().enumerate() {
                    *lane = value(i) as $elem;
                }
                Self { v: self.simd.$load(&lanes[..Self::LANES]), ..self }
            }
            #[inline(always)]
            fn store(self, out: &mut [f64]) {
                let mut lanes = [0.0; 16];
                self.simd.$store(&mut lanes[..Self::LANES], self.v);
                for (out, lane) in out.iter_mut().zip(&lanes[..Self::LANES]) {
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
                (f64::from(self.simd.$min(self.v)), f64::from(self.simd.$max(self.v)))
            }
        }

        impl<S: Simd> BitAnd for $mask<S> {
            type Output = Self;
            #[inline(always)]
            fn bitand(self, other: Self) -> Self {
                Self { m: self.simd.$and(self.m, other.m), ..self }
            }
        }

        impl<S: Simd> BitOr for $mask<S> {
            type Output = Self;
            #[inline(always)]
            fn bitor(self, other: Self) -> Self {
                Self { m: self.simd.$or(self.m, other.m), ..self }
            }
        }

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
    (@constant $name:ident, $elem:ty, $($trait:ident $method:ident),*) => {$(
        impl<S: Simd> $trait<f64> for $name<S> {
            type Output = Self;
            #[inline(always)]
            fn $method(self, other: f64) -> Self {
                $trait::$method(self, self.lit(other))
            }
        }
    )*};
}

// Reduction and polynomials as in fdlibm (Sun Microsystems, 1993).
lanes!(
    F64Lanes, F64Mask, f64, f64s, m64s, lanes F64_LANES,
    splat_f64s partial_load_f64s partial_store_f64s abs_f64s sqrt_f64s neg_f64s
    add_f64s sub_f64s mul_f64s div_f64s less_than_f64s less_than_or_equal_f64s equal_f64s
    select_f64s reduce_min_f64s reduce_max_f64s and_m64s or_m64s not_m64s,
    half_pi [1.570_796_326_734_125_6, 6.077_100_506_303_966e-11, 2.022_266_248_795_950_6e-21],
    sin &[
        -1.666_666_666_666_663_2e-1,
        8.333_333_333_322_49e-3,
        -1.984_126_982_985_795e-4,
        2.755_731_370_707_007e-6,
        -2.505_076_025_340_686_3e-8,
        1.589_690_995_211_55e-10,
    ],
    cos &[
        4.166_666_666_666_66e-2,
        -1.388_888_888_887_411e-3,
        2.480_158_728_947_673e-5,
        -2.755_731_435_139_066_3e-7,
        2.087_572_321_298_175e-9,
        -1.135_964_755_778_819_5e-11,
    ],
    round 6_755_399_441_055_744.0
);

// Reduction and polynomials as in Cephes (S. Moshier, single precision `sinf`).
lanes!(
    F32Lanes, F32Mask, f32, f32s, m32s, lanes F32_LANES,
    splat_f32s partial_load_f32s partial_store_f32s abs_f32s sqrt_f32s neg_f32s
    add_f32s sub_f32s mul_f32s div_f32s less_than_f32s less_than_or_equal_f32s equal_f32s
    select_f32s reduce_min_f32s reduce_max_f32s and_m32s or_m32s not_m32s,
    half_pi [1.570_312_5, 4.837_512_969_970_703e-4, 7.549_789_948_768_648e-8],
    sin &[-1.666_665_461_1e-1, 8.332_160_873_6e-3, -1.951_529_589_1e-4],
    cos &[4.166_664_568_298_827e-2, -1.388_731_625_493_765e-3, 2.443_315_711_809_948e-5],
    round 12_582_912.0
);
