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

"""Where to look: regions and views are what their words say, and their answers what they join."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import astuple, fields, replace
from typing import Any

import colour_model
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from snn_perception.backends import Simulator, create_simulator
from snn_perception.decision import Decision
from snn_perception.images import Preprocessing, prepare
from snn_perception.readout import Readout
from snn_perception.record import Record
from snn_perception.views import Region, Views, check_roi, prepare_views, region_of, seen_regions

Engine = Callable[..., Simulator]
SIDES = st.integers(1, 700)
GRIDS = st.sampled_from(['1x1', '2x1', '1x2', '2x2', '3x2', '4x3', '5x3', '1x16', '16x1'])
SQUARE = Preprocessing((8, 8, 3))
RANDOM = np.random.default_rng(0)


@pytest.mark.parametrize(
    ('text', 'count', 'plain'),
    [
        ('frame', 1, 'frame'),
        ('centre', 1, 'centre'),
        ('frame best', 1, 'frame'),
        ('frame mean', 1, 'frame'),
        ('grid 1x1 best', 1, 'grid 1x1'),
        ('grid 2x2 best', 4, 'grid 2x2 best'),
        ('  grid  3x2   mean ', 6, 'grid 3x2 mean'),
        ('frame+grid 2x2 best', 5, 'frame + grid 2x2 best'),
        ('frame + centre + grid 2x7 mean', 16, 'frame + centre + grid 2x7 mean'),
    ],
)
def test_views_are_named_in_words(text: str, count: int, plain: str) -> None:
    views = Views.parse(text)
    assert (views.count, str(views)) == (count, plain)
    assert Views.parse(str(views)) == views
    assert len(views.regions(480, 640, SQUARE)) == count


@pytest.mark.parametrize(
    'text',
    ['', 'best', 'center', 'Frame', 'grid', 'grid 2 best', 'grid 2x2', 'grid 0x2 best', '+',
     'grid 2x-1 best', 'grid 5x4 best', 'grid 2x2 worst', 'frame + centre', 'frame +',
     'frame, best', 'grid 2x2 best mean', 'best frame', 'grid 9999999x1 best', 'grid 1.5x2 best'],
)  # fmt: skip
def test_other_words_are_refused_with_those_that_are_allowed(text: str) -> None:
    with pytest.raises(ValueError, match=r'views must be frame, centre, a grid .* not ') as caught:
        Views.parse(text)
    assert "'frame + grid 3x2 best'" in str(caught.value)
    assert str(caught.value).endswith(f'not {text!r}')


@pytest.mark.parametrize(
    'roi',
    [(0, 0, 1), (0, 0, 0, 1), (0, 0, 1, 0), (0.5, 0, 0.6, 1), (0, 0.01, 1, 1), (-0.1, 0, 0.5, 0.5),
     (0, 0, float('nan'), 1), (float('nan'), 0, 1, 1), (0, 0, float('inf'), 1), (9, 9, 99, 99)],
)  # fmt: skip
def test_a_region_that_is_no_part_of_the_frame_is_refused(roi: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match=r'roi must be x, y, width and height as shares of the'):
        check_roi(roi)


def test_a_region_between_the_pixels_of_a_frame_is_refused() -> None:
    roi = (0.5, 0.5, 0.001, 0.001)
    assert region_of(roi, 4000, 4000) == (2000, 2000, 4, 4)
    with pytest.raises(ValueError, match=r'is smaller than a pixel of the frame, .* 64 x 48'):
        region_of(roi, 48, 64)


@given(rows=SIDES, columns=SIDES, parts=st.integers(1, 12))
def test_regions_side_by_side_have_every_pixel_once(rows: int, columns: int, parts: int) -> None:
    seen = np.zeros((rows, columns), int)
    for part in range(parts):
        roi = (part / parts, 0.0, 1 / parts, 1.0)
        if columns >= parts:
            region_of(roi, rows, columns).of(seen)[:] += 1
    assert (seen == (columns >= parts)).all()


@given(rows=SIDES, columns=SIDES, grid=GRIDS, fit=st.sampled_from(['pad', 'stretch']))
def test_the_crops_of_a_grid_cover_the_frame_and_have_one_size(
    rows: int, columns: int, grid: str, fit: str
) -> None:
    regions = Views.parse(f'grid {grid} best').regions(rows, columns, replace(SQUARE, fit=fit))
    seen = np.zeros((rows, columns), bool)
    for region in regions:
        assert region.of(seen).shape == (region.height, region.width) == regions[0][:1:-1]
        region.of(seen)[:] = True
    assert seen.all()


@given(grid=st.tuples(st.integers(1, 4), st.integers(1, 4)), rows=SIDES, columns=SIDES)
def test_crops_have_the_aspect_of_a_network_that_would_cut_them_and_cover_what_they_can(
    grid: tuple[int, int], rows: int, columns: int
) -> None:
    regions = Views.parse('grid {}x{} best'.format(*grid)).regions(rows, columns, SQUARE)
    seen = np.zeros((rows, columns), bool)
    for region in regions:
        assert abs(region.width - region.height) <= 1
        region.of(seen)[:] = True
    covered = [
        min(pixels, crops * regions[0][axis])
        for axis, pixels, crops in ((2, columns, grid[0]), (3, rows, grid[1]))
    ]
    assert seen.sum() == covered[0] * covered[1]
    assert seen.all() == (columns <= grid[0] * rows and rows <= grid[1] * columns)


def test_what_lies_where_two_crops_meet_is_whole_in_one() -> None:
    for grid in ('2x2', '3x2', '4x3', '4x4'):
        regions = Views.parse(f'grid {grid} best').regions(480, 640, SQUARE)
        side = regions[0].width // 4 - 1
        for x in range(0, 640 - side, 5):
            assert any(one.left <= x and x + side <= one.left + one.width for one in regions)
        for y in range(0, 480 - side, 5):
            assert any(one.top <= y and y + side <= one.top + one.height for one in regions)


def test_the_centre_is_the_middle_half_of_width_and_height() -> None:
    assert Views.parse('centre').regions(480, 640, SQUARE) == [(160, 120, 320, 240)]


@given(
    shape=st.tuples(st.integers(1, 60), st.integers(1, 60), st.just(3)),
    words=st.sampled_from(['frame', 'centre', 'frame + centre + grid 3x2 mean', 'grid 1x1']),
    fit=st.sampled_from(['crop', 'pad', 'stretch']),
    edges=st.tuples(*[st.integers(0, 4)] * 4),
)
def test_a_view_equals_cutting_by_hand_and_preparing(
    shape: tuple[int, int, int], words: str, fit: str, edges: tuple[int, int, int, int]
) -> None:
    image = RANDOM.integers(0, 256, shape, np.uint8)
    preprocessing, views = replace(SQUARE, fit=fit), Views.parse(words)
    left, top = edges[0] * shape[1] // 5, edges[1] * shape[0] // 5
    width = max(1, (shape[1] - left) * edges[2] // 4)
    height = max(1, (shape[0] - top) * edges[3] // 4)
    cut = image[top : top + height, left : left + width]
    roi = (left / shape[1], top / shape[0], width / shape[1], height / shape[0])
    prepared = prepare_views(image, preprocessing, views, roi)
    regions = views.regions(height, width, preprocessing)
    assert len(prepared) == len(regions) == views.count
    for (x, y, across, down), found in zip(regions, prepared, strict=True):
        expected = prepare(cut[y : y + down, x : x + across], preprocessing)
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize('fit', ['crop', 'stretch'])
@pytest.mark.parametrize('roi', [(0, 0, 240, 200), (40, 20, 100, 60), (10, 30, 80, 160)])
@pytest.mark.parametrize('shape', [(8, 8, 1), (8, 16, 1), (16, 8, 1)])
@pytest.mark.parametrize('centre', [1.0, 0.875, 0.5])
@pytest.mark.parametrize('words', ['frame', 'centre + grid 2x2 best'])
def test_the_network_sees_the_regions_that_become_its_inputs(
    fit: str, roi: tuple[int, ...], shape: tuple[int, int, int], centre: float, words: str
) -> None:
    rows, columns = np.mgrid[:200, :240].astype(np.uint8)
    preprocessing, views = Preprocessing(shape, fit=fit, centre=centre), Views.parse(words)
    shares = (roi[0] / 240, roi[1] / 200, roi[2] / 240, roi[3] / 200)
    regions = seen_regions(200, 240, preprocessing, views, shares)
    assert len(regions) == views.count
    for values, axis, pixels in ((columns, 0, shape[1]), (rows, 1, shape[0])):
        inputs = 255 * prepare_views(values, preprocessing, views, shares)
        for seen, region in zip(inputs, regions, strict=True):
            start, extent = region[axis], region[axis + 2]
            assert seen.mean() == pytest.approx(start + extent / 2, abs=1.5)
            if extent > pixels:
                spread = extent * (1 - 1 / pixels)
                assert seen.max() - seen.min() == pytest.approx(spread, abs=2.5)


def test_a_padded_view_is_seen_as_a_whole() -> None:
    padded = Preprocessing((8, 8, 3), fit='pad')
    assert seen_regions(480, 640, padded) == [(0, 0, 640, 480)]
    assert seen_regions(480, 640, padded, Views.parse('centre')) == [(160, 120, 320, 240)]


def test_a_part_of_an_image_is_a_view_of_its_memory() -> None:
    image = np.zeros((48, 64, 3), np.uint8)
    inner = Region(3, 4, 20, 30)
    assert np.shares_memory(inner.of(image), image)
    assert inner.inside(Region(5, 6, 40, 40)) == (8, 10, 20, 30)


# --- decisions ---


def spotted(colour: str, left: int, top: int, side: int = 12) -> np.ndarray:
    """A dark image of 48 x 64 pixels with a square of `colour`."""
    image = np.full((48, 64, 3), 40, np.uint8)
    image[top : top + side, left : left + side] = colour_model.COLOURS[colour]
    return image


@pytest.fixture(params=['reference', 'event', 'torch'])
def engine(request: pytest.FixtureRequest) -> Engine:
    """Makes simulators of one engine, of the model of colours with a readout of one's own."""

    def create(**readout: Any) -> Simulator:
        model = colour_model.build()
        return create_simulator(
            replace(model, readout=replace(model.readout, **readout)), request.param
        )

    return create


def alone(simulator: Simulator, image: np.ndarray, views: str, **options: Any) -> list[Decision]:
    """The answers to the views of `image`, each shown by itself."""
    inputs = prepare_views(image, simulator.model.preprocessing, Views.parse(views))
    return [simulator.classify_batch(one[None], **options)[0] for one in inputs]


def same(one: Decision, other: Decision) -> bool:
    """Whether two answers are the same, and cost the same."""
    return all(
        np.array_equal(getattr(one, field.name), getattr(other, field.name))
        for field in fields(one)
        if field.name != 'activity'
    ) and all(map(np.array_equal, astuple(one.activity), astuple(other.activity)))


def total(decisions: list[Decision]) -> list[list[int]]:
    """The counts of `decisions`, summed."""
    return np.sum([astuple(one.activity) for one in decisions], axis=0).tolist()


def test_a_small_thing_is_found_by_the_best_of_a_grid(engine: Engine) -> None:
    simulator, image = engine(), spotted('green', 50, 2)
    assert simulator.classify(image).score == pytest.approx(1 / 3, abs=0.01)
    answer = simulator.classify(image, views='grid 4x3 best')
    assert (answer.label, answer.view) == ('green', 3)
    assert answer.score > 0.4


@pytest.mark.parametrize('mirror', [False, True])
@pytest.mark.parametrize('views', ['frame', 'grid 1x1', 'grid 1x1 best', 'frame mean'])
def test_a_single_view_of_all_is_the_plain_answer(
    engine: Engine, views: str, mirror: bool
) -> None:
    simulator, image = engine(mirror=mirror), spotted('red', 30, 20)
    assert same(simulator.classify(image, views=views), simulator.classify(image))


def test_a_region_is_all_that_counts(engine: Engine) -> None:
    simulator, image = engine(), spotted('blue', 20, 24)
    answer = simulator.classify(image, roi=(0.25, 0.5, 0.5, 0.5), views='grid 2x1 best')
    assert same(answer, simulator.classify(image[24:, 16:48], views='grid 2x1 best'))


@pytest.mark.parametrize('mirror', [False, True])
def test_the_best_view_has_the_answer_that_it_has_alone_at_the_cost_of_all(
    engine: Engine, mirror: bool
) -> None:
    simulator, views = engine(mirror=mirror), 'frame + grid 2x2 best'
    image = spotted('blue', 5, 20, 24)
    singles = alone(simulator, image, views)
    answer = simulator.classify(image, views=views)
    best = max(singles, key=lambda one: one.score)
    assert answer.view == singles.index(best) == 3
    np.testing.assert_allclose(answer.scores, best.scores, rtol=1e-5)
    assert np.array(astuple(answer.activity)).tolist() == total(singles)
    assert answer.macs == 5 * best.macs
    assert answer.neurons == 5 * best.neurons
    assert answer.firing_rate == pytest.approx(np.mean([one.firing_rate for one in singles]))


@pytest.mark.parametrize('mirror', [False, True])
def test_the_mean_of_the_views_is_that_of_their_outputs(engine: Engine, mirror: bool) -> None:
    simulator, views = engine(mirror=mirror), Views.parse('frame + grid 2x2 mean')
    model = simulator.model
    inputs = prepare_views(spotted('blue', 5, 20, 24), model.preprocessing, views)
    steps = round(model.presentation_time / model.dt)
    activity = simulator.run(simulator.reset(5), inputs, steps)
    answer = simulator.classify_batch(inputs, views=views)[0]
    evidence = activity.outputs.mean(axis=(0, 1))
    expected = model.readout.scores(evidence, model.presentation_time)
    np.testing.assert_allclose(answer.scores, expected, rtol=1e-5)
    assert answer.view is None
    assert answer.activity.spikes.tolist() == activity.spikes.sum(axis=0).tolist()


def test_the_best_of_the_views_falls_when_the_first_of_them_is_confident(engine: Engine) -> None:
    hurry = {'confidence_threshold': 0.4, 'decision_interval': 0.003, 'presentation_time': 0.05}
    simulator, image = engine(**hurry), spotted('red', 40, 2)
    singles = alone(simulator, image, 'grid 4x3 best')
    answer = simulator.classify(image, views='grid 4x3 best')
    times = [one.simulated_time for one in singles]
    assert answer.simulated_time == min(times) < max(times)
    assert (answer.stopped_by, answer.label) == ('confidence', 'red')
    patient = engine(confidence_threshold=1.0, presentation_time=min(times))
    assert np.array(astuple(answer.activity)).tolist() == total(
        alone(patient, image, 'grid 4x3 best')
    )


def test_the_best_view_is_one_that_is_not_rejected_if_there_is_any() -> None:
    evidence = np.array([[3.0, 0], [3, 0], [2, 0], [2, 0], [0, 1], [0, 1]])
    rejected = np.array([True, True, True, False, False, True])

    def score(values: np.ndarray) -> np.ndarray:
        return Readout(0.1).scores(values, 0.1)

    views = Views.parse('grid 3x1 best')
    scores, best = views.join(evidence, score, rejected)
    assert best.tolist() == [2, 1]
    np.testing.assert_allclose(scores, score(np.array([[0, 1], [2, 0]])))
    assert views.join(evidence, score)[1].tolist() == [0, 0]
    assert views.join(evidence, score, np.ones(6, bool))[1].tolist() == [0, 0]


def test_images_with_several_views_are_decided_together_as_if_each_were_alone(
    engine: Engine,
) -> None:
    simulator, views = engine(confidence_threshold=0.42), Views.parse('grid 3x2 best')
    images = [
        spotted(colour, 20 * place, 20, 20) for place, colour in enumerate(colour_model.LABELS)
    ]
    inputs = [prepare_views(one, simulator.model.preprocessing, views) for one in images]
    together = simulator.classify_batch(np.stack(inputs, axis=1).reshape(-1, 8, 8, 3), views=views)
    assert [one.label for one in together] == list(colour_model.LABELS)
    for image, found in zip(images, together, strict=True):
        assert same(found, simulator.classify(image, views=views))


def test_a_record_has_the_spikes_of_all_views(engine: Engine) -> None:
    record = Record()
    answer = engine().classify(spotted('red', 9, 9, 30), views='grid 2x2 mean', record=record)
    assert record.spikes.shape[1] == 1
    assert record.spikes[:, 0].sum(axis=0).tolist() == answer.activity.spikes.tolist()


def test_views_go_on_from_a_state_for_as_many(engine: Engine) -> None:
    simulator, image = engine(), spotted('red', 9, 9)
    state = simulator.reset(4)
    for _ in range(2):
        answer = simulator.classify(image, state, 0.01, views='grid 2x2 best')
    assert answer.simulated_time == pytest.approx(0.01)
    assert state.steps == 20
    with pytest.raises(ValueError, match='images must have the shape'):
        simulator.classify(image, state, 0.01, views='grid 3x2 best')


def test_words_that_name_no_views_are_refused_with_the_call(engine: Engine) -> None:
    with pytest.raises(ValueError, match='views must be'):
        engine().classify(spotted('red', 9, 9), views='grid 2x2')
