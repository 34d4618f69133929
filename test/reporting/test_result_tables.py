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

from random_models import random_images, random_model

from snn_perception.evaluation import agreement
from snn_perception.reporting.result_tables import layer_table


def test_the_table_has_a_row_for_each_layer_of_neurons():
    model = random_model()
    layers = agreement.spikes_with_rates(model, random_images(model, 2))
    head, *rows = layer_table(model, layers, 'in rates', 'on spikes')
    assert head[1:3] == ('in rates', 'on spikes')
    assert len(rows) == len(model.network.populations) - 1
    assert rows[0][2] == f'{layers[0].found:.1f} Hz'
