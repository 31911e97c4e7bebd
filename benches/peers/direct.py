"""Accuracy of methods that run the simulator, with the same number of runs: ours and those of OpenTURNS.

    pip install openturns==1.27.post1 numpy==2.4.6 scipy==1.17.1
    python benches/peers/direct.py --program target/release/latent-is

The examples, references and columns are those of models.py beside it; here no method stops at a target. Ours spend
`--budget`; subset simulation of OpenTURNS has as many draws per level as make the runs with the levels that the event
needs, NAIS in the same way, crude Monte Carlo all of them at once.
"""

import argparse
import json
import math
import os
import pathlib
import platform
import subprocess
import sys
import tempfile

import models
import numpy as np

# The sum of 100 exponential times with a limit that is not rare.
SHIFTED = "100 inputs, 4e-3"
LIMIT = 128.6
models.EXAMPLES[SHIFTED] = (models.total, models.TIMES, "at_least", LIMIT, lambda: models.total_reference(LIMIT))
EXAMPLES = ["brake 75", "brake 85", "brake 95", "four modes", SHIFTED, "100 inputs"]
OURS = ["certified", "sis", "subset", "adaptive"]
# Mixtures in all coordinates are for few of them.
FEW = 30


def ours(program, folder, method, runs, seed):
    """One run of our program."""
    result = folder / "result.json"
    result.unlink(missing_ok=True)
    command = [program, "estimate", "--model", "model.toml", "--criterion", "failure.toml", "--json", result]
    command += ["--store", folder / f"store-{method}-{seed}", "--seed", str(seed), "--method", method]
    command += ["--target-cov", "0.0001", "--budget", str(runs)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode == 1 or not result.exists():
        return 0.0, 0.0, 0.0, runs, f"exit {done.returncode}"
    answer = json.loads(result.read_text())
    ends = answer["interval"]["ln_lower"], answer["interval"]["ln_upper"]
    low, high = (math.exp(float(end)) if end is not None else 0.0 for end in ends)
    evaluations = answer["estimate"]["counts"]["evaluations"]
    return answer["probability"] or 0.0, low, high, evaluations, f"exit {done.returncode}"


def peers(pf, runs):
    """Methods of OpenTURNS with about `runs` runs."""
    import openturns as ot

    levels = max(1, math.ceil(math.log(pf) / math.log(0.1)))

    def monte_carlo(failure):
        algorithm = ot.ProbabilitySimulationAlgorithm(failure, ot.MonteCarloExperiment())
        algorithm.setBlockSize(1000)
        algorithm.setMaximumOuterSampling(runs // 1000)
        algorithm.setMaximumCoefficientOfVariation(0.0)
        return algorithm

    def subset(failure):
        algorithm = ot.SubsetSampling(failure)
        algorithm.setMaximumOuterSampling(runs // levels // 100)
        algorithm.setBlockSize(100)
        return algorithm

    def nais(failure):
        algorithm = ot.NAIS(ot.StandardEvent(failure), 0.1)
        algorithm.setMaximumOuterSampling(runs // (levels + 1) // 1000)
        algorithm.setBlockSize(1000)
        return algorithm

    return {"OT Monte Carlo": monte_carlo, "OT subset": subset, "OT NAIS": nais}


def compare(options):
    import openturns as ot

    ot.Log.Show(ot.Log.NONE)
    ot.TBB.Disable()
    program = str(pathlib.Path(options.program).resolve())
    version = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    print(f"{version}; openturns {ot.__version__}, numpy {np.__version__}; {platform.platform()}, {os.cpu_count()} cores")
    seeds = range(options.first_seed, options.first_seed + options.repetitions)
    print(f"{len(seeds)} repetitions with seeds from {seeds[0]}; {options.runs} runs of the simulator each.")
    models.row(models.HEADER)
    for name in EXAMPLES:
        if options.only not in name:
            continue
        pf = models.EXAMPLES[name][-1]()
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            models.write_model(folder, name)
            path = folder / "model.toml"
            path.write_text(path.read_text().replace(SHIFTED, "100 inputs"))  # the same simulator
            few = len(models.EXAMPLES[name][1]) <= FEW
            for method in OURS if few else OURS[:3]:
                results = [ours(program, folder, method, options.runs, seed) for seed in seeds]
                models.summary(name, pf, f"our {method}", results)
        for method, make in peers(pf, options.runs).items():
            models.summary(name, pf, method, [models.theirs(make, name, seed) for seed in seeds])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", default="target/release/latent-is", help="our program")
    parser.add_argument("--runs", type=int, default=100_000)
    parser.add_argument("--repetitions", type=int, default=20)
    parser.add_argument("--first-seed", type=int, default=3000)
    parser.add_argument("--only", default="", help="examples whose name contains this")
    compare(parser.parse_args())


if __name__ == "__main__":
    main()
