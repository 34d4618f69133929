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

"""The node that saves frames of a camera for a training."""

from __future__ import annotations

import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

from rclpy.clock import Clock, ClockType
from std_srvs.srv import SetBool, Trigger

from snn_perception.loading import load_model
from snn_perception.locations import resolve_path
from snn_perception.nodes.collecting.collection import Collection, Refused
from snn_perception.nodes.collecting.frames import FrameMaker
from snn_perception.nodes.collecting.keyboard import Keyboard
from snn_perception.nodes.collecting.live_view import LiveView
from snn_perception.nodes.collecting.picture_folder import PictureFolder
from snn_perception.nodes.frames.image_subscription import ImageSubscription
from snn_perception.nodes.frames.mailbox import Worker
from snn_perception.nodes.parameters.collect_parameters import CollectParameters
from snn_perception.nodes.parameters.parameter_server import ParameterNode, ParameterServer
from snn_perception.nodes.process import Stop
from snn_perception.nodes.services import guard_services
from snn_perception.requirements import MissingLibrary, require
from snn_perception.sentences import sentence

RATE = 10.0
"""Frames per second that are looked at; with a higher `record_rate` as many as that says."""
CHECK_PERIOD = 1.0
"""Seconds between two looks at the publishers of the camera."""
LOG_PERIOD = 5.0
"""Seconds between two log lines about the same kind of trouble."""


class CollectNode(ParameterNode):
    """Saves frames as services, a page and the keyboard ask for; `start` begins.

    Requests `stop` when the keyboard asks for the end.
    """

    def __init__(self, stop: Stop, **options: Any) -> None:
        super().__init__('snn_collect', **options)
        self.has_failed = False
        self._stop = stop
        self.collection: Collection | None = None
        self.page: Any = None
        self._keyboard: Keyboard | None = None
        self._worker: Worker[Any] | None = None
        self._last_look = 0.0
        self._problem = ''
        self.server = ParameterServer(self, CollectParameters, check=self._check)
        self._subscription = ImageSubscription(self, 'image_raw', self._on_frame, self._follow)
        self.create_service(Trigger, '~/save', self._on_save)
        self.create_service(SetBool, '~/record', self._on_record)
        self.create_service(Trigger, '~/new_take', self._on_new_take)
        self.create_service(Trigger, '~/delete_last', self._on_delete_last)
        guard_services(self)

    @property
    def parameters(self) -> CollectParameters:
        """The parameters now."""
        return self.server.values

    def start(self) -> bool:
        """Subscribe and take requests; False, and a log line, if that cannot be."""
        try:
            self.server.require_valid()
            self._begin()
        except (ValueError, MissingLibrary) as reason:
            self.get_logger().error(sentence(reason))
            self.has_failed = True
            return False
        return True

    def close(self) -> None:
        """Take no more requests and destroy the node."""
        if self._keyboard is not None:
            self._keyboard.close()
        if self.page is not None:
            self.page.close()
        self._subscription.close()
        if self._worker is not None:
            self._worker.stop()
        self.destroy_node()

    def _begin(self) -> None:
        parameters, log = self.parameters, self.get_logger()
        preprocessing = load_model(parameters.model).preprocessing
        folder = PictureFolder(Path(resolve_path(parameters.folder)))
        self.collection = collection = Collection(folder, lambda: self.parameters)
        if parameters.class_name:
            collection.add_class(parameters.class_name)
        if parameters.page:
            require('the page', 'tornado')
            from snn_perception.nodes.collecting.page_server import PageServer

            view = LiveView(collection, preprocessing, self._camera)
            self.page = PageServer(collection, view, parameters.address, parameters.port)
        maker = FrameMaker(preprocessing)
        self._worker = Worker(partial(self._look, maker, collection), self._on_failure)
        self._worker.start()
        self._follow()
        steady = Clock(clock_type=ClockType.STEADY_TIME)
        self.create_timer(CHECK_PERIOD, self._follow, clock=steady)
        log.info(f'saving frames of {self._subscription} below {folder.path}')
        if self.page is not None:
            log.info(f'open {self.page.url} in a browser')
        if self.page is not None and self.page.is_public:
            log.warning('whoever reaches this machine can see the camera on the page, and save')
        if parameters.keyboard and Keyboard.is_possible():
            self._keyboard = Keyboard(collection, self._stop, sys.stdout)
            self._keyboard.start()

    # --- frames ---

    def _follow(self) -> None:
        """Subscribe as the parameters and the publishers ask for."""
        self._subscription.follow(self.parameters)
        source = self._subscription.source()
        self._problem = ''
        if source is not None and source.publishers == 0:
            self._problem = f'nobody publishes {source.topic}'
        elif source is not None and source.unheard:
            self._problem = f'{source.topic}, {source.unheard}'

    def _camera(self) -> tuple[str, str]:
        return str(self._subscription), self._problem

    def _on_frame(self, message: Any) -> None:
        now, period = time.monotonic(), 1 / max(RATE, self.parameters.record_rate)
        # A camera is not quite regular, and every second frame of it would be too few.
        if self._worker is not None and now - self._last_look >= 0.8 * period:
            self._last_look = now
            self._worker.mailbox.put('camera', message)

    def _look(self, maker: FrameMaker, collection: Collection, messages: list[Any]) -> None:
        for message in messages:
            try:
                collection.see(maker.frame(message, self.parameters))
            except ValueError as reason:
                collection.fail_to_read(sentence(reason))
                self.get_logger().warning(
                    f'frame cannot be read: {sentence(reason)}', throttle_duration_sec=LOG_PERIOD
                )
        if collection.is_trouble:
            self.get_logger().error(collection.message, throttle_duration_sec=LOG_PERIOD)

    def _on_failure(self, reason: Exception) -> None:
        self.get_logger().error(f'the worker survived {type(reason).__name__}: {reason}')

    # --- requests ---

    def _check(self, values: CollectParameters) -> None:
        """Refuse a class that cannot be, and make room for one that can."""
        if self.collection is None or not values.class_name:
            return
        try:
            self.collection.add_class(values.class_name)
        except Refused as reason:
            raise ValueError(f'class_name: {reason}') from None

    def _on_save(self, request: Any, response: Any) -> Any:
        return self._answer(response, lambda collection: collection.save(self._class()))

    def _on_record(self, request: Any, response: Any) -> Any:
        if request.data:
            return self._answer(response, lambda collection: collection.record(self._class()))
        return self._answer(response, lambda collection: collection.stop())

    def _on_new_take(self, request: Any, response: Any) -> Any:
        return self._answer(response, lambda collection: collection.begin_take())

    def _on_delete_last(self, request: Any, response: Any) -> Any:
        return self._answer(response, lambda collection: collection.delete_last())

    def _class(self) -> str:
        name = self.parameters.class_name
        if not name:
            raise Refused(
                f'the parameter class_name says which class, and is empty: ros2 param set '
                f'{self.get_fully_qualified_name()} class_name mug'
            )
        return name

    def _answer(self, response: Any, work: Any) -> Any:
        try:
            if self.collection is None:
                raise Refused('the node has not started')
            response.success = work(self.collection) is not False
            response.message = self.collection.message
        except Refused as reason:
            response.success, response.message = False, sentence(reason)
        return response
