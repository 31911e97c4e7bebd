"""Writes the `.pt` files of this folder in the layout of `torch.save`, without torch.

`small.pt` and `small_legacy.pt` hold a coupling flow of 2 features with 1 step of width 4, 4 bins, LU layers
and no batch normalisation. `stride_zero.pt` holds one tensor of 2^31 numbers with a stride of 0: 8 GiB from
a file of 8 KB.
"""

import collections
import io
import pickle
import random
import struct
import sys
import types
import zipfile

torch = types.ModuleType("torch")
torch._utils = types.ModuleType("torch._utils")
sys.modules["torch"], sys.modules["torch._utils"] = torch, torch._utils


def _rebuild_tensor_v2():
    """Named in the pickle, never called."""


_rebuild_tensor_v2.__module__ = "torch._utils"
torch._utils._rebuild_tensor_v2 = _rebuild_tensor_v2
for name in ("FloatStorage", "LongStorage"):
    setattr(torch, name, type(name, (), {"__module__": "torch"}))


class Tensor:
    def __init__(self, key, shape, numbers, kind="FloatStorage", stride=None):
        self.key, self.shape, self.numbers, self.kind = key, tuple(shape), numbers, kind
        steps, step = [], 1
        for length in reversed(self.shape):
            steps.insert(0, step)
            step *= length
        self.stride = tuple(steps) if stride is None else stride

    def bytes(self):
        return struct.pack(f"<{len(self.numbers)}{'f' if self.kind == 'FloatStorage' else 'q'}", *self.numbers)

    def __reduce__(self):
        arguments = (self.Storage(self), 0, self.shape, self.stride, False, collections.OrderedDict())
        return _rebuild_tensor_v2, arguments

    class Storage:
        def __init__(self, tensor):
            self.tensor = tensor


def pickled(state, legacy):
    class Pickler(pickle.Pickler):
        def persistent_id(self, value):
            if not isinstance(value, Tensor.Storage):
                return None
            t = value.tensor
            end = (None,) if legacy else ()
            return ("storage", getattr(torch, t.kind), t.key, "cpu", len(t.numbers)) + end

    out = io.BytesIO()
    Pickler(out, protocol=2).dump(state)
    return out.getvalue()


def write_zip(path, state, more=0):
    with zipfile.ZipFile(path, "w") as file:
        def add(name, content):
            file.writestr(zipfile.ZipInfo(f"archive/{name}"), content)

        add("data.pkl", pickled(state, legacy=False))
        add("byteorder", "little")
        for tensor in state.values():
            add(f"data/{tensor.key}", tensor.bytes())
        add("version", "3\n")
        add("padding", bytes(more))


def write_legacy(path, state):
    def plain(value):
        return pickle.dumps(value, protocol=2)

    with open(path, "wb") as file:
        file.write(plain(0x1950A86A20F9469CFC6C) + plain(1001))
        file.write(plain({"protocol_version": 1001, "little_endian": True, "type_sizes": {"short": 2, "int": 4, "long": 4}}))
        file.write(pickled(state, legacy=True))
        file.write(plain([tensor.key for tensor in state.values()]))
        for tensor in state.values():
            file.write(struct.pack("<q", len(tensor.numbers)) + tensor.bytes())


def flow():
    random.seed(1)
    state = collections.OrderedDict()

    def add(name, shape, numbers=None):
        count = 1
        for length in shape:
            count *= length
        kind = "FloatStorage" if numbers is None else "LongStorage"
        numbers = [random.uniform(-0.5, 0.5) for _ in range(count)] if numbers is None else numbers
        state[f"_transform._transforms.{name}"] = Tensor(str(len(state)), shape, numbers, kind)

    def linear(index):
        add(f"{index}._permutation", [2], [1, 0])
        for name, length in [("bias", 2), ("lower_entries", 1), ("upper_entries", 1), ("unconstrained_upper_diag", 2)]:
            add(f"{index + 1}.{name}", [length])

    linear(0)
    add("2.identity_features", [1], [1])
    add("2.transform_features", [1], [0])
    layers = [("initial_layer", 1, 4)]
    layers += [(f"blocks.{b}.linear_layers.{i}", 4, 4) for b in range(2) for i in range(2)]
    for name, inputs, outputs in layers + [("final_layer", 4, 11)]:
        add(f"2.transform_net.{name}.weight", [outputs, inputs])
        add(f"2.transform_net.{name}.bias", [outputs])
    linear(3)
    return state


write_zip("small.pt", flow())
write_legacy("small_legacy.pt", flow())
name = "_transform._transforms.1.bias"
write_zip("stride_zero.pt", {name: Tensor("0", [2**31], [0.5], stride=(0,))}, more=7300)
