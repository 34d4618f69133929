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

"""`python -m snn_perception NAME ...`: the executables of `ros2 run snn_perception NAME ...`."""

import sys
from importlib import import_module
from pathlib import Path

# name: (where its main is, what it does); setup.py makes an executable for each of them.
COMMANDS = {
    'classifier': (
        'snn_perception.nodes.classifier:main',
        'the node: camera images in, class labels with their spikes and joules out',
    ),
    'camera': (
        'snn_perception.nodes.camera:main',
        'the node that publishes a folder of images, a video file or a webcam',
    ),
    'event_classifier': (
        'snn_perception.nodes.event_classifier:main',
        'the node: events of an event camera in, class labels with their spikes and joules out',
    ),
    'event_camera': (
        'snn_perception.nodes.event_camera:main',
        'the node that publishes recordings, or images in motion, as an event camera would',
    ),
    'collect': (
        'snn_perception.nodes.collect:main',
        'the node that saves frames of a camera for a training, from a page in the browser',
    ),
    'demo': (
        'snn_perception.demo.application:main',
        'both nodes on the images that come with the package, with the answers on the screen',
    ),
    'train': ('snn_perception.commands.train:main', 'train a model by a recipe'),
    'convert': (
        'snn_perception.commands.convert:main',
        'make a spiking model of a trained network in an ONNX or TFLite file',
    ),
    'evaluate': (
        'snn_perception.commands.evaluate:main',
        'measure the accuracy, spikes and energy of a model on a data set',
    ),
    'report': (
        'snn_perception.commands.report:main',
        'show what a model achieves on a data set, as a page with pictures',
    ),
    'export': (
        'snn_perception.commands.export:main',
        'write a model as a NIR file for other tools, or import one from them',
    ),
    'chip': (
        'snn_perception.commands.chip:main',
        'say what a model needs on Loihi chips, and what fixed point changes in it',
    ),
    'benchmark': (
        'snn_perception.commands.benchmark:main',
        'measure how fast an engine runs a model on this machine',
    ),
}

ROS = (
    *('rclpy', 'rcl_interfaces', 'lifecycle_msgs', 'builtin_interfaces'),
    *('sensor_msgs', 'std_msgs', 'std_srvs', 'diagnostic_msgs', 'vision_msgs'),
    'event_camera_msgs',
)


def main() -> int:
    """Run the command by whose name this was called, or that is named; returns the exit status."""
    called = Path(sys.argv[0]).name
    if called in COMMANDS:
        return _run(called, called)
    program = called if called == 'snn-perception' else 'python -m snn_perception'
    name = sys.argv[1] if len(sys.argv) > 1 else '--help'
    if name in ('-h', '--help'):
        print(f'usage: {program} NAME [ARGUMENTS]\n')
        for command, (_, description) in COMMANDS.items():
            print(f'  {command:18}{description}')
        return 0
    if name not in COMMANDS:
        print(
            f'{program}: there is no command {name!r}; choose from {", ".join(COMMANDS)}',
            file=sys.stderr,
        )
        return 2
    sys.argv = [f'{program} {name}', *sys.argv[2:]]
    return _run(name, sys.argv[0])


def _run(name: str, program: str) -> int:
    """Exit status of the command `name`; a library that it lacks is named in one sentence."""
    from snn_perception.requirements import MissingLibrary, how_to_install, require

    module, function = COMMANDS[name][0].split(':')
    try:
        require('it', 'numpy')
        return getattr(import_module(module), function)() or 0
    except MissingLibrary as reason:
        sentence = str(reason)
    except ModuleNotFoundError as reason:
        library = str(reason.name).split('.')[0]
        if library == __package__:
            raise
        sentence = f'it needs {library}, which is not installed: {how_to_install(library)}'
        if library in ROS:
            sentence = (
                f'it needs ROS 2, and {library} is not there: source a distribution (Jazzy or '
                f'newer) and its workspace, or use scripts/run in a clone'
            )
    print(f'{program}: {sentence}', file=sys.stderr)
    return 1


if __name__ == '__main__':
    sys.exit(main())
