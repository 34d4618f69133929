from __future__ import annotations

from random_models import random_images, random_model

from snn_perception.evaluation import agreement
from snn_perception.reporting.result_tables import layer_table


def test_the_table_has_a_row_for_each_layer_of_neurons():
    model = random_model()
    layers = agreement.spikes_with_rates(model, random_images(model, 2))
    head, *rows = layer_table(model, layers, 'in rates', 'on spikes')
    assert head[1:3] == ('in rates', 'on spikes')
    assert len(rows) == len(model.network.stages) - 1
    assert rows[0][2] == f'{layers[0].found:.1f} Hz'
