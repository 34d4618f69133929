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

import pytest
import torch
from tiny_training import tiny_dataset, tiny_recipe

from snn_perception.training.data import Split, divide
from snn_perception.training.objective import Labels
from snn_perception.training.precision import Precision
from snn_perception.training.trainable import RateNetwork

FLOAT32 = Precision(False, 'the test says so')


@pytest.mark.parametrize('distillation', [0.25, 1.0])
@pytest.mark.parametrize('flip', [True, False])
def test_a_teacher_has_its_part_in_what_is_learned(distillation, flip):
    recipe = tiny_recipe(
        fine_tuning={'epochs': 1, 'label_smoothing': 0.1, 'distillation': distillation},
        augmentation={'flip': flip},
    )
    data = Split(
        *divide(tiny_dataset(), recipe), recipe.preprocessing, augmentation=recipe.augmentation
    )
    teacher = RateNetwork(recipe.network, recipe.noise).eval()
    images, labels = torch.rand(5, 8, 8, 1), torch.tensor([0, 1, 2, 3, 0])
    smoothed = torch.full((5, 4), 0.025) + 0.9 * torch.eye(4)[labels]
    alone = Labels(recipe, recipe.fine_tuning, data, FLOAT32)
    torch.testing.assert_close(alone.targets(images, labels, 4), smoothed)
    taught = Labels(recipe, recipe.fine_tuning, data, FLOAT32, teacher)
    with torch.no_grad():
        views = [teacher(view)[0] for view in (images, images.flip(2))]
    seen = torch.stack(views).mean(dim=0) if flip else views[0]
    expected = distillation * seen.softmax(1) + (1 - distillation) * smoothed
    torch.testing.assert_close(taught.targets(images, labels, 4), expected)
