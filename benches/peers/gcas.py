"""Flights per second of jax-f16 (jit, vmap) on one core: 10,000 flights of 1500 Euler steps.

Prints one JSON line a case. Each precision has a process of its own, because jax fixes it at start.
"""

import json
import os
import subprocess
import sys
import time

FLIGHTS = 10_000
STEPS = 1500


def measure(bits):
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    os.environ["JAX_PLATFORMS"] = "cpu"
    os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"

    import jax
    import jax.numpy as jnp
    import numpy as np

    jax.config.update("jax_enable_x64", bits == 64)
    from jax_f16.f16 import F16

    model = F16()

    def wrap(angle):
        return angle - 2 * jnp.pi * jnp.round(angle / (2 * jnp.pi))

    def command(x):
        """The memoryless autopilot: roll the wings level, then pull up."""
        phi, p = wrap(x[F16.PHI]), x[F16.P]
        safe = (wrap(x[F16.THETA] - x[F16.ALPHA]) > 0) | (x[F16.H] >= 1000)
        level = (jnp.abs(phi) < jnp.deg2rad(5.0)) & (jnp.abs(p) < jnp.deg2rad(10.0))
        zero = jnp.zeros_like(phi)
        load = jnp.where(~safe & level, 5.0, zero)
        roll = jnp.where(~safe & ~level, -4 * phi - 2 * p, zero)
        return jnp.stack([load, roll, zero, zero])

    def fly(x):
        return jax.lax.fori_loop(0, STEPS, lambda _, x: x + 0.002 * model.xdot(x, command(x)), x)

    rng = np.random.default_rng(0)
    x = np.zeros((FLIGHTS, 16), dtype=f"float{bits}")
    x[:, F16.POW] = 9
    random = {
        F16.VT: (540, 10),
        F16.ALPHA: (np.deg2rad(2.1215), 0.05),
        F16.PHI: (-np.pi / 8, 0.1),
        F16.THETA: (-0.15 * np.pi, 0.1),
        F16.H: (900, 10),
    }
    for position, (mean, sd) in random.items():
        x[:, position] = rng.normal(mean, sd, FLIGHTS)

    run = jax.jit(jax.vmap(fly))
    x = jax.device_put(x)
    end = np.asarray(run(x))  # compiles
    assert end.dtype == f"float{bits}"
    # Mean altitude of a million reference runs; four standard errors of ten thousand.
    assert abs(end[:, F16.H].mean() - 320.6) < 4 * 171 / FLIGHTS**0.5, end[:, F16.H].mean()
    best = float("inf")
    for _ in range(2):
        start = time.perf_counter()
        run(x).block_until_ready()
        best = min(best, time.perf_counter() - start)
    print(json.dumps({"case": f"f{bits} flights, one core", "value": FLIGHTS / best, "unit": "1/s"}))


if __name__ == "__main__":
    if len(sys.argv) > 1:
        measure(int(sys.argv[1]))
    else:
        for bits in ("64", "32"):
            subprocess.run([sys.executable, __file__, bits], check=True)
