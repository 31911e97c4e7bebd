"""Rows per second of nflows on torch: densities, inverse and training steps of the paper's flows.

Prints one JSON line a case; the cases are those of peer_flows.rs. Threads: OMP_NUM_THREADS. Device:
PEER_DEVICE, where wgpu stands for the GPU that torch calls cuda. The notes give rows per second of
processor time. A first argument restricts the cases to those that contain it.
"""

import json
import os
import resource
import sys
import time
import warnings

import torch
from nflows.distributions.normal import StandardNormal
from nflows.flows.base import Flow
from nflows.nn.nets import ResidualNet
from nflows.transforms import (
    CompositeTransform,
    LULinear,
    PiecewiseRationalQuadraticCouplingTransform,
    ReversePermutation,
)
from nflows.utils.torchutils import create_alternating_binary_mask

# name, features, hidden units, steps; the same list stands in benches/src/flows.rs
ARCHITECTURES = [("robot", 3, 256, 5), ("racecar", 8, 256, 10), ("f16", 12, 256, 15)]


def flow(features, hidden, steps):
    """The layers that flow_core::FlowConfig describes with its defaults."""

    def linear():
        return [ReversePermutation(features), LULinear(features, identity_init=True)]

    def net(inputs, outputs):
        return ResidualNet(inputs, outputs, hidden_features=hidden, num_blocks=2, use_batch_norm=True)

    layers = []
    for step in range(steps):
        mask = create_alternating_binary_mask(features, even=step % 2 == 0)
        coupling = PiecewiseRationalQuadraticCouplingTransform(
            mask, net, num_bins=8, tails="linear", tail_bound=3.0
        )
        layers += [*linear(), coupling]
    return Flow(CompositeTransform([*layers, *linear()]), StandardNormal([features]))


def points(features, n, device):
    """The points of benches::flows::points, [n, features]."""
    i, j = torch.arange(features, dtype=torch.float64), torch.arange(n, dtype=torch.float64)
    return (1.5 * torch.sin((i * 7 + 1)[None, :] * (j + 1)[:, None] * 0.618)).float().to(device)


def case(name, rows, work, device):
    def run():
        work()
        if device == "cuda":
            torch.cuda.synchronize()

    if len(sys.argv) > 1 and sys.argv[1] not in name:
        return
    wall, cpu = float("inf"), float("inf")
    run()
    for _ in range(4):
        start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF).ru_utime
        run()
        wall = min(wall, time.perf_counter() - start)
        cpu = min(cpu, resource.getrusage(resource.RUSAGE_SELF).ru_utime - before)
    note = f"{rows / cpu:.0f} rows per CPU second"
    print(json.dumps({"case": name, "value": rows / wall, "unit": "1/s", "note": note}), flush=True)


def main():
    warnings.filterwarnings("ignore", message="torch.triangular_solve is deprecated")
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    torch.manual_seed(1)
    device = "cuda" if os.environ.get("PEER_DEVICE") == "wgpu" else "cpu"
    large = [(8192, 4)] if device == "cuda" else []
    for name, features, hidden, steps in ARCHITECTURES:
        model = flow(features, hidden, steps).to(device).eval()
        with torch.no_grad():
            for n in [10_000, 100_000]:
                # Blocks of 10,000: in one piece, 100,000 rows would be slower for want of cache.
                blocks = points(features, n, device).split(10_000)
                density, inverse = model.log_prob, model._transform.inverse
                case(f"{name} ln_pdf, {n} rows", n, lambda: [density(x) for x in blocks], device)
                case(f"{name} decode, {n} rows", n, lambda: [inverse(x) for x in blocks], device)
        model.train()
        for batch, count in [(128, 16), (1024, 4), *large]:
            adam = torch.optim.Adam(model.parameters(), lr=1e-3)
            batches = points(features, count * batch, device).split(batch)

            def epoch():
                for x in batches:
                    adam.zero_grad()
                    loss = -model.log_prob(x).mean()
                    loss.backward()
                    torch.nn.utils.clip_grad_norm_(model.parameters(), 5.0)
                    adam.step()

            case(f"{name} training, batch {batch}", count * batch, epoch, device)


if __name__ == "__main__":
    main()
