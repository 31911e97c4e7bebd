"""The other side of UM-Bridge, from PyPI, for tests by hand (`pip install umbridge==1.2.10`).

Their server, our client:

    python peer.py serve 4242
    cargo run -p programs --example ask "um_bridge = 'http://localhost:4242'"

Our server, their client:

    cargo run -p programs --example serve 127.0.0.1:4243
    python peer.py ask http://localhost:4243
"""

import math
import sys

import umbridge


class SumAndProduct(umbridge.Model):
    def __init__(self):
        super().__init__("forward")

    def get_input_sizes(self, config):
        return [2]

    def get_output_sizes(self, config):
        return [2]

    def supports_evaluate(self):
        return True

    def __call__(self, parameters, config):
        a, b = parameters[0]
        if a < 0:
            raise ValueError("a is negative")
        return [[a + b, math.nan if b == 3.0 else a * b]]


def ask(url):
    model = umbridge.HTTPModel(url, "forward")
    print(umbridge.supported_models(url), model.get_input_sizes(), model.get_output_sizes())
    assert model([[0.5, 0.25]]) == [[0.75, 0.125]]
    assert model([[1e-300, 1e300]], {"seed": 2**64 - 1}) == [[1e300, 1e-300 * 1e300]]
    assert not model.supports_gradient()
    for wrong in ([[-1.0, 0.0]], [[1.0]]):
        try:
            print("no error:", model(wrong))
        except Exception as error:
            print(type(error).__name__, error)
    try:
        umbridge.HTTPModel(url, "other")
    except Exception as error:
        print(type(error).__name__, error)


if sys.argv[1] == "serve":
    umbridge.serve_models([SumAndProduct()], int(sys.argv[2]))
else:
    ask(sys.argv[2])
