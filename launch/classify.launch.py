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

"""The classifier on a camera topic; with demo:=true, also a camera that shows shipped images.

With input:=events these are the event classifier and the event camera.

The launch lasts as long as the classifier: it ends with it, and with an error if that died.
"""

from collections.abc import Callable
from math import inf
from pathlib import Path
from typing import Any

import yaml
from ament_index_python.packages import get_package_share_directory
from launch import Action, LaunchContext, LaunchDescription
from launch.actions import DeclareLaunchArgument, OpaqueFunction, Shutdown
from launch.events.process import ProcessExited
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import LifecycleNode, Node
from launch_ros.parameter_descriptions import ParameterValue

from snn_perception.demo.shipped_images import SHIPPED_IMAGES

PACKAGE = 'snn_perception'
CONFIGURATION = Path(get_package_share_directory(PACKAGE)) / 'config' / 'classify.yaml'
CONFIGURATION_OF_EVENTS = CONFIGURATION.with_name('event_classify.yaml')
LEVELS = ('debug', 'info', 'warn', 'error', 'fatal')

# Arguments that, if given, set the parameter of the same name.
PARAMETERS = {
    'model': (str, 'Shipped name, path of a folder or NIR file, or package:// URI of the model'),
    'backend': (
        str,
        'Engine that runs the network: auto, event, torch, rate, reference, nengo or loihi',
    ),
    'device': (str, 'Where the engine runs: auto, cpu or cuda'),
    'image_topics': (
        list[str],
        'Topics of several cameras, such as [/front/image_raw, /rear/image_raw]',
    ),
    'image_transport': (str, 'Images as they are (raw), or as JPEG and PNG (compressed)'),
    'autostart': (bool, 'Configure and activate without a supervisor: true or false'),
    'use_sim_time': (bool, 'Take the time from /clock: true or false'),
}
OF_IMAGES = ('image_topics', 'image_transport')
SHARED_WITH_CAMERA = ('image_transport', 'use_sim_time')

# Other arguments: default and description.
OTHERS = {
    'input': ('images', 'What the classifier takes: images, or events of an event camera'),
    'event_topic': ('events', 'Topic of the event camera'),
    'image_topic': (
        'image_raw',
        'Topic of the camera; compressed images are on TOPIC/compressed',
    ),
    'namespace': ('', 'Namespace of nodes and relative topics'),
    'params_file': (
        str(CONFIGURATION),
        f'YAML file with the parameters of the nodes; for events {CONFIGURATION_OF_EVENTS.name}',
    ),
    'log_level': ('info', f'Least severe messages that the nodes log: {", ".join(LEVELS)}'),
    'respawn': (
        'false',
        'true: start the classifier again when it died. false: end the launch with an error',
    ),
    'respawn_delay': ('2.0', 'Seconds between the death of the classifier and its new start'),
    'demo': (
        'false',
        'Also start a camera that shows the images of this package: true or false',
    ),
}


def generate_launch_description() -> LaunchDescription:
    """Declare the arguments, and start the nodes that they ask for."""
    described = {
        name: ('', f'{description}; empty: as in params_file')
        for name, (_, description) in PARAMETERS.items()
    }
    return LaunchDescription(
        [
            *(
                DeclareLaunchArgument(name, default_value=default, description=description)
                for name, (default, description) in (described | OTHERS).items()
            ),
            OpaqueFunction(function=_nodes),
        ]
    )


def _nodes(context: LaunchContext) -> list[Node]:
    """The classifier, and with demo:=true a camera; raises RuntimeError for a wrong argument."""
    texts = {name: context.launch_configurations[name] for name in (*PARAMETERS, *OTHERS)}
    if not Path(texts['params_file']).is_file():
        raise RuntimeError(
            f'params_file must be a YAML file with parameters, and there is no file '
            f'{texts["params_file"]!r}'
        )
    parameters = {
        name: ParameterValue(READERS[kind](name, texts[name]), value_type=kind)
        for name, (kind, _) in PARAMETERS.items()
        if texts[name] != ''
    }
    hears_events = _choice('input', texts['input'], ('images', 'events')) == 'events'
    if hears_events:
        for name in OF_IMAGES:
            if name in parameters:
                raise RuntimeError(f'{name} is of images, and input is events')
        if texts['params_file'] == str(CONFIGURATION):
            texts['params_file'] = str(CONFIGURATION_OF_EVENTS)
    shared = {name: parameters[name] for name in SHARED_WITH_CAMERA if name in parameters}
    respawn = _flag('respawn', texts['respawn'])
    common = {
        'package': PACKAGE,
        'namespace': LaunchConfiguration('namespace'),
        'remappings': [
            ('image_raw', LaunchConfiguration('image_topic')),
            ('events', LaunchConfiguration('event_topic')),
        ],
        'ros_arguments': ['--log-level', _choice('log_level', texts['log_level'], LEVELS)],
        'output': 'screen',
    }
    classifier = LifecycleNode(
        executable='event_classifier' if hears_events else 'classifier',
        name='event_classifier' if hears_events else 'snn_classifier',
        parameters=[texts['params_file'], parameters],
        respawn=respawn,
        respawn_delay=_seconds('respawn_delay', texts['respawn_delay']),
        on_exit=_when_classifier_ends(respawn),
        **common,
    )
    if not _flag('demo', texts['demo']):
        return [classifier]
    shown: dict[str, Any] = {}
    if not hears_events:
        shown = {'width': 640, 'height': 480, **_images_for(texts['model'], texts['params_file'])}
    camera = Node(
        executable='event_camera' if hears_events else 'camera',
        name='event_camera' if hears_events else 'camera',
        parameters=[texts['params_file'], {**shown, **shared}],
        **common,
    )
    return [classifier, camera]


def _images_for(model: str, params_file: str) -> dict[str, str]:
    """The parameter of the camera by which it shows what `model` knows, if that is shipped.

    The user's own file says itself what is shown.
    """
    if params_file != str(CONFIGURATION) or model not in SHIPPED_IMAGES:
        return {}
    return {'source': f'package://{PACKAGE}/resource/images/{SHIPPED_IMAGES[model]}'}


def _when_classifier_ends(
    respawn: bool,
) -> Callable[[ProcessExited, LaunchContext], Action | None]:
    """What launch does then: end, with an error unless the classifier ended with status 0."""

    def react(event: ProcessExited, context: LaunchContext) -> Action | None:
        if context.is_shutdown:
            return None
        if event.returncode == 0:
            return Shutdown(reason='the classifier has ended')
        if respawn:
            return None
        # Launch ends with an error only after an exception.
        raise RuntimeError(
            f'{event.action.node_name} has died with exit code {event.returncode}, and the launch '
            f'ends with it: its messages say why; respawn:=true would start it again'
        )

    return react


# --- arguments, which arrive as text ---


def _choice(name: str, text: str, choices: tuple[str, ...]) -> str:
    """`text` in lower case, if it is one of `choices`."""
    if text.lower() not in choices:
        raise RuntimeError(f'{name} must be one of {", ".join(choices)}, not {text!r}')
    return text.lower()


def _flag(name: str, text: str) -> bool:
    return _choice(name, text, ('true', 'false')) == 'true'


def _seconds(name: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < inf:
        raise RuntimeError(f'{name} must be a number of seconds greater than 0, not {text!r}')
    return value


def _topics(name: str, text: str) -> list[str]:
    try:
        topics = yaml.safe_load(text)
    except yaml.YAMLError:
        topics = None
    if not (isinstance(topics, list) and topics and all(isinstance(one, str) for one in topics)):
        raise RuntimeError(
            f'{name} must be a list such as [/front/image_raw, /rear/image_raw], not {text!r}'
        )
    return topics


READERS: dict[Any, Callable[[str, str], Any]] = {
    str: lambda name, text: text,
    bool: _flag,
    list[str]: _topics,
}
