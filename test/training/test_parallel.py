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

from __future__ import annotations

import threading

import pytest
import torch
from torch import nn

from snn_perception.training.parallel import SMALLEST_PART, DataParallel, threads_per_operation

BATCH = 3 * SMALLEST_PART + 1
RANDOM = torch.Generator().manual_seed(1)
INPUTS, TARGETS = (torch.randn(200, size, generator=RANDOM).double() for size in (4, 2))


@pytest.fixture(params=[1, 2, 3])
def threads(request):
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


def make_network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 2)).double()


def squared_error(network, indices, part):
    return (network(INPUTS[indices]) - TARGETS[indices]).square().mean()


def test_loss_and_gradient_are_those_of_the_whole_batch(threads):
    indices = torch.arange(BATCH)
    network = make_network()
    loss = DataParallel(network, 'cpu', BATCH).differentiate(squared_error, indices)
    alone = make_network()
    expected = squared_error(alone, indices, 0)
    expected.backward()
    assert loss == pytest.approx(expected.item(), rel=1e-12)
    for parameter, other in zip(network.parameters(), alone.parameters(), strict=True):
        assert torch.allclose(parameter.grad, other.grad, rtol=1e-9, atol=1e-12)


def test_each_thread_has_a_part_of_the_images_and_its_number(threads):
    seen = {}

    def loss(network, indices, part):
        seen[part] = indices
        return squared_error(network, indices, part)

    indices = torch.arange(BATCH)
    DataParallel(make_network(), 'cpu', BATCH).differentiate(loss, indices)
    assert sorted(seen) == list(range(threads))
    assert torch.equal(torch.cat([seen[part] for part in sorted(seen)]), indices)


def test_small_batches_are_not_divided(threads):
    parallel = DataParallel(make_network(), 'cpu', 2 * SMALLEST_PART - 1)
    assert len(parallel.replicas) == 1


def test_statistics_become_the_mean_of_those_of_the_parts(threads):
    network = nn.BatchNorm1d(4, momentum=1.0).double()
    parallel = DataParallel(network, 'cpu', BATCH)
    indices = torch.arange(BATCH)
    parallel.differentiate(lambda module, share, part: module(INPUTS[share]).sum(), indices)
    parts = [INPUTS[share].mean(dim=0) for share in indices.tensor_split(threads)]
    for replica in parallel.replicas:
        assert torch.allclose(replica.running_mean, torch.stack(parts).mean(dim=0))


def test_an_error_in_a_part_is_raised(threads):
    def loss(network, indices, part):
        if part == threads - 1:
            raise ValueError('no such image')
        return squared_error(network, indices, part)

    with pytest.raises(ValueError, match='no such image'):
        DataParallel(make_network(), 'cpu', BATCH).differentiate(loss, torch.arange(BATCH))


def test_its_threads_end_with_it(threads):
    before = set(threading.enumerate())
    with DataParallel(make_network(), 'cpu', BATCH) as parallel:
        parallel.differentiate(squared_error, torch.arange(BATCH))
        own = set(threading.enumerate()) - before
    assert own
    assert not any(thread.is_alive() for thread in own)


def test_map_keeps_the_order_and_makes_no_gradients(threads):
    network = make_network()
    parallel = DataParallel(network, 'cpu', BATCH)
    outputs = list(parallel.map(lambda part: network(INPUTS[part]), torch.arange(200).split(7)))
    assert not any(output.requires_grad for output in outputs)
    assert torch.allclose(torch.cat(outputs), network(INPUTS))


def test_threads_per_operation_gives_the_threads_back(threads):
    with threads_per_operation(1):
        assert torch.get_num_threads() == 1
    assert torch.get_num_threads() == threads
