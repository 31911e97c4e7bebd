"""Whole runs of OpenTURNS on problems with known answers; our side is benches/src/bin/peer_zoo.rs.

Limit states are numpy functions of a whole batch. Seconds are those of a run as a caller sees it; the note gives
the work-normalised variance (calls times squared relative RMSE), calls and RMSE over the runs, without which a time says
little. Settings: 5000 draws a level (subset simulation: 2000, as ours), 1000 directions, at most 5000 draws around the
design point. One JSON line a case.
"""

import json
import math
import time

import numpy as np
import openturns as ot

RUNS = 20


def phi(z):
    """The standard normal distribution function."""
    return 0.5 * math.erfc(-z / math.sqrt(2.0))


def four_branch(u):
    s, a = (u[:, 0] + u[:, 1]) / math.sqrt(2.0), u[:, 0] - u[:, 1]
    return np.minimum(0.1 * a**2 + 3.0 - np.abs(s), 7.0 / math.sqrt(2.0) - np.abs(a))


def two_mode(u):
    s = u.sum(axis=1) / math.sqrt(5.0)
    return np.minimum(3.5 - s, 3.7 + s)


def linear(beta):
    return lambda u: beta - u.sum(axis=1) / math.sqrt(u.shape[1])


# Name, coordinates, limit state, probability; the same problems stand in peer_zoo.rs.
PROBLEMS = [
    ("linear-2", 2, linear(3.5), phi(-3.5)),
    ("linear-10", 10, linear(4.5), phi(-4.5)),
    ("four-branch-2", 2, four_branch, 2.222795066e-3),
    ("parabolic-2", 2, lambda u: 5.0 - u[:, 1] - 0.5 * (u[:, 0] - 0.1) ** 2, 3.016311901e-3),
    ("two-mode-5", 5, two_mode, phi(-3.5) + phi(-3.7)),
]


def sized(algorithm, draws, batch=1000):
    algorithm.setMaximumOuterSampling(draws // batch)
    algorithm.setBlockSize(batch)
    return algorithm


def form_is(event, d):
    form = ot.FORM(ot.AbdoRackwitz(), event, [0.1] * d)
    form.run()
    algorithm = sized(ot.PostAnalyticalImportanceSampling(form.getResult()), 5000)
    algorithm.setMaximumCoefficientOfVariation(0.02)
    return algorithm


def directional(event, _):
    strategies = ot.RootStrategy(ot.SafeAndSlow()), ot.SamplingStrategy(ot.OrthogonalDirection())
    algorithm = sized(ot.DirectionalSampling(event, *strategies), 1000, 1)
    # A coefficient of variation from the first few directions would stop it far too early.
    algorithm.setMaximumCoefficientOfVariation(0.0)
    return algorithm


PEERS = {
    "cross-entropy": lambda event, _: sized(
        ot.StandardSpaceCrossEntropyImportanceSampling(event, 0.1), 5000
    ),
    "subset": lambda event, _: sized(ot.SubsetSampling(event), 2000, 100),
    "NAIS": lambda event, _: sized(ot.NAIS(event, 0.1), 5000),
    "directional": directional,
    "FORM + IS": form_is,
}


def main():
    ot.Log.Show(ot.Log.NONE)
    for name, d, g, pf in PROBLEMS:
        for peer, make in PEERS.items():
            errors, calls, seconds = [], 0, 0.0
            for seed in range(RUNS):
                ot.RandomGenerator.SetSeed(seed)
                function = ot.PythonFunction(d, 1, func_sample=lambda u: g(np.asarray(u))[:, None])
                event = ot.ThresholdEvent(
                    ot.CompositeRandomVector(function, ot.RandomVector(ot.Normal(d))), ot.LessOrEqual(), 0.0
                )
                start = time.perf_counter()
                try:
                    algorithm = make(event, d)
                    algorithm.run()
                    estimate = algorithm.getResult().getProbabilityEstimate()
                except Exception as error:  # counts as an estimate of zero
                    print(f"{name}, {peer}: {error}")
                    estimate = 0.0
                seconds += time.perf_counter() - start
                calls += function.getEvaluationCallsNumber()
                errors.append(estimate / pf - 1.0)
            rmse, calls = math.sqrt(np.mean(np.square(errors))), calls / RUNS
            note = f"WNV {calls * rmse**2:.3e}, {calls:.0f} calls, RMSE {100 * rmse:.1f} %"
            line = {"case": f"{name}, {peer}", "value": seconds / RUNS, "unit": "s", "note": note}
            print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
