from itertools import groupby
from pathlib import Path
from runpy import run_path

from setuptools import find_packages, setup

NAME = 'snn_perception'
COMMANDS = run_path(f'{NAME}/__main__.py')['COMMANDS']
# Installed under share/snn_perception with the same layout as in the repository.
DATA = ('launch/*.launch.py', 'config/**/*.yaml', 'models/*/*', 'resource/images/**/*')

data_files = [path for pattern in DATA for path in sorted(Path().glob(pattern)) if path.is_file()]

setup(
    name=NAME,
    version='0.1.0',
    description='Camera images in, class labels out, computed by a spiking neural network',
    license='Apache-2.0',
    maintainer='snn_perception developers',
    maintainer_email='maintainers@snn-perception.example',
    packages=find_packages(include=[NAME, f'{NAME}.*']),
    data_files=[
        ('share/ament_index/resource_index/packages', [f'resource/{NAME}']),
        (f'share/{NAME}', ['package.xml']),
        *(
            (f'share/{NAME}/{folder}', [str(path) for path in paths])
            for folder, paths in groupby(data_files, key=lambda path: path.parent)
        ),
    ],
    install_requires=['setuptools'],
    extras_require={
        'test': ['pytest'],
        # The engine of that name and networks for Nengo; Nengo's licence is the GPL-2.
        'nengo': ['nengo>=4.1'],
        # The emulator of a chip, on Nengo too; it needs NumPy 1.
        'loihi': ['nengo>=4.1', 'nengo-loihi>=1.1', 'numpy<2', 'scipy'],
        # Networks to and from other libraries.
        'nir': ['nir>=1.0.8', 'h5py'],
        # What the GPU draws.
        'nvml': ['nvidia-ml-py'],
        # What `benchmark --peers` compares with.
        'peers': ['nengo', 'norse', 'scipy', 'sinabs', 'snntorch', 'spikingjelly'],
    },
    entry_points={
        'console_scripts': [f'{name} = {target}' for name, (target, _) in COMMANDS.items()],
    },
    zip_safe=True,
)
