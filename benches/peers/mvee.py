"""Times the usual ways to a minimum-volume ellipsoid in Python; our side is benches/src/bin/peer_mvee.rs.

The problem is stated as in the paper's code: maximise log det A subject to one norm constraint |A x_i + b| <= 1 a point,
solved through cvxpy by SCS and by CLARABEL at their default accuracy.
One JSON line a case; times cover building and solving the problem, as a caller sees them.
"""

import json
import math
import time

import cvxpy as cp
import numpy as np
from scipy.spatial.distance import cdist

SETS = [(50, 3), (200, 8), (200, 12), (1000, 12)]  # (points, coordinates); the same list stands in peer_mvee.rs


def normal_points(d, n, seed):
    """The points of `benches::normal_points`, [n, d]."""

    def uniform(k):
        z = np.uint64(seed) + (k + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return ((z ^ (z >> np.uint64(31))) >> np.uint64(11)).astype(float) / 2.0**53 + 2.0**-54

    k = np.arange(n * d, dtype=np.uint64) * np.uint64(2)
    radius, angle = uniform(k), uniform(k + np.uint64(1))
    return (np.sqrt(-2.0 * np.log(radius)) * np.cos(2.0 * math.pi * angle)).reshape(n, d)


def solve(points, solver):
    d = points.shape[1]
    a, b = cp.Variable((d, d), PSD=True), cp.Variable(d)
    constraints = [cp.norm(a @ x + b) <= 1 for x in points]
    cp.Problem(cp.Maximize(cp.log_det(a)), constraints).solve(solver=solver)
    return a.value, b.value


def ln_unit_ball(d):
    return d / 2 * math.log(math.pi) - math.lgamma(d / 2 + 1)


def report(case, value, unit, note):
    print(json.dumps({"case": case, "value": value, "unit": unit, "note": note}), flush=True)


def median_seconds(least, call):
    seconds, started = [], time.perf_counter()
    while len(seconds) < least or time.perf_counter() - started < 0.5:
        start = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - start)
    return sorted(seconds)[len(seconds) // 2]


def main():
    for solver in ["SCS", "CLARABEL"]:  # the first call of each loads code and is not counted
        solve(normal_points(2, 10, 0), solver)
    for n, d in SETS:
        points = normal_points(d, n, 1)
        for solver in ["SCS", "CLARABEL"]:
            start = time.perf_counter()
            a, b = solve(points, solver)
            first = time.perf_counter() - start
            seconds = first if first > 2.0 else median_seconds(3, lambda: solve(points, solver))
            ln_volume = ln_unit_ball(d) - np.linalg.slogdet(a)[1]
            outside = np.linalg.norm(points @ a.T + b, axis=1).max() - 1.0
            note = f"ln volume {ln_volume:.9f}, farthest point at 1 {outside:+.1e}"
            report(f"solve n={n} d={d}, cvxpy+{solver}", seconds, "s", note)

    n, d = 1_000_000, 12
    points = normal_points(d, n, 1)
    center, shape = np.full(d, 0.5), np.full((d, d), 0.1) + 1.9 * np.eye(d)
    inverse = np.linalg.inv(shape)
    root = np.linalg.inv(np.linalg.cholesky(shape))

    def by_cdist():
        return cdist(points, center[None, :], "mahalanobis", VI=inverse)[:, 0] - 1.0

    def by_einsum():
        y = (points - center) @ root.T
        return np.sqrt(np.einsum("ij,ij->i", y, y)) - 1.0

    for name, call in [("scipy cdist", by_cdist), ("numpy einsum", by_einsum)]:
        report(f"distances n={n} d={d}, {name}", n / median_seconds(5, call), "1/s", f"sum {call().sum():.6f}")


if __name__ == "__main__":
    main()
