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

"""The classifier on a camera topic; with demo:=true, also a camera that shows shipped images."""

from pathlib import Path

from ament_index_python.packages import get_package_share_directory
from launch import LaunchContext, LaunchDescription
from launch.actions import DeclareLaunchArgument, OpaqueFunction
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node
from launch_ros.parameter_descriptions import ParameterValue

PACKAGE = 'snn_perception'
CONFIGURATION = Path(get_package_share_directory(PACKAGE)) / 'config' / 'classify.yaml'

# Arguments that, if given, set the parameter of the same name.
PARAMETERS = {
    'model': (str, 'Shipped name, path of a folder or NIR file, or package:// URI of the model'),
    'backend': (
        str,
        'Engine that runs the network: auto, event, torch, rate, reference, nengo or loihi',
    ),
    'device': (str, 'Where the engine runs: auto, cpu or cuda'),
    'image_transport': (str, 'Images as they are (raw), or as JPEG and PNG (compressed)'),
    'autostart': (bool, 'Configure and activate without a supervisor: true or false'),
}


def generate_launch_description() -> LaunchDescription:
    """Declare the arguments, and start the nodes that they ask for."""
    return LaunchDescription(
        [
            *(
                DeclareLaunchArgument(
                    name, default_value='', description=f'{description}; empty: as in params_file'
                )
                for name, (_, description) in PARAMETERS.items()
            ),
            DeclareLaunchArgument(
                'image_topic',
                default_value='image_raw',
                description='Topic of the camera; compressed images are on TOPIC/compressed',
            ),
            DeclareLaunchArgument(
                'namespace', default_value='', description='Namespace of nodes and relative topics'
            ),
            DeclareLaunchArgument(
                'params_file',
                default_value=str(CONFIGURATION),
                description='YAML file with the parameters of the nodes',
            ),
            DeclareLaunchArgument(
                'log_level',
                default_value='info',
                choices=['debug', 'info', 'warn', 'error', 'fatal'],
                description='Least severe messages that the nodes log',
            ),
            DeclareLaunchArgument(
                'demo',
                default_value='false',
                choices=['true', 'false'],
                description='Also start a camera that shows the images of this package',
            ),
            OpaqueFunction(function=_nodes),
        ]
    )


def _nodes(context: LaunchContext) -> list[Node]:
    """The classifier, and with demo:=true a camera."""

    def given(*names: str) -> dict[str, ParameterValue]:
        return {
            name: ParameterValue(LaunchConfiguration(name), value_type=PARAMETERS[name][0])
            for name in names
            if context.launch_configurations[name] != ''
        }

    def node(name: str, executable: str, parameters: dict) -> Node:
        return Node(
            package=PACKAGE,
            executable=executable,
            name=name,
            namespace=LaunchConfiguration('namespace'),
            parameters=[LaunchConfiguration('params_file'), parameters],
            remappings=[('image_raw', LaunchConfiguration('image_topic'))],
            arguments=['--ros-args', '--log-level', LaunchConfiguration('log_level')],
            output='screen',
        )

    nodes = [node('snn_classifier', 'classifier', given(*PARAMETERS))]
    if context.launch_configurations['demo'] == 'true':
        size = {'width': 640, 'height': 480}
        nodes.append(node('camera', 'camera', {**size, **given('image_transport')}))
    return nodes
