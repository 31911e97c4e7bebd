"""Makes a Python function a model for mode "stream". Copy this file beside your script, and end that with

    from latent_is import serve
    serve(simulate)  # simulate(inputs, seed) takes a dict and a whole number, and returns a dict of outputs
"""

import json
import math
import sys


def serve(simulate):
    answers, sys.stdout = sys.stdout, sys.stderr  # what the model prints is no answer
    for line in sys.stdin:
        request = json.loads(line)
        try:
            outputs = simulate(request["inputs"], request["seed"])
            outputs = {name: float(value) for name, value in outputs.items()}
            answer = {"outputs": {n: v if math.isfinite(v) else None for n, v in outputs.items()}}
        except Exception as error:  # the sample has no outcome; the next one may
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps({"id": request["id"], **answer}), file=answers, flush=True)
