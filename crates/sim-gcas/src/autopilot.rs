//! The outer autopilot: roll the wings level, then pull up (Heidlauf et al., ARCH 2018).

use std::f64::consts::{PI, TAU};

use serde::{Deserialize, Serialize};

use crate::{
    real::{Mask, Real},
    state::index::{ALPHA, ALTITUDE, P, PHI, THETA},
};

/// Altitude from which the ground is no threat, ft.
const DECK: f64 = 1000.0;
/// Roll angle below which the wings count as level, rad.
const LEVEL: f64 = 5.0 * PI / 180.0;
/// Roll rate below which a roll counts as slow, rad/s.
const SLOW: f64 = 10.0 * PI / 180.0;
/// Load command of the pull, g above 1 g.
const PULL_LOAD: f64 = 5.0;
/// Shortest pull, and the wait before the first roll, of the autopilot with memory, s.
const HOLD: f64 = 2.0;

/// What the autopilot does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// Nothing: no command.
    Standby,
    /// Rolls the wings level.
    Roll,
    /// Pulls up with five g.
    Pull,
    /// Nothing yet: the autopilot with memory rolls two seconds after the start.
    Waiting,
}

impl Mode {
    /// The mode as a number in a lane.
    pub(crate) fn code(self) -> f64 {
        f64::from(self as u8)
    }

    /// The mode of a lane.
    pub(crate) fn from_code(code: f64) -> Self {
        match code as u8 {
            0 => Self::Standby,
            1 => Self::Roll,
            2 => Self::Pull,
            _ => Self::Waiting,
        }
    }
}

/// The rule by which the mode follows from the flight.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Autopilot {
    /// The mode is a function of the current state; the paper's data were made so.
    #[default]
    Memoryless,
    /// The mode is carried along, and a pull lasts at least two seconds.
    Stateful {
        /// Mode at the start.
        start: Mode,
        /// Inner steps between two looks at the state, at least 1.
        period: u32,
    },
}

/// What the autopilot with memory remembers, in lanes.
#[derive(Clone, Copy)]
pub(crate) struct Memory<R> {
    /// Codes of the modes.
    pub(crate) mode: R,
    /// Inner steps at which the pulls began.
    pull_began: R,
}

/// The conditions of both rules.
struct Sight<R: Real> {
    nose_high: R::Mask,
    above_deck: R::Mask,
    wings_level: R::Mask,
    slow_roll: R::Mask,
    phi: R,
}

/// `x` less the nearest multiple of a full turn (ties to the even one).
#[inline(always)]
fn wrap<R: Real>(x: R) -> R {
    if x.lit(PI).lt(x.abs()).any() { x - (x / x.lit(TAU)).round() * TAU } else { x }
}

#[inline(always)]
fn look<R: Real>(state: &[R; 16]) -> Sight<R> {
    let zero = state[PHI].lit(0.0);
    let phi = wrap(state[PHI]);
    Sight {
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

    /// The command in `state` at the start of inner step `k` of length `dt`.
    #[inline(always)]
    pub(crate) fn command(
        &mut self,
        autopilot: Autopilot,
        state: &[R; 16],
        k: u32,
        dt: f64,
    ) -> [R; 4] {
        let sight = look(state);
        match autopilot {
            Autopilot::Memoryless => self.mode = memoryless(&sight),
            Autopilot::Stateful { period, .. } => {
                if k.is_multiple_of(period) {
                    self.transit(&sight, k, dt);
                }
            }
        }
        let zero = self.mode.lit(0.0);
        let rolling = self.mode.eq(zero.lit(Mode::Roll.code()));
        let pulling = self.mode.eq(zero.lit(Mode::Pull.code()));
        let roll_rate = sight.phi * -4.0 - state[P] * 2.0;
        [
            R::select(pulling, zero.lit(PULL_LOAD), zero),
            R::select(rolling, roll_rate, zero),
            zero,
            zero,
        ]
    }

    /// One transition of the rule with memory.
    #[inline(always)]
    fn transit(&mut self, sight: &Sight<R>, k: u32, dt: f64) {
        let code = |mode: Mode| self.mode.lit(mode.code());
        let is = |mode: Mode| self.mode.eq(code(mode));
        let step = f64::from(k);
        let now = self.mode.lit(step);
        let hold = self.mode.lit((HOLD / dt).round());

        let threat = !(sight.nose_high | sight.above_deck);
        let mut to_roll = is(Mode::Standby) & threat;
        if step * dt + 1e-6 >= HOLD {
            to_roll = to_roll | is(Mode::Waiting);
        }
        let to_pull = is(Mode::Roll) & sight.slow_roll & sight.wings_level;
        let held = hold.le(now - self.pull_began);
        let to_standby = is(Mode::Pull) & sight.nose_high & held;

        let mode = R::select(to_roll, code(Mode::Roll), self.mode);
        let mode = R::select(to_pull, code(Mode::Pull), mode);
        let mode = R::select(to_standby, code(Mode::Standby), mode);
        self.pull_began = R::select(to_pull, now, self.pull_began);
        self.mode = mode;
    }
}

/// The rule that looks only at the current state.
#[inline(always)]
fn memoryless<R: Real>(sight: &Sight<R>) -> R {
    let mode = |mode: Mode| sight.phi.lit(mode.code());
    let safe = sight.nose_high | sight.above_deck;
    let ready = sight.wings_level & sight.slow_roll;
    let acting = R::select(ready, mode(Mode::Pull), mode(Mode::Roll));
    R::select(safe, mode(Mode::Standby), acting)
}
