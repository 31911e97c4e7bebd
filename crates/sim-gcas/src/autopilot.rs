//! The autopilot: rolls the wings level, then pulls up (Heidlauf et al., ARCH 2018).

use std::f64::consts::{PI, TAU};

use serde::{Deserialize, Serialize};
use sim_core::lanes::{Mask, Real};

use crate::state::index::{ALPHA, ALTITUDE, P, PHI, THETA};

/// Altitude from which on the autopilot does not act, ft.
const DECK: f64 = 1000.0;
/// Roll angle below which the wings count as level, rad.
const LEVEL: f64 = 5.0 * PI / 180.0;
/// Roll rate below which a roll counts as slow, rad/s.
const SLOW: f64 = 10.0 * PI / 180.0;
/// Load command of the pull, g above 1 g.
const PULL_LOAD: f64 = 5.0;
/// Shortest pull of the autopilot with memory, and its delay before the first roll, s.
const HOLD: f64 = 2.0;

/// The mode of the autopilot.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// No command.
    Standby,
    /// Rolls the wings level.
    Roll,
    /// Pulls up with a load of 5 g above 1 g.
    Pull,
    /// No command yet; the autopilot with memory begins to roll two seconds after the start.
    Waiting,
}

impl Mode {
    /// Returns the mode as a number for a lane.
    pub(crate) fn code(self) -> f64 {
        f64::from(self as u8)
    }

    /// Returns the mode of a number from a lane.
    pub(crate) fn from_code(code: f64) -> Self {
        match code as u8 {
            0 => Self::Standby,
            1 => Self::Roll,
            2 => Self::Pull,
            _ => Self::Waiting,
        }
    }
}

/// The rule that chooses the mode.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Autopilot {
    /// The mode is a function of the current state, as in the published data.
    #[default]
    Memoryless,
    /// The next mode depends on the current mode and state, and a pull lasts at least two seconds.
    Stateful {
        /// Mode at the start.
        start: Mode,
        /// Inner steps between two decisions, at least 1.
        period: u32,
    },
}

/// The memory of the autopilot, in lanes.
#[derive(Clone, Copy)]
pub(crate) struct Memory<R> {
    /// Codes of the modes.
    pub(crate) mode: R,
    /// Inner steps at which the pulls began.
    pull_began: R,
}

/// The conditions that both rules use.
struct Conditions<R: Real> {
    nose_high: R::Mask,
    above_deck: R::Mask,
    wings_level: R::Mask,
    slow_roll: R::Mask,
    phi: R,
}

/// Returns an angle (rad) less the nearest multiple of a full turn; ties go to the even multiple.
#[inline(always)]
fn wrap<R: Real>(x: R) -> R {
    if x.lit(PI).lt(x.abs()).any() { x - (x / x.lit(TAU)).round() * TAU } else { x }
}

#[inline(always)]
fn conditions<R: Real>(state: &[R; 16]) -> Conditions<R> {
    let zero = state[PHI].lit(0.0);
    let phi = wrap(state[PHI]);
    Conditions {
        nose_high: zero.lt(wrap(state[THETA] - state[ALPHA])),
        above_deck: zero.lit(DECK).le(state[ALTITUDE]),
        wings_level: phi.abs().lt(zero.lit(LEVEL)),
        slow_roll: state[P].abs().lt(zero.lit(SLOW)),
        phi,
    }
}

impl<R: Real> Memory<R> {
    #[inline(always)]
    pub(crate) fn new(zero: R, autopilot: Autopilot) -> Self {
        let start = match autopilot {
            Autopilot::Memoryless => Mode::Standby,
            Autopilot::Stateful { start, .. } => start,
        };
        Self { mode: zero.lit(start.code()), pull_began: zero.lit(0.0) }
    }

    /// Returns the command in `state` at the start of inner step `k` of length `dt` (s).
    #[inline(always)]
    pub(crate) fn command(
        &mut self,
        autopilot: Autopilot,
        state: &[R; 16],
        k: u32,
        dt: f64,
    ) -> [R; 4] {
        let now = conditions(state);
        match autopilot {
            Autopilot::Memoryless => self.mode = memoryless(&now),
            Autopilot::Stateful { period, .. } => {
                if k.is_multiple_of(period) {
                    self.transit(&now, k, dt);
                }
            }
        }
        let zero = self.mode.lit(0.0);
        let rolling = self.mode.eq(zero.lit(Mode::Roll.code()));
        let pulling = self.mode.eq(zero.lit(Mode::Pull.code()));
        let roll_rate = now.phi * -4.0 - state[P] * 2.0;
        [
            R::select(pulling, zero.lit(PULL_LOAD), zero),
            R::select(rolling, roll_rate, zero),
            zero,
            zero,
        ]
    }

    /// One decision of the rule with memory.
    #[inline(always)]
    fn transit(&mut self, seen: &Conditions<R>, k: u32, dt: f64) {
        let code = |mode: Mode| self.mode.lit(mode.code());
        let is = |mode: Mode| self.mode.eq(code(mode));
        let step = f64::from(k);
        let now = self.mode.lit(step);
        let hold = self.mode.lit((HOLD / dt).round());

        let threat = !(seen.nose_high | seen.above_deck);
        let mut to_roll = is(Mode::Standby) & threat;
        if step * dt + 1e-6 >= HOLD {
            to_roll = to_roll | is(Mode::Waiting);
        }
        let to_pull = is(Mode::Roll) & seen.slow_roll & seen.wings_level;
        let held = hold.le(now - self.pull_began);
        let to_standby = is(Mode::Pull) & seen.nose_high & held;

        let mode = R::select(to_roll, code(Mode::Roll), self.mode);
        let mode = R::select(to_pull, code(Mode::Pull), mode);
        let mode = R::select(to_standby, code(Mode::Standby), mode);
        self.pull_began = R::select(to_pull, now, self.pull_began);
        self.mode = mode;
    }
}

/// The rule that uses the current state alone.
#[inline(always)]
fn memoryless<R: Real>(now: &Conditions<R>) -> R {
    let mode = |mode: Mode| now.phi.lit(mode.code());
    let safe = now.nose_high | now.above_deck;
    let ready = now.wings_level & now.slow_roll;
    let acting = R::select(ready, mode(Mode::Pull), mode(Mode::Roll));
    R::select(safe, mode(Mode::Standby), acting)
}
