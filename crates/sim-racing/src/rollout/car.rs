//! The car in lanes: its motion over one control step.
//!
//! Units are m, s, rad and their quotients, unless stated otherwise. Body axes: x forward, y left; angles
//! counter-clockwise.

use sim_core::lanes::{Mask, Real};

use super::{
    clip::clip,
    coefficients::Coefficients,
    forces::{Forces, side},
    rotation::{rotation, turn},
};
use crate::state::{
    State,
    index::{R as YAW_RATE, STEER, U, V, X, Y, YAW},
};

/// An initial state with cosine and sine of its heading and of its steering angle.
pub(super) struct Start {
    state: State,
    /// Cosine and sine of the heading.
    yaw: (f64, f64),
    /// Cosine and sine of the steering angle.
    steer: (f64, f64),
}

impl Start {
    pub(super) fn new(state: &State) -> Self {
        let (sin_yaw, cos_yaw) = libm::sincos(state[YAW]);
        let (sin_steer, cos_steer) = libm::sincos(state[STEER]);
        Self { state: *state, yaw: (cos_yaw, sin_yaw), steer: (cos_steer, sin_steer) }
    }
}

/// The state of one car per lane.
#[derive(Clone, Copy)]
pub(super) struct Car<R> {
    /// Position, m.
    pub(super) x: R,
    /// Position, m.
    pub(super) y: R,
    /// Longitudinal velocity, m/s.
    pub(super) u: R,
    /// Lateral velocity, m/s.
    pub(super) v: R,
    /// Yaw rate, rad/s.
    r: R,
    /// Cosine and sine of the heading.
    yaw: (R, R),
    /// Steering angle at the end of the control step, rad.
    steer: R,
    /// Cosine and sine of the steering angle in the current substep.
    wheel: (R, R),
}

impl<R: Real> Car<R> {
    /// Cars in the initial states `start(lane)`.
    #[inline(always)]
    pub(super) fn new<'a>(zero: R, start: impl Fn(usize) -> &'a Start) -> Self {
        let entry = |i: usize| zero.fill(|lane| start(lane).state[i]);
        Self {
            x: entry(X),
            y: entry(Y),
            u: entry(U),
            v: entry(V),
            r: entry(YAW_RATE),
            yaw: (zero.fill(|lane| start(lane).yaw.0), zero.fill(|lane| start(lane).yaw.1)),
            steer: entry(STEER),
            wheel: (zero.fill(|lane| start(lane).steer.0), zero.fill(|lane| start(lane).steer.1)),
        }
    }

    /// One control step. The action, `command` and `pedal`, must lie in [-1, 1].
    ///
    /// The steering angle turns at a constant rate over the substeps. Positions change by the sum of the
    /// velocities of the substeps.
    #[inline(always)]
    pub(super) fn control_step(&mut self, c: &Coefficients, command: R, pedal: R) {
        let zero = pedal.lit(0.0);
        let missing = command * c.max_steer - self.steer;
        let change = clip(missing, -c.max_steer_change, c.max_steer_change);
        self.steer = self.steer + change;
        let wheel_turn = rotation(change * (1.0 / f64::from(c.substeps)));
        let forwards = Forces::new(c, pedal, zero.lit(1.0));
        let (mut along, mut across) = (zero, zero);
        for _ in 0..c.substeps {
            self.wheel = turn(self.wheel, wheel_turn);
            if self.u.le(zero).any() {
                let negative = R::select(self.u.lt(zero), zero.lit(-1.0), zero);
                let sign = R::select(zero.lt(self.u), zero.lit(1.0), negative);
                self.substep::<false>(c, &Forces::new(c, pedal, sign));
            } else {
                self.substep::<true>(c, &forwards);
            }
            let (cos, sin) = self.yaw;
            along = along + (self.u * cos - self.v * sin);
            across = across + (self.u * sin + self.v * cos);
        }
        self.x = self.x + along * c.dt;
        self.y = self.y + across * c.dt;
    }

    /// Velocities and heading over one substep. `FORWARDS` leaves out the operations that only cars at rest
    /// or in backward motion need; the results of all other cars have the same bits with and without them.
    #[inline(always)]
    fn substep<const FORWARDS: bool>(&mut self, c: &Coefficients, f: &Forces<R>) {
        let (u, v, r) = (self.u, self.v, self.r);
        let zero = u.lit(0.0);
        let (cos, sin) = self.wheel;
        let mut front = v + r * c.to_front;
        let mut rear = v - r * c.to_rear;
        if !FORWARDS {
            // An axle that rolls straight backwards has the slip angle pi.
            front = R::select(u.lt(zero), not_zero(front), front);
            rear = R::select(u.lt(zero), not_zero(rear), rear);
        }

        // Sine and cosine of the front slip angle, both times the speed of the axle (m/s).
        let mut ahead = u;
        if !FORWARDS {
            // An axle at rest has the same slip angle as one that moves straight ahead.
            ahead = R::select((u.abs() + front.abs()).le(zero), u.lit(1.0), u);
        }
        let mut slip_sin = front * cos - ahead * sin;
        let slip_cos = ahead * cos + front * sin;
        if !FORWARDS {
            // In backward motion the sign is that of the velocity, before the steering angle is subtracted.
            let backwards = R::select(slip_cos.le(zero), front, slip_sin);
            slip_sin = R::select(u.lt(zero), backwards, slip_sin);
        }
        // A slip angle above a right angle saturates the tyre, and so does a very large tangent.
        let slip_cos = slip_cos.max(u.lit(R::TINY));
        let ahead = u.max(u.lit(R::TINY));
        let inverse = u.lit(1.0) / (slip_cos * ahead);
        let side_front = side(slip_sin * (ahead * inverse), f.slope[0], f.limit[0]);
        let side_rear = side(rear * (slip_cos * inverse), f.slope[1], f.limit[1]);

        let across = f.front * sin + side_front * cos;
        let along = f.front * cos - side_front * sin;
        let angle = r * c.dt;
        self.r = r + (across * c.arm[0] + side_rear * c.arm[1]);
        self.v = v + ((across + side_rear) - angle * u);
        self.u = u + ((along + f.rear) - u * c.drag + angle * v);
        self.yaw = turn(self.yaw, rotation(self.r * c.dt));
    }
}

/// Replaces zero by a very small positive number.
#[inline(always)]
fn not_zero<R: Real>(x: R) -> R {
    R::select(x.abs().le(x.lit(0.0)), x.lit(R::TINY), x)
}
