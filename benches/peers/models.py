"""Cost and accuracy of `latent-is estimate --model` and of OpenTURNS on the same simulators.

    pip install openturns==1.27.post1 numpy==2.4.6 scipy==1.17.1
    python benches/peers/models.py --program target/release/latent-is

Both sides aim at a relative error of 10 % with at most 100,000 runs, on one thread. Both call the same Python function:
our program in mode stream through crates/programs/python/latent_is.py, where this script is also the model (`--serve`),
and OpenTURNS in this process, a batch at a time.

Columns: mean estimate over reference, root mean square of the relative errors, mean runs of the simulator; the
work-normalised variance WNV = mean squared relative error * mean runs, which contains the bias; the gain
((1 - P) / P) / WNV over crude Monte Carlo, whose exact gain is 1; the share of 95 % intervals that contain the
reference; and what the method says of its own run: the exit code, or whether its coefficient of variation is on target.
An estimate that fails counts as 0, its interval as a miss. A bias, for example half of the modes, does not fall with
more runs, whatever the gain: read mean/P first.

P. W. Glynn, W. Whitt: The asymptotic efficiency of simulation estimators. Operations Research 40 (1992), 505-520.

The F-16 is left out: no command of the program serves a built-in system, and a copy in Python would be another one.
"""

import argparse
import functools
import json
import math
import os
import pathlib
import platform
import subprocess
import sys
import tempfile
from collections import Counter

import numpy as np

TARGET, CAP = 0.1, 100_000
LATENT_IS = pathlib.Path(__file__).resolve().parents[2] / "crates/programs/python"


# Simulators: functions of a dict of inputs, either numbers or arrays of one length.


def brake(x):
    """Distance in m in which a car stops after a delay; the example of docs/src/use/your-own-simulator.md."""
    return x["speed"] * x["delay"] + x["speed"] ** 2 / (2 * np.maximum(x["brake"], 3.0))


def margin(x):
    """What the resistance has left under the load."""
    return x["resistance"] - x["load"]


def branches(x):
    """A series system of four modes: two parabolas and two lines in the plane, each at the opposite of the other."""
    s, t = (x["a"] + x["b"]) / math.sqrt(2), (x["a"] - x["b"]) / math.sqrt(2)
    return np.minimum(4.0 + 0.2 * t**2 - np.abs(s), 4.5 - np.abs(t))


def total(x):
    """Sum of all inputs."""
    return sum(x.values())


# Distributions: kind and parameters as in the model file; `marginal` gives them to OpenTURNS.

BRAKE = {
    "speed": ("normal", {"mean": 20.0, "sd": 2.5}),
    "brake": ("normal", {"mean": 7.5, "sd": 0.8}),
    "delay": ("log_normal", {"ln_mean": -0.5, "ln_sd": 0.25}),
}
LOAD = {
    "resistance": ("log_normal", {"ln_mean": 4.1, "ln_sd": 0.1}),
    "load": ("gumbel", {"location": 28.0, "scale": 3.0}),
}
PLANE = {name: ("normal", {"mean": 0.0, "sd": 1.0}) for name in "ab"}
TIMES = {f"t{i}": ("exponential", {"mean": 1.0}) for i in range(100)}
CORRELATION = 0.3  # of resistance and load themselves, not of their normal scores


def marginal(kind, p):
    """The same distribution in OpenTURNS."""
    import openturns as ot

    if kind == "normal":
        return ot.Normal(p["mean"], p["sd"])
    if kind == "log_normal":
        return ot.LogNormal(p["ln_mean"], p["ln_sd"])
    if kind == "gumbel":
        return ot.Gumbel(p["scale"], p["location"])
    return ot.Exponential(1 / p["mean"])


# References.


def brake_reference(limit):
    """P(distance >= limit): the delay in closed form, speed and brake by quadrature in standard scores."""
    from scipy import integrate, special

    speed, deceleration, delay = (p for _, p in BRAKE.values())

    def integrand(v, b):
        x = speed["mean"] + speed["sd"] * v
        rest = limit / x - x / (2 * max(deceleration["mean"] + deceleration["sd"] * b, 3.0))
        above = special.ndtr((delay["ln_mean"] - math.log(rest)) / delay["ln_sd"]) if rest > 0 else 1.0
        return above * math.exp(-(v * v + b * b) / 2) / (2 * math.pi)

    # Seven standard deviations of the speed keep it positive; the rest has a probability of 3e-12.
    return integrate.dblquad(integrand, -7, 7, -7, 7, epsabs=1e-12, epsrel=1e-7)[0]


def load_quantile(z):
    """The load at standard normal score z."""
    from scipy import special

    p = LOAD["load"][1]
    return p["location"] - p["scale"] * np.log(-special.log_ndtr(z))


def resistance_quantile(z):
    p = LOAD["resistance"][1]
    return np.exp(p["ln_mean"] + p["ln_sd"] * z)


@functools.cache
def score_correlation():
    """Correlation of the normal scores that gives resistance and load theirs.

    P.-L. Liu, A. Der Kiureghian: Multivariate distribution models with prescribed marginals and covariances.
    Probabilistic Engineering Mechanics 1 (1986), 105-112.
    """
    from scipy import optimize

    z, w = np.polynomial.hermite_e.hermegauss(60)
    w = w / w.sum()
    r = resistance_quantile(z)
    r = (r - w @ r) / math.sqrt(w @ r**2 - (w @ r) ** 2)
    s = load_quantile(z)
    mean, sd = w @ s, math.sqrt(w @ s**2 - (w @ s) ** 2)

    def error(rho):
        second = rho * z[:, None] + math.sqrt(1 - rho**2) * z[None, :]
        return w @ (r[:, None] * (load_quantile(second) - mean) / sd) @ w - CORRELATION

    return optimize.brentq(error, 0.0, 0.9, xtol=1e-12)


def load_reference():
    """P(resistance <= load): the load given the resistance in closed form, the resistance by quadrature."""
    from scipy import integrate, special

    rho, p = score_correlation(), LOAD["load"][1]

    def integrand(z):
        ln_below = -math.exp(-(resistance_quantile(z) - p["location"]) / p["scale"])
        score = -special.ndtri(-math.expm1(ln_below)) if ln_below > -0.5 else special.ndtri(math.exp(ln_below))
        above = special.ndtr((rho * z - score) / math.sqrt(1 - rho**2))
        return above * math.exp(-z * z / 2) / math.sqrt(2 * math.pi)

    return integrate.quad(integrand, -10, 10, epsabs=1e-14, epsrel=1e-9, limit=200, points=[-4, -2, 0])[0]


def branches_reference():
    """The rotated coordinates s and t are standard normal: t by quadrature, s in closed form."""
    from scipy import integrate, special

    def integrand(t):
        return 2 * special.ndtr(-4.0 - 0.2 * t**2) * math.exp(-t * t / 2) / math.sqrt(2 * math.pi)

    return 2 * special.ndtr(-4.5) + integrate.quad(integrand, -4.5, 4.5, epsabs=0, epsrel=1e-10)[0]


def total_reference(limit):
    """The sum of 100 exponential times has a gamma distribution."""
    from scipy import special

    return special.gammaincc(len(TIMES), limit)


# Name: simulator, inputs, side of the limit that fails, limit, reference.
EXAMPLES = {
    "brake 75": (brake, BRAKE, "at_least", 75.0, lambda: brake_reference(75.0)),
    "brake 85": (brake, BRAKE, "at_least", 85.0, lambda: brake_reference(85.0)),
    "brake 95": (brake, BRAKE, "at_least", 95.0, lambda: brake_reference(95.0)),
    "load": (margin, LOAD, "at_most", 0.0, load_reference),
    "four modes": (branches, PLANE, "at_most", 0.0, branches_reference),
    "100 inputs": (total, TIMES, "at_least", 142.0, lambda: total_reference(142.0)),
}


# Our side.


def toml(value):
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {toml(v)}" for key, v in value.items()) + " }"
    return json.dumps(value)


def write_model(folder, name):
    """The model file and the criterion of an example."""
    _, inputs, side, limit, _ = EXAMPLES[name]
    command = [sys.executable, str(pathlib.Path(__file__).resolve()), "--serve", name]
    lines = ["[model]", f"command = {toml(command)}", "workers = 1", "[inputs]"]
    lines += [f"{key} = {toml({kind: p})}" for key, (kind, p) in inputs.items()]
    if inputs is LOAD:
        lines += ["[inputs.correlation]", f'pair = ["resistance", "load", {CORRELATION}]']
    lines += ["[outputs]", 'names = ["y"]']
    (folder / "model.toml").write_text("\n".join(lines) + "\n")
    (folder / "failure.toml").write_text(f"[[half_space]]\nfeatures = {{ y = 1.0 }}\n{side} = {limit}\n")


def ours(program, folder, seed):
    """One run of our program: estimate, interval, runs, exit code."""
    store, result = folder / f"store-{seed}", folder / "result.json"
    result.unlink(missing_ok=True)
    command = [program, "estimate", "--model", "model.toml", "--criterion", "failure.toml", "--store", store]
    command += ["--json", result, "--seed", str(seed), "--target-cov", str(TARGET), "--budget", str(CAP)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode == 1 or not result.exists():
        sys.exit(f"exit code {done.returncode}\n{done.stderr}")
    answer = json.loads(result.read_text())
    ends = answer["interval"]["ln_lower"], answer["interval"]["ln_upper"]
    low, high = (0.0 if end is None else math.exp(end) for end in ends)
    runs = answer["estimate"]["counts"]["evaluations"] - answer["looked_up"]
    return answer["probability"] or 0.0, low, high, runs, f"exit {done.returncode}"


# OpenTURNS.


def event(name):
    """The failure event of an example, and a counter of the runs of its simulator."""
    import openturns as ot

    simulate, inputs, side, limit, _ = EXAMPLES[name]
    runs = [0]

    def batch(x):
        x = np.asarray(x)
        runs[0] += len(x)
        return simulate(dict(zip(inputs, x.T)))[:, None]

    function = ot.PythonFunction(len(inputs), 1, func_sample=batch)
    copula = ot.IndependentCopula(len(inputs))
    if inputs is LOAD:
        correlation = ot.CorrelationMatrix(2)
        correlation[0, 1] = score_correlation()
        copula = ot.NormalCopula(correlation)
    marginals = [marginal(kind, p) for kind, p in inputs.values()]
    vector = ot.RandomVector(ot.JointDistribution(marginals, copula))
    compare = ot.GreaterOrEqual() if side == "at_least" else ot.LessOrEqual()
    return ot.ThresholdEvent(ot.CompositeRandomVector(function, vector), compare, limit), runs


def to_target(algorithm, block):
    """Blocks of draws until the coefficient of variation or the cap is reached."""
    algorithm.setBlockSize(block)
    algorithm.setMaximumOuterSampling(CAP // block)
    algorithm.setMaximumCoefficientOfVariation(TARGET)
    return algorithm


def monte_carlo(failure):
    import openturns as ot

    return to_target(ot.ProbabilitySimulationAlgorithm(failure, ot.MonteCarloExperiment()), 1000)


def form_is(failure):
    """FORM by Abdo and Rackwitz, then draws around the design point.

    It starts beside the means, where symmetric systems have no gradient.
    """
    import openturns as ot

    inputs = failure.getAntecedent().getDistribution()
    form = ot.FORM(ot.AbdoRackwitz(), failure, inputs.getMean() + 0.1 * inputs.getStandardDeviation())
    form.run()
    return to_target(ot.PostAnalyticalImportanceSampling(form.getResult()), 100)


def subset(failure):
    """The 10,000 draws per level are the default; blocks change the time alone."""
    import openturns as ot

    algorithm = ot.SubsetSampling(failure)
    algorithm.setMaximumOuterSampling(100)
    algorithm.setBlockSize(100)
    return algorithm


def nais(failure):
    """With 1000 draws per level, the default; in standard space, since it refuses bounded inputs."""
    import openturns as ot

    return ot.NAIS(ot.StandardEvent(failure), 0.1)


def cross_entropy(failure):
    """With 1000 draws per level, the default."""
    import openturns as ot

    return ot.StandardSpaceCrossEntropyImportanceSampling(failure, 0.1)


PEERS = {
    "OT Monte Carlo": monte_carlo,
    "OT subset": subset,
    "OT FORM + IS": form_is,
    "OT NAIS": nais,
    "OT cross-entropy": cross_entropy,
}


def theirs(make, name, seed):
    """One run of OpenTURNS: estimate, interval, runs, whether its own coefficient of variation is on target."""
    import openturns as ot

    ot.RandomGenerator.SetSeed(seed)
    failure, runs = event(name)
    try:
        algorithm = make(failure)
        algorithm.run()
    except Exception as error:
        print(f"{name}, {make.__name__}, seed {seed}: {error}", file=sys.stderr)
        return 0.0, 0.0, 0.0, runs[0], "error"
    result = algorithm.getResult()
    estimate, half = result.getProbabilityEstimate(), result.getConfidenceLength(0.95) / 2
    met = estimate > 0 and result.getCoefficientOfVariation() <= TARGET
    return estimate, estimate - half, estimate + half, runs[0], "<= 10 %" if met else "> 10 %"


# The table.

HEADER = ["example", "P", "method", "mean/P", "RMSE", "runs", "WNV", "gain", "covered", "the run says"]
WIDTHS = [10, 9, 16, 7, 8, 7, 8, 8, 7, 0]


def row(cells):
    print("  ".join(f"{cell:<{width}}" for cell, width in zip(cells, WIDTHS)).rstrip(), flush=True)


def summary(name, pf, method, results):
    """One row of the table from the runs of one method."""
    estimates, lows, highs, runs, says = zip(*results)
    ratios = np.array(estimates) / pf
    mse, mean_runs = np.mean((ratios - 1) ** 2), np.mean(runs)
    wnv = mse * mean_runs
    covered = np.mean([low <= pf <= high for low, high in zip(lows, highs)])
    shares = ", ".join(f"{what}: {count / len(says):.0%}" for what, count in sorted(Counter(says).items()))
    numbers = [f"{ratios.mean():.3f}", f"{math.sqrt(mse):.1%}", f"{mean_runs:.0f}", f"{wnv:.3g}"]
    row([name, f"{pf:.3e}", method, *numbers, f"{(1 - pf) / pf / wnv:.3g}", f"{covered:.0%}", shares])


def compare(options):
    import openturns as ot
    import scipy

    ot.Log.Show(ot.Log.NONE)
    ot.TBB.Disable()
    program = str(pathlib.Path(options.program).resolve())
    version = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    print(f"{version}; openturns {ot.__version__}, numpy {np.__version__}, scipy {scipy.__version__}, "
          f"Python {platform.python_version()}; {platform.platform()}, {os.cpu_count()} cores, one thread")
    seeds = range(options.first_seed, options.first_seed + options.repetitions)
    print(f"{len(seeds)} repetitions with seeds from {seeds[0]}; target {TARGET:.0%}, at most {CAP} runs. A WNV has a "
          f"relative standard error of {math.sqrt(2 / len(seeds)):.0%} when errors are normal.")
    row(HEADER)
    for name, (*_, reference) in EXAMPLES.items():
        if options.only not in name:
            continue
        pf = reference()
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            write_model(folder, name)
            summary(name, pf, "latent-is", [ours(program, folder, seed) for seed in seeds])
        for method, make in PEERS.items():
            summary(name, pf, method, [theirs(make, name, seed) for seed in seeds])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", default="target/release/latent-is", help="our program")
    parser.add_argument("--repetitions", type=int, default=40)
    parser.add_argument("--first-seed", type=int, default=1000)
    parser.add_argument("--only", default="", help="examples whose name contains this")
    parser.add_argument("--serve", choices=EXAMPLES, help="be the simulator of this example")
    options = parser.parse_args()
    if options.serve:
        sys.path.insert(0, str(LATENT_IS))
        from latent_is import serve

        simulate = EXAMPLES[options.serve][0]
        serve(lambda inputs, seed: {"y": simulate(inputs)})
    else:
        compare(options)


if __name__ == "__main__":
    main()
