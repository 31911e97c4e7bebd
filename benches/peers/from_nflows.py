"""Trains a small nflows model, saves it both ways and compares log-densities with ours.

    cargo xtask peers --only flows                      # makes the Python environment, among other things
    target/peers/venv-flows/bin/python benches/peers/from_nflows.py

Ends with an error if the programs differ by more than single precision explains.
"""

import json
import math
import pathlib
import subprocess
import sys
import tempfile
import warnings

import torch
from safetensors.torch import save_file

from flows import flow

FEATURES, HIDDEN, STEPS = 3, 32, 3
CONFIG = {
    "features": FEATURES,
    "base": "rq-c",
    "hidden": HIDDEN,
    "steps": STEPS,
    "bins": 8,
    "tail_bound": 3.0,
    "linear": "lu",
    "batch_norm": True,
    "dropout": 0.0,
}
# Rounding of single precision through three spline layers; torch's own is printed beside it.
LARGEST = 1e-3


def data(n):
    """A crescent with a third feature that follows it."""
    u = torch.randn(n, 3)
    return torch.stack([u[:, 0], 0.5 * u[:, 1] + 0.6 * (u[:, 0] ** 2 - 1), 0.7 * u[:, 0] + 0.7 * u[:, 2]], 1)


def train():
    model = flow(FEATURES, HIDDEN, STEPS)
    adam = torch.optim.Adam(model.parameters(), lr=3e-3)
    for _ in range(300):
        loss = -model.log_prob(data(256)).mean()
        adam.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 5.0)
        adam.step()
    print(f"trained for 300 steps; last loss {loss.item():.3f}")
    return model.eval()


def ours(weights, config, points):
    command = ["cargo", "run", "--quiet", "--release", "--package", "flow-core", "--example", "from_nflows"]
    text = "\n".join(" ".join(repr(v) for v in row) for row in points.tolist())
    root = pathlib.Path(__file__).parents[2]
    run = subprocess.run(
        [*command, "--", weights, config], input=text, cwd=root, text=True, check=True, stdout=subprocess.PIPE
    )
    return torch.tensor([float(line) for line in run.stdout.split()], dtype=torch.float64)


def main():
    warnings.filterwarnings("ignore", message="torch.triangular_solve is deprecated")
    torch.manual_seed(0)
    model = train()
    points = torch.cat([data(1000), 3 * torch.randn(1000, FEATURES)])
    with tempfile.TemporaryDirectory() as folder, torch.no_grad():
        folder = pathlib.Path(folder)
        torch.save(model.state_dict(), folder / "flow.pt")
        save_file(model.state_dict(), folder / "flow.safetensors")
        (folder / "config.json").write_text(json.dumps(CONFIG))
        single = model.log_prob(points).double()
        exact = model.double().log_prob(points.double())
        torchs = (single - exact).abs().max().item()
        print(f"largest difference to torch in double precision over {len(points)} points:")
        print(f"  {'torch in single precision':28} {torchs:.1e}")
        for name in ["flow.pt", "flow.safetensors"]:
            difference = (ours(folder / name, folder / "config.json", points) - exact).abs().max().item()
            print(f"  {'ours from ' + name:28} {difference:.1e}")
            if not difference <= max(LARGEST, 3 * torchs) or math.isnan(difference):
                sys.exit(f"the programs disagree by {difference}")


if __name__ == "__main__":
    main()
