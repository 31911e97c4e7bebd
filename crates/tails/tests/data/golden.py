"""Golden values of generalised Pareto fits: python golden.py > scipy.json (SciPy 1.17.1, NumPy)."""
import json

import numpy as np
from scipy import optimize, stats

rng = np.random.default_rng(20261127)
cases = []
for shape, scale, k in [(-0.4, 1.0, 80), (-0.1, 3.0, 120), (0.0, 0.5, 60), (0.3, 2.0, 150), (0.9, 1.0, 100)]:
    y = np.round(stats.genpareto.rvs(shape, scale=scale, size=k, random_state=rng), 6)
    y = y[y > 0]

    def loss(p, y=y):
        return -np.sum(stats.genpareto.logpdf(y, p[0], scale=np.exp(p[1])))

    start = stats.genpareto.fit(y, floc=0)
    best = optimize.minimize(
        loss, [start[0], np.log(start[2])], method="Nelder-Mead",
        options={"xatol": 1e-11, "fatol": 1e-13, "maxiter": 20000, "maxfev": 20000},
    )
    xi, sigma = best.x[0], np.exp(best.x[1])
    top = -best.fun
    # Profile of l = ln P(Y > y0) at a level that one excess in about 500 reaches.
    y0 = float(stats.genpareto.isf(2e-3, shape, scale=scale))

    def profile(l, y=y, y0=y0):
        def scale_of(c):
            return -y0 / l if abs(c) < 1e-9 else y0 * c / np.expm1(-c * l)

        def inner(c):
            sigma = scale_of(c)
            if not sigma > 0 or c * y.max() / sigma <= -1 + 1e-12:
                return 1e9 * (1 + abs(c))
            return -np.sum(stats.genpareto.logpdf(y, c, scale=sigma))

        grid = np.linspace(-1, 3, 2001)
        values = [inner(c) for c in grid]
        i = int(np.argmin(values))
        low, high = grid[max(i - 1, 0)], grid[min(i + 1, 2000)]
        found = optimize.minimize_scalar(inner, bounds=(low, high), method="bounded", options={"xatol": 1e-11})
        return -min(found.fun, values[i])

    l_best = float(stats.genpareto.logsf(y0, xi, scale=sigma))
    begin = max(l_best, -600.0)
    excess = lambda l: 2 * (top - profile(l)) - 3.841458820694124
    upper = optimize.brentq(excess, begin, -0.5, xtol=1e-7)
    lower = optimize.brentq(excess, -600.0, begin, xtol=1e-7) if excess(-600.0) > 0 else None
    points = [0.1, 1.0, 5.0, 100.0]
    cases.append({
        "y": y.tolist(), "shape": xi, "scale": sigma, "ln_likelihood": top, "y0": y0,
        "ln_p": max(l_best, -1e300), "ln_lower": lower, "ln_upper": upper, "points": points,
        "ln_sf": [max(float(stats.genpareto.logsf(p, xi, scale=sigma)), -1e300) for p in points],
    })
print(json.dumps(cases))
