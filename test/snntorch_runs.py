# Copyright 2026 the snn_perception developers
#
# Licensed under the Apache License, Version 2.0 (the "License");
# you may not use this file except in compliance with the License.
# You may obtain a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS,
# WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
# See the License for the specific language governing permissions and
# limitations under the License.

"""Networks run here and on modules of snnTorch, step by step."""

from __future__ import annotations

import nir
import numpy as np
import snntorch
import torch

from snn_perception.backends.reference import ReferenceSimulator


def our_run(model, image, steps):
    """Spikes of each layer, (steps, channels, height, width), and outputs (steps, classes)."""
    simulator = ReferenceSimulator(model)
    memory = simulator.rest(1)
    spikes, outputs = [], []
    for _ in range(steps):
        spiked, output = simulator.step(memory, image[None])
        spikes.append([layer[0].transpose(2, 0, 1) for layer in spiked])
        outputs.append(output[0])
    return [np.array(layer) for layer in zip(*spikes, strict=True)], np.array(outputs)


def their_run(network, image, steps):
    """The same of a module of nirtorch, the layers in the order of their names."""
    spikes = {}
    for name, module in network.named_modules():
        if isinstance(module, snntorch.Leaky | snntorch.Synaptic):

            def record(module, inputs, output, name=name):
                spikes.setdefault(name, []).append(output.numpy().copy())

            module.register_forward_hook(record)
    inputs = torch.from_numpy(image.transpose(2, 0, 1).copy()).to(next(network.parameters()).dtype)
    state, outputs = None, []
    with torch.inference_mode():
        for _ in range(steps):
            output, state = network(inputs) if state is None else network(inputs, state)
            outputs.append(output.numpy().ravel().copy())
    return [np.array(spikes[name]) for name in sorted(spikes)], np.array(outputs)


def assert_same_spikes(ours, theirs, but_for=0.001):
    for mine, other in zip(ours, theirs, strict=True):
        mine, other = (layer.reshape(len(layer), -1).astype(bool) for layer in (mine, other))
        assert mine.any()
        assert (mine != other).sum() <= but_for * mine.sum()


def exact_modules(step):
    """How nirtorch is to run NIR with exact decays, spikes of area 1 and snnTorch's neurons."""

    class Neurons(torch.nn.Module):
        def __init__(self, node):
            super().__init__()
            decay = float(np.exp(-step / node.tau.flat[0]))
            self.gain = 1 - decay
            self.leaky = snntorch.Leaky(
                decay, reset_mechanism='zero', init_hidden=True, reset_delay=False
            )

        def forward(self, current):
            # Its spikes are of float32.
            return self.leaky(self.gain * current).to(current) / step

    class Filter(torch.nn.Module):
        def __init__(self, node):
            super().__init__()
            self.decay = float(np.exp(-step / node.tau.flat[0]))
            self.value = torch.zeros(())

        def forward(self, spikes):
            self.value = self.decay * self.value + (1 - self.decay) * spikes
            return self.value

    class Scale(torch.nn.Module):
        def __init__(self, node):
            super().__init__()
            self.scale = torch.tensor(node.scale)

        def forward(self, values):
            return self.scale * values

    def linear(node):
        module = torch.nn.Linear(*node.weight.shape[::-1], bias=False)
        module.weight.data = torch.tensor(node.weight)
        return module

    def affine(node):
        module = torch.nn.Linear(*node.weight.shape[::-1])
        module.weight.data, module.bias.data = map(torch.tensor, (node.weight, node.bias))
        return module

    def convolution(node):
        channels, inputs, *size = node.weight.shape
        groups, stride, padding = int(node.groups), tuple(node.stride), tuple(node.padding)
        module = torch.nn.Conv2d(inputs * groups, channels, size, stride, padding, groups=groups)
        module.weight.data, module.bias.data = map(torch.tensor, (node.weight, node.bias))
        return module

    weights = {nir.Affine: affine, nir.Linear: linear, nir.Conv2d: convolution, nir.Scale: Scale}
    return {nir.LIF: Neurons, nir.LI: Filter, **weights}
