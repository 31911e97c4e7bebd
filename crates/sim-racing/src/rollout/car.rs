//! The car in lanes.

use super::{
    forces::{Forces, side},
    rotation::{rotation, turn},
};
use crate::{
    CarParams, State,
    lanes::Real,
    state::index::{R as YAW_RATE, STEER, U, V, X, Y, YAW},
};

/// Numbers of the car in the form the rollouts use them.
pub(super) struct Coefficients {
    substeps: u32,
    dt: f64,
    pub(super) dt_over_mass: f64,
    to_front: f64,
    to_rear: f64,
    /// Mass times arm over yaw inertia, front and rear.
    arm: [f64; 2],
    /// Relative loss of velocity to linear drag in a substep.
    drag: f64,
    pub(super) drag_constant: f64,
    pub(super) drive_force: f64,
    pub(super) brake_force: f64,
    pub(super) share_brake: f64,
    pub(super) share_drive: f64,
    /// Loads at rest, and load moved per force.
    pub(super) weight: [f64; 2],
    pub(super) load_transfer: f64,
    pub(super) friction: f64,
    pub(super) third_stiffness: [f64; 2],
    max_steer: f64,
    /// Largest change of the steering angle in a control step.
    max_steer_change: f64,
}

impl Coefficients {
    pub(super) fn new(car: &CarParams) -> Self {
        let dt = car.substep();
        Self {
            substeps: car.substeps,
            dt,
            dt_over_mass: dt / car.mass,
            to_front: car.to_front,
            to_rear: car.to_rear,
            arm: [car.to_front, -car.to_rear].map(|arm| car.mass * arm / car.yaw_inertia),
            drag: car.drag_linear * dt / car.mass,
            drag_constant: car.drag_constant,
            drive_force: car.drive_force,
            brake_force: car.brake_force,
            share_brake: car.front_share_brake,
            share_drive: car.front_share_drive,
            weight: car.loads(0.0),
            load_transfer: car.height / (car.to_front + car.to_rear),
            friction: car.friction,
            third_stiffness: [car.front_stiffness / 3.0, car.rear_stiffness / 3.0],
            max_steer: car.max_steer,
            max_steer_change: car.max_steer_rate * car.control_step,
        }
    }
}

/// A state with sine and cosine of its angles.
pub(super) struct Start {
    state: State,
    yaw: (f64, f64),
    steer: (f64, f64),
}

impl Start {
    pub(super) fn new(state: &State) -> Self {
        let (sin_yaw, cos_yaw) = libm::sincos(state[YAW]);
        let (sin_steer, cos_steer) = libm::sincos(state[STEER]);
        Self { state: *state, yaw: (cos_yaw, sin_yaw), steer: (cos_steer, sin_steer) }
    }
}

/// One car a lane.
#[derive(Clone, Copy)]
pub(super) struct Car<R> {
    pub(super) x: R,
    pub(super) y: R,
    pub(super) u: R,
    pub(super) v: R,
    r: R,
    /// Cosine and sine of the heading.
    yaw: (R, R),
    steer: R,
    /// Cosine and sine of the steering angle.
    wheel: (R, R),
}

impl<R: Real> Car<R> {
    /// Cars at `start(lane)`.
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

    /// One control step under a clamped action.
    #[inline(always)]
    pub(super) fn control_step(&mut self, c: &Coefficients, command: R, pedal: R) {
        let zero = pedal.lit(0.0);
        let missing = command * c.max_steer - self.steer;
        let change = missing.clip(-c.max_steer_change, c.max_steer_change);
        self.steer = self.steer + change;
        let wheel_turn = rotation(change * (1.0 / f64::from(c.substeps)));
        let forwards = Forces::new(c, pedal, zero.lit(1.0));
        let (mut along, mut across) = (zero, zero);
        for _ in 0..c.substeps {
            self.wheel = turn(self.wheel, wheel_turn);
            if R::any(self.u.le(zero)) {
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

    /// Velocities and heading over one substep. `FORWARDS` leaves out what only cars at rest or moving
    /// backwards need; the others have the same bits either way.
    #[inline(always)]
    fn substep<const FORWARDS: bool>(&mut self, c: &Coefficients, f: &Forces<R>) {
        let (u, v, r) = (self.u, self.v, self.r);
        let zero = u.lit(0.0);
        let (cos, sin) = self.wheel;
        let mut front = v + r * c.to_front;
        let mut rear = v - r * c.to_rear;
        if !FORWARDS {
            // An axle that rolls straight back has the slip angle pi.
            front = R::select(u.lt(zero), not_zero(front), front);
            rear = R::select(u.lt(zero), not_zero(rear), rear);
        }

        // Sine and cosine of the front slip angle, times the velocity of the axle.
        let mut ahead = u;
        if !FORWARDS {
            // An axle at rest has the slip angle of one that moves straight ahead.
            ahead = R::select((u.abs() + front.abs()).le(zero), u.lit(1.0), u);
        }
        let mut slip_sin = front * cos - ahead * sin;
        let slip_cos = ahead * cos + front * sin;
        if !FORWARDS {
            // Backwards the sign is that of the velocity, before the steering angle is taken off.
            let backwards = R::select(slip_cos.le(zero), front, slip_sin);
            slip_sin = R::select(u.lt(zero), backwards, slip_sin);
        }
        // A slip angle beyond a right angle saturates the tyre, and so does a huge tangent.
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

/// A tiny positive number instead of zero.
#[inline(always)]
fn not_zero<R: Real>(x: R) -> R {
    R::select(x.abs().le(x.lit(0.0)), x.lit(R::TINY), x)
}
