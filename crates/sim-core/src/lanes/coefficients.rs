//! Constants of the sine and cosine in double and in single precision.

/// Reduction of an angle, and polynomials on $[-\pi/4, \pi/4]$, in double precision: fdlibm (Sun
/// Microsystems, 1993), files `e_rem_pio2.c`, `k_sin.c`, `k_cos.c`.
pub(super) mod double {
    pub(crate) const HALF_PI: [f64; 3] =
        [1.570_796_326_734_125_6, 6.077_100_506_303_966e-11, 2.022_266_248_795_950_6e-21];
    pub(crate) const SIN: [f64; 6] = [
        -1.666_666_666_666_663_2e-1,
        8.333_333_333_322_49e-3,
        -1.984_126_982_985_795e-4,
        2.755_731_370_707_007e-6,
        -2.505_076_025_340_686_3e-8,
        1.589_690_995_211_55e-10,
    ];
    pub(crate) const COS: [f64; 6] = [
        4.166_666_666_666_66e-2,
        -1.388_888_888_887_411e-3,
        2.480_158_728_947_673e-5,
        -2.755_731_435_139_066_3e-7,
        2.087_572_321_298_175e-9,
        -1.135_964_755_778_819_5e-11,
    ];
    /// $1.5 \cdot 2^{52}$.
    pub(crate) const ROUND: f64 = 6_755_399_441_055_744.0;
}

/// The same in single precision: Cephes (S. Moshier), file `sinf.c`.
pub(super) mod single {
    pub(crate) const HALF_PI: [f64; 3] =
        [1.570_312_5, 4.837_512_969_970_703e-4, 7.549_789_948_768_648e-8];
    pub(crate) const SIN: [f64; 3] = [-1.666_665_461_1e-1, 8.332_160_873_6e-3, -1.951_529_589_1e-4];
    pub(crate) const COS: [f64; 3] =
        [4.166_664_568_298_827e-2, -1.388_731_625_493_765e-3, 2.443_315_711_809_948e-5];
    /// $1.5 \cdot 2^{23}$.
    pub(crate) const ROUND: f64 = 12_582_912.0;
}
