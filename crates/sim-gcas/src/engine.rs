//! The engine: throttle gearing, power lag and thrust tables (Stevens and Lewis, Appendix A).

use sim_core::lanes::{Mask, Real};

/// Returns the power command (percent) of a throttle position `t` (0 to 1).
#[inline(always)]
pub(crate) fn gear<R: Real>(t: R) -> R {
    R::select(t.le(t.lit(0.77)), t * 64.94, t * 217.38 - 117.38)
}

/// Returns the rate of change (percent/s) of the power level `w` under the power command `k` (both in
/// percent).
#[inline(always)]
pub(crate) fn power_rate<R: Real>(w: R, k: R) -> R {
    let fifty = w.lit(50.0);
    let high_command = fifty.le(k);
    let high_power = fifty.le(w);
    let target = R::select(
        high_command,
        R::select(high_power, k, w.lit(60.0)),
        R::select(high_power, w.lit(40.0), k),
    );
    let lag = target - w;
    R::select(high_power, w.lit(5.0), lag_rate(lag)) * lag
}

/// Returns the reciprocal time constant (1/s) for a power level that is `d` percent below its target.
#[inline(always)]
pub(crate) fn lag_rate<R: Real>(d: R) -> R {
    let between = d * -0.036 + 1.9;
    let low = R::select(d.le(d.lit(25.0)), d.lit(1.0), between);
    R::select(d.lit(50.0).le(d), d.lit(0.1), low)
}

/// Thrust (lb) at altitudes of 0, 10000, ..., 50000 ft (rows) and Mach numbers 0, 0.2, ..., 1 (columns).
type Table = [[f64; 6]; 6];

const IDLE: Table = [
    [1060.0, 635.0, 60.0, -1020.0, -2700.0, -3600.0],
    [670.0, 425.0, 25.0, -170.0, -1900.0, -1400.0],
    [880.0, 690.0, 345.0, -300.0, -1300.0, -595.0],
    [1140.0, 1010.0, 755.0, 350.0, -247.0, -342.0],
    [1500.0, 1330.0, 1130.0, 910.0, 600.0, -200.0],
    [1860.0, 1700.0, 1525.0, 1360.0, 1100.0, 700.0],
];

const MILITARY: Table = [
    [12680.0, 12680.0, 12610.0, 12640.0, 12390.0, 11680.0],
    [9150.0, 9150.0, 9312.0, 9839.0, 10176.0, 9848.0],
    [6200.0, 6313.0, 6610.0, 7090.0, 7750.0, 8050.0],
    [3950.0, 4040.0, 4290.0, 4660.0, 5320.0, 6100.0],
    [2450.0, 2470.0, 2600.0, 2840.0, 3250.0, 3800.0],
    [1400.0, 1400.0, 1560.0, 1660.0, 1930.0, 2310.0],
];

const MAXIMUM: Table = [
    [20000.0, 21420.0, 22700.0, 24240.0, 26070.0, 28886.0],
    [15000.0, 15700.0, 16860.0, 18910.0, 21075.0, 23319.0],
    [10800.0, 11225.0, 12250.0, 13760.0, 15975.0, 18300.0],
    [7000.0, 7323.0, 8154.0, 9285.0, 11115.0, 13484.0],
    [4000.0, 4435.0, 5000.0, 5700.0, 6860.0, 8642.0],
    [2500.0, 2600.0, 2835.0, 3215.0, 3950.0, 5057.0],
];

/// The coefficients `[a, b, c, d]` of $a + b u + (c + d u) v$ in each cell of a table, where `u` runs from
/// 0 to 1 along altitude and `v` along the Mach number.
type Cells = [[[f64; 4]; 5]; 5];

const fn cells(t: &Table) -> Cells {
    let mut cells = [[[0.0; 4]; 5]; 5];
    let mut i = 0;
    while i < 5 {
        let mut m = 0;
        while m < 5 {
            let (a, b) = (t[i][m], t[i + 1][m] - t[i][m]);
            let c = t[i][m + 1] - a;
            cells[i][m] = [a, b, c, t[i + 1][m + 1] - t[i][m + 1] - b];
            m += 1;
        }
        i += 1;
    }
    cells
}

static IDLE_CELLS: Cells = cells(&IDLE);
static MILITARY_CELLS: Cells = cells(&MILITARY);
static MAXIMUM_CELLS: Cells = cells(&MAXIMUM);

/// Returns the thrust (lb) at power level `w` (percent, not limited), altitude `h` (ft) and Mach number
/// `mach`: bilinear in the tables, and extrapolated from their outermost cells.
#[inline(always)]
pub(crate) fn thrust<R: Real>(w: R, h: R, mach: R) -> R {
    let zero = h.lit(0.0);
    let height = R::select(h.lt(zero), h.lit(0.01), h) * 1e-4;
    let speed = mach * 5.0;
    let (row, column) = (height.cell(0, 4), speed.cell(0, 4));
    let (u, v) = (height - row, speed - column);

    let fifty = w.lit(50.0);
    let high = fifty.le(w);
    let any_high = high.any();
    let share = R::select(high, w - 50.0, w) * 0.02;
    let value = |[a, b, c, d]: [f64; 4]| (u * b + a) + (u * d + c) * v;

    let mut thrust = h; // replaced below: every lane lies in a cell
    let ((r0, r1), (c0, c1)) = (row.range(), column.range());
    for i in r0 as usize..=r1 as usize {
        for m in c0 as usize..=c1 as usize {
            let military = value(MILITARY_CELLS[i][m]);
            let idle = value(IDLE_CELLS[i][m]);
            let mut here = idle + share * (military - idle);
            if any_high {
                let maximum = value(MAXIMUM_CELLS[i][m]);
                here = R::select(high, military + share * (maximum - military), here);
            }
            let inside = row.eq(h.lit(i as f64)) & column.eq(h.lit(m as f64));
            thrust = R::select(inside, here, thrust);
        }
    }
    thrust
}
