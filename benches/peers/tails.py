"""Probabilities of rare events from a table of outcomes: `latent-is train` and `estimate`, and four other ways.

    pip install zuko==1.6.0 nflows==0.14 torch==2.15.0 openturns==1.27.post1 numpy==2.4.6 scipy==1.17.1
    python benches/peers/tails.py --program target/release/latent-is

All methods get the same rows of a known distribution, and an event is that the sum of the features reaches a threshold
of probability 1e-2 to 1e-5. All run on one thread.

- latent-is: all options have their defaults: the maps of the features by the automatic rule, an ensemble of five. The
  interval is the headline (search, flow and outcomes together); flagged is every verdict but `converged`.
- zuko NSF: an autoregressive spline flow, and nflows RQ: a coupling spline flow, on standardised rows. Both have six
  layers, 64 hidden units and eight bins, and are trained as ours: Adam, 256 rows per step, at most 50 epochs, a
  held-out tenth, patience 8. Their learning rate is 0.01, which gave a higher likelihood of fresh rows than our
  0.002 in five of six trials. A coupling needs two features: a single one gets a column of normal noise.
  The probability under such a flow is estimated by importance sampling: 200,000 latent points with twice the standard
  deviation. Its own error is a few percent at 1e-5.
- OT copula: a normal copula and for each feature the best of twelve families by BIC, all fitted by OpenTURNS;
  the probability is that of the fitted model, without sampling. The families contain the true one for all rows but
  those with two modes and with zeros.
- Pareto tail: a generalised Pareto distribution above the 90 % quantile of the sum, by maximum likelihood, with the
  profile-likelihood interval (95 %).

The peers get the zeros of the zero-inflated rows as they are. None of them ever says that its answer is doubtful, so
they are never flagged; zuko, nflows and the copula give no interval.

Columns: median, 10 % and 90 % quantile of estimate over truth; share of estimates within a factor of two; share of 95 %
intervals that hold the truth, and their median width in powers of ten; share flagged; share off by more than a factor
of three and not flagged. The seconds are those of one table with its four events.

- C. Durkan, A. Bekasov, I. Murray, G. Papamakarios: Neural spline flows. NeurIPS 2019.
- J. Pickands: Statistical inference using extreme order statistics. Annals of Statistics 3 (1975), 119-131.
- S. Coles: An Introduction to Statistical Modeling of Extreme Values. Springer 2001, section 4.3.
- S. Demarta, A. J. McNeil: The t copula and related copulas. International Statistical Review 73 (2005), 111-129.
"""

import argparse
import copy
import json
import math
import os
import pathlib
import platform
import subprocess
import sys
import tempfile
import time
import warnings
from collections import defaultdict
from importlib.metadata import version as installed

os.environ.update(OMP_NUM_THREADS="1", RAYON_NUM_THREADS="1")

import numpy as np
import openturns as ot
import torch
from scipy import optimize, special, stats

PROBABILITIES = [1e-2, 1e-3, 1e-4, 1e-5]
HIDDEN, LAYERS, BINS, EPOCHS, BATCH, PATIENCE = 64, 6, 8, 50, 256, 8  # the defaults of `latent-is train`
RATE = 0.01
DRAWS, SPREAD = 200_000, 2.0
TINY = 1e-12  # smaller ends of intervals count as this in their width
SCORES = np.linspace(-8.0, 8.0, 2001)  # of the quadrature for sums


# Distributions. Each has `draw(generator, n)`, rows [n, features], and `above(t)`, the probability that the sum reaches t.


class Single:
    """One feature with a distribution of scipy; a share of the rows may be zero instead."""

    def __init__(self, distribution, zeros=0.0):
        self.distribution, self.zeros = distribution, zeros

    def draw(self, generator, n):
        x = self.distribution.rvs(n, random_state=generator)
        return np.where(generator.random(n) < self.zeros, 0.0, x)[:, None]

    def above(self, t):
        return (1.0 - self.zeros) * self.distribution.sf(t)


class Modes:
    """One feature, a mixture of two normal distributions."""

    parts = [(0.8, stats.norm(0.0, 1.0)), (0.2, stats.norm(5.0, 0.7))]

    def draw(self, generator, n):
        (_, first), (share, second) = self.parts
        draws = [part.rvs(n, random_state=generator) for part in (first, second)]
        return np.where(generator.random(n) < share, draws[1], draws[0])[:, None]

    def above(self, t):
        return sum(share * part.sf(t) for share, part in self.parts)


class Pair:
    """A log-normal and a gamma feature under a t copula, or under a normal copula for infinitely many degrees."""

    margins = stats.lognorm(0.7), stats.gamma(2.0)
    correlation = 0.6

    def __init__(self, degrees):
        self.degrees = degrees

    def draw(self, generator, n):
        z = generator.standard_normal((n, 2))
        z[:, 1] = self.correlation * z[:, 0] + math.sqrt(1 - self.correlation**2) * z[:, 1]
        if math.isfinite(self.degrees):
            z /= np.sqrt(generator.chisquare(self.degrees, n) / self.degrees)[:, None]
        upper = stats.t.sf(z, self.degrees)
        return np.stack([margin.isf(upper[:, j]) for j, margin in enumerate(self.margins)], 1)

    def above(self, t):
        first, second = self.margins
        return sum_above(t, first.isf(stats.norm.sf(SCORES)), second.sf, self.correlation, self.degrees)


def sum_above(t, first, second_above, correlation, degrees=math.inf):
    """P(sum of two features >= t) under a t copula: trapezoids over the normal score of the first feature.

    `first` are its values at SCORES, and `second_above` is the survival function of the second feature.
    """
    a, b = (stats.t.isf(upper, degrees) for upper in (stats.norm.sf(SCORES), second_above(t - first)))
    scale = (1 - correlation**2) * ((degrees + a**2) / (degrees + 1) if math.isfinite(degrees) else 1.0)
    return np.trapezoid(stats.norm.pdf(SCORES) * stats.t.sf((b - correlation * a) / np.sqrt(scale), degrees + 1), SCORES)


DISTRIBUTIONS = {
    "t, 3 degrees": Single(stats.t(3)),
    "t, 5 degrees": Single(stats.t(5)),
    "Pareto, index 2.5": Single(stats.pareto(2.5)),
    "log-normal": Single(stats.lognorm(1.0)),
    "Weibull, shape 1.5": Single(stats.weibull_min(1.5)),
    "two modes": Modes(),
    "60 % zeros, gamma": Single(stats.gamma(0.8, scale=4.0), zeros=0.6),
    "uniform": Single(stats.uniform()),
    "pair, t copula": Pair(3.0),
    "pair, normal copula": Pair(math.inf),
}


def threshold(distribution, probability):
    """The threshold that the sum reaches with this probability."""
    high = 1.0
    while distribution.above(high) > probability:
        high *= 2.0
    return optimize.brentq(lambda t: distribution.above(t) - probability, 0.0, high, xtol=1e-13, rtol=1e-13)


# Methods. Each returns, for every threshold, (estimate, lower end, upper end, flagged); ends are NaN without an interval.


def ours(program):
    """`train` once, `estimate` for each threshold."""

    def run(folder, codes, *arguments):
        done = subprocess.run([program, *arguments], cwd=folder, capture_output=True, text=True)
        if done.returncode not in codes:
            raise RuntimeError(f"exit code {done.returncode}: {done.stderr[-500:]}")

    def read(folder, name, t, seed):
        (folder / "event.toml").write_text(f"[[half_space]]\nfeatures = {{ {name} }}\nat_least = {float(t)!r}\n")
        run(folder, (0, 2, 3, 4), "estimate", "--flow", "flow.safetensors", "--criterion", "event.toml",
            "--seed", str(seed), "--json", "result.json")
        answer = json.loads((folder / "result.json").read_text())
        # Infinite numbers are texts in the file, "-inf".
        ends = (math.exp(float(answer["interval_of_all"][end])) for end in ("ln_lower", "ln_upper"))
        return float(answer["probability"] or 0.0), *ends, answer["verdict"]["status"] != "Converged"

    def method(rows, thresholds, seed):
        names = [f"x{j}" for j in range(rows.shape[1])]
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            np.savetxt(folder / "rows.csv", rows, "%.17g", ",", header=",".join(names), comments="")
            run(folder, (0, 2), "train", "--data", "rows.csv", "-o", "flow.safetensors", "--seed", str(seed))
            factors = ", ".join(f"{name} = 1.0" for name in names)
            return [read(folder, factors, t, seed) for t in thresholds]

    return method


def zuko_flow(features):
    """Log-density of rows, and the map from latent points to rows."""
    import zuko

    flow = zuko.flows.NSF(features, transforms=LAYERS, bins=BINS, hidden_features=(HIDDEN, HIDDEN))
    return flow, lambda x: flow().log_prob(x), lambda u: flow().transform.inv(u)


def nflows_flow(features):
    """The same for a coupling flow of the layers of `latent-is train`."""
    from nflows.distributions.normal import StandardNormal
    from nflows.flows.base import Flow
    from nflows.nn.nets import ResidualNet
    from nflows.transforms import (CompositeTransform, LULinear, PiecewiseRationalQuadraticCouplingTransform,
                                   ReversePermutation)
    from nflows.utils.torchutils import create_alternating_binary_mask

    def layers(step):
        mask = create_alternating_binary_mask(features, even=step % 2 == 0)
        spline = PiecewiseRationalQuadraticCouplingTransform(
            mask, lambda i, o: ResidualNet(i, o, hidden_features=HIDDEN), num_bins=BINS, tails="linear", tail_bound=4.0
        )
        return [ReversePermutation(features), LULinear(features, identity_init=True), spline]

    layers = [layer for step in range(LAYERS) for layer in layers(step)]
    flow = Flow(CompositeTransform(layers), StandardNormal([features]))
    return flow, flow.log_prob, lambda u: flow._transform.inverse(u)[0]


def train(flow, log_prob, rows):
    """Maximum likelihood with early stopping; the flow gets the weights of its best epoch."""
    rows = rows[torch.randperm(len(rows))]
    held, rows = rows[: len(rows) // 10], rows[len(rows) // 10 :]
    adam, best, waited = torch.optim.Adam(flow.parameters(), lr=RATE), (math.inf, None), 0
    for _ in range(EPOCHS):
        for batch in rows[torch.randperm(len(rows))].split(BATCH):
            adam.zero_grad()
            (-log_prob(batch).mean()).backward()
            torch.nn.utils.clip_grad_norm_(flow.parameters(), 5.0)
            adam.step()
        with torch.no_grad():
            loss = -log_prob(held).mean().item()
        waited += 1
        if loss < best[0]:
            best, waited = (loss, copy.deepcopy(flow.state_dict())), 0
        if waited == PATIENCE:
            break
    flow.load_state_dict(best[1])


def spline_flow(make, least):
    """A flow with at least so many features on standardised rows, and importance sampling under it."""

    def method(rows, thresholds, seed):
        torch.manual_seed(seed)
        features, mean, sd = rows.shape[1], rows.mean(0), rows.std(0)
        x = torch.from_numpy((rows - mean) / sd).float()
        x = torch.cat([x, torch.randn(len(x), max(least - features, 0))], 1)
        flow, log_prob, decode = make(x.shape[1])
        train(flow, log_prob, x)
        u = SPREAD * torch.randn(DRAWS, x.shape[1])
        with torch.no_grad():
            drawn = torch.cat([decode(block) for block in u.split(10_000)])[:, :features].double().numpy()
        ln_w = -(u**2).sum(1).double().numpy() / 2 * (1 - SPREAD**-2) + x.shape[1] * math.log(SPREAD)
        sums, weights = (mean + sd * drawn).sum(1), np.exp(ln_w)
        return [(float(np.mean(weights * (sums >= t))), math.nan, math.nan, False) for t in thresholds]

    return method


FAMILIES = ["Normal", "Student", "Logistic", "Gumbel", "LogNormal", "WeibullMin", "Gamma", "Exponential",
            "GeneralizedPareto", "GeneralizedExtremeValue", "Uniform", "Beta"]


def copula(rows, thresholds, seed):
    """Margins by BIC and a normal copula; OpenTURNS passes over families that cannot be fitted."""
    factories = [getattr(ot, family + "Factory")() for family in FAMILIES]
    margins = [ot.FittingTest.BestModelBIC(ot.Sample(column[:, None]), factories)[0] for column in rows.T]

    def above(margin):
        return lambda x: np.array([margin.computeComplementaryCDF(float(v)) for v in np.atleast_1d(x)])

    if len(margins) == 1:
        return [(float(above(margins[0])(t)[0]), math.nan, math.nan, False) for t in thresholds]
    correlation = ot.NormalCopulaFactory().build(ot.Sample(rows)).getParameter()[0]
    first = np.array([margins[0].computeScalarQuantile(special.ndtr(-abs(s)), bool(s > 0)) for s in SCORES])
    estimates = [sum_above(t, first, above(margins[1]), correlation) for t in thresholds]
    return [(float(estimate), math.nan, math.nan, False) for estimate in estimates]


def pareto_tail(rows, thresholds, seed):
    """The interval is the range of the probability over all shapes and scales whose log-likelihood is within half the
    95 % quantile of chi-squared of its maximum; at shapes below -1 the likelihood has none, and they are left out."""
    sums = rows.sum(1)
    u = np.quantile(sums, 0.9)
    excesses, share = sums[sums > u] - u, np.mean(sums > u)
    shape, _, scale = stats.genpareto.fit(excesses, floc=0)
    shapes, scales = np.linspace(-1.0, 2.0, 301)[:, None], scale * np.geomspace(0.2, 5.0, 201)
    ln_likelihood = np.array([stats.genpareto.logpdf(excesses[:, None], s, 0, scales).sum(0) for s in shapes[:, 0]])
    best = max(ln_likelihood.max(), stats.genpareto.logpdf(excesses, shape, 0, scale).sum())
    likely = ln_likelihood >= best - stats.chi2.ppf(0.95, 1) / 2

    def answer(t):
        range_ = share * stats.genpareto.sf(t - u, shapes, 0, scales)[likely]
        estimate = share * stats.genpareto.sf(t - u, shape, 0, scale)
        return float(estimate), float(range_.min(initial=estimate)), float(range_.max(initial=estimate)), False

    return [answer(t) for t in thresholds]


# The tables.


def row(cells, widths):
    print("  ".join(f"{cell:<{width}}" for cell, width in zip(cells, widths)).rstrip(), flush=True)


def share(values):
    return f"{np.mean(values):.0%}"


def by_probability(results, methods, probabilities):
    """One row per method and probability, over all distributions and repetitions."""
    header = ["method", "P", "median", "10 % to 90 %", "within 2", "holds", "width", "flagged", "off, unflagged"]
    widths = [11, 6, 7, 20, 8, 6, 6, 7, 0]
    row(header, widths)
    for method in methods:
        for p in probabilities:
            answers = [answer for (m, _, q), list_ in results.items() if (m, q) == (method, p) for answer in list_]
            estimates, low, high, flagged = (np.array(column) for column in zip(*answers))
            ratios = estimates / p
            ends, wrong = np.quantile(ratios, [0.1, 0.9]), (ratios > 3) | (ratios < 1 / 3)
            holds, width = "-", "-"
            if not np.isnan(low).all():
                holds = share((low <= p) & (p <= high))
                width = f"{np.nanmedian(np.log10(np.maximum(high, TINY) / np.maximum(low, TINY))):.1f}"
            cells = [f"{np.median(ratios):.3g}", f"{ends[0]:.2g} to {ends[1]:.2g}"]
            cells += [share((ratios >= 0.5) & (ratios <= 2)), holds, width, share(flagged), share(wrong & ~flagged)]
            row([method, f"{p:.0e}", *cells], widths)


def by_distribution(results, methods, names, probabilities):
    """The median of estimate over truth of each method for each event."""
    widths = [20, 6, *(max(len(method), 9) for method in methods)]
    row(["median by rows of", "P", *methods], widths)
    for name in names:
        for p in probabilities:
            medians = (np.median([answer[0] for answer in results[method, name, p]]) / p for method in methods)
            row([name, f"{p:.0e}", *(f"{median:.3g}" for median in medians)], widths)


def run(methods, names, seeds, n):
    """All answers by (method, distribution, probability), and the seconds of each method."""
    results, seconds = defaultdict(list), defaultdict(list)
    for seed in seeds:
        for index, (name, distribution) in enumerate(DISTRIBUTIONS.items()):
            if name not in names:
                continue
            rows = distribution.draw(np.random.default_rng([seed, index]), n)
            thresholds = [threshold(distribution, p) for p in PROBABILITIES]
            for method, answers_of in methods.items():
                start = time.perf_counter()
                try:
                    answers = answers_of(rows, thresholds, seed)
                except Exception as error:  # counts as an estimate of zero without an interval
                    print(f"{method}, {name}, seed {seed}: {error!r}", file=sys.stderr)
                    answers = [(0.0, math.nan, math.nan, False)] * len(thresholds)
                seconds[method].append(time.perf_counter() - start)
                for p, answer in zip(PROBABILITIES, answers):
                    results[method, name, p].append(answer)
        print(f"seed {seed} done", file=sys.stderr, flush=True)
    return results, seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", default="target/release/latent-is", help="our program")
    parser.add_argument("--rows", type=int, default=2000)
    parser.add_argument("--repetitions", type=int, default=3, help="tables of each distribution")
    parser.add_argument("--first-seed", type=int, default=1000)
    parser.add_argument("--only", default="", help="distributions whose name contains this")
    options = parser.parse_args()
    warnings.filterwarnings("ignore")
    torch.set_num_threads(1)
    ot.Log.Show(ot.Log.NONE)
    ot.TBB.Disable()

    program = str(pathlib.Path(options.program).resolve())
    version = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    methods = {"latent-is": ours(program), "zuko NSF": spline_flow(zuko_flow, 1), "nflows RQ": spline_flow(nflows_flow, 2),
               "OT copula": copula, "Pareto tail": pareto_tail}
    names = [name for name in DISTRIBUTIONS if options.only in name]
    seeds = range(options.first_seed, options.first_seed + options.repetitions)
    peers = ", ".join(f"{name} {installed(name)}" for name in ["zuko", "nflows", "torch", "openturns", "numpy", "scipy"])
    print(f"{version}; {peers}, Python {platform.python_version()}; {platform.system()} {platform.machine()}, one thread")
    print(" ".join(["python benches/peers/tails.py", *sys.argv[1:]]))
    print(f"{len(names)} distributions, {len(seeds)} tables of {options.rows} rows from each, seeds from {seeds[0]}: "
          f"{len(names) * len(seeds)} tables per row below\n")
    results, seconds = run(methods, names, seeds, options.rows)
    by_probability(results, methods, PROBABILITIES)
    print()
    by_distribution(results, methods, names, PROBABILITIES)
    print("\nseconds per table, median: " + ", ".join(f"{m} {np.median(seconds[m]):.1f}" for m in methods))


if __name__ == "__main__":
    main()
