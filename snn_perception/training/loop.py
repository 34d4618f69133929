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

"""The training loop, the same for a network of rates and for one on spikes."""

from __future__ import annotations

import copy
import logging
import math
import time
from collections.abc import Callable
from functools import partial
from itertools import chain
from pathlib import Path

import numpy as np
import torch
from torch import nn
from tqdm import tqdm

from snn_perception.training import distributed
from snn_perception.training.checkpoint import Progress, load_checkpoint, save_checkpoint
from snn_perception.training.fingerprint import Fingerprint
from snn_perception.training.interruption import deferred
from snn_perception.training.objective import Objective
from snn_perception.training.optimisation import Optimisation
from snn_perception.training.optimizers import average_weights, learning_rate
from snn_perception.training.parallel import DataParallel, threads_per_operation
from snn_perception.training.trainable import TrainableNetwork

LOG = logging.getLogger('snn_perception.training')
CHECKPOINT_INTERVAL = 120.0
"""Seconds between checkpoints."""


class Trainer:
    """One stage of training: `network` towards an `objective`, by the rules of `optimisation`.

    `average` is the running average of its weights, which is what is validated and used.
    Checkpoints go to the file `checkpoint`; if it exists the stage resumes from there, provided
    that it is of the same `run`, see `fingerprint`. Raises RecipeError if it is of another one,
    OSError if not all processes see the same one.
    """

    def __init__(
        self,
        title: str,
        network: TrainableNetwork,
        optimisation: Optimisation,
        objective: Objective,
        checkpoint: Path,
        run: Fingerprint,
    ) -> None:
        self.title = title
        self.optimisation = optimisation
        self.objective = objective
        self.data = data = objective.data
        self.checkpoint = checkpoint
        self.network = network.to(data.device)
        distributed.copy_from_first(self.network)
        self.average = copy.deepcopy(self.network).eval()
        images = len(data.training)
        self.images_per_step = min(optimisation.batch_size, images)
        self.steps_per_epoch = images // self.images_per_step
        self.total_steps = self.steps_per_epoch * optimisation.epochs
        self.optimizers = self.network.make_optimizers(optimisation.weight_decay)
        # All processes begin with the weights of the first.
        self.fingerprint = distributed.gather(run)[0]
        self.progress = Progress()
        if distributed.is_there(checkpoint):
            self.progress = load_checkpoint(
                checkpoint, self._modules, self.optimizers, self.fingerprint
            )
            LOG.info('%s: resumed at step %d of %d', title, self.progress.step, self.total_steps)
        chosen = objective.precision
        if self.progress.step < self.total_steps:
            LOG.log(
                logging.WARNING if chosen.is_slow else logging.INFO,
                '%s: computing in %s, as %s', title, chosen.name, chosen.reason,
            )  # fmt: skip

    @property
    def _modules(self) -> dict[str, nn.Module]:
        return {'network': self.network, 'average': self.average}

    def run(self) -> None:
        """Train to the end of the last epoch.

        On a signal that ends the process a checkpoint is written first, from which the stage
        resumes exactly; then the signal has its effect, or KeyboardInterrupt is raised in
        processes that did not get it. Raises FloatingPointError if the loss stops being
        finite; the last checkpoint stays.
        """
        # Under torchrun all signals come at least twice, from it and from the terminal.
        with (
            deferred(insists=distributed.count() == 1) as is_interrupted,
            DataParallel(self.network, self.data.device, self.images_per_step) as parallel,
            threads_per_operation(1),
            self._bar() as bar,
        ):
            self._run(parallel, is_interrupted, bar)

    def _run(self, parallel: DataParallel, is_interrupted: Callable[[], bool], bar: tqdm) -> None:
        progress = self.progress
        saved = started = time.monotonic()
        before = progress.seconds
        while (is_due := self._validation_is_due) or progress.step < self.total_steps:
            if is_due:
                self._finish_epoch(parallel, is_interrupted, bar)
            else:
                progress.loss_sum += self._step(parallel)
                progress.step += 1
                bar.update(self.images_per_step)
            progress.seconds = before + time.monotonic() - started
            if distributed.any_of(is_interrupted()):
                self.save()
                distributed.wait_for_all()
                LOG.info('%s: interrupted at step %d; a checkpoint is written', self.title,
                         progress.step)  # fmt: skip
                raise KeyboardInterrupt
            if time.monotonic() - saved > CHECKPOINT_INTERVAL:
                self.save()
                saved = time.monotonic()
        self.save()

    def _bar(self) -> tqdm:
        """Progress in images, for the terminal of the first process."""
        return tqdm(
            total=self.total_steps * self.images_per_step,
            initial=self.progress.step * self.images_per_step,
            unit='image',
            unit_scale=True,
            desc=self.title,
            disable=None if distributed.leads() else True,
        )

    def save(self) -> None:
        """Write a checkpoint now; only the first process does."""
        if distributed.leads():
            save_checkpoint(
                self.checkpoint, self._modules, self.optimizers, self.progress, self.fingerprint
            )

    def _step(self, parallel: DataParallel) -> float:
        """The next optimisation step; returns its loss."""
        optimisation, step = self.optimisation, self.progress.step
        epoch, position = divmod(step, self.steps_per_epoch)
        order = np.random.default_rng((self.objective.seed, epoch)).permutation(
            len(self.data.training)
        )
        first = position * self.images_per_step
        chosen = torch.from_numpy(order[first : first + self.images_per_step])
        rate = learning_rate(optimisation, step, self.total_steps)
        for optimizer in self.optimizers.values():
            for group in optimizer.param_groups:
                group['lr'] = rate * group.get('factor', 1.0)
        self.network.train()
        loss = parallel.differentiate(partial(self.objective.loss, step, epoch), chosen)
        if not math.isfinite(loss):
            raise FloatingPointError(
                f'the loss is not finite at step {step} (epoch {epoch + 1}); the last checkpoint '
                f'{self.checkpoint} stays; a lower learning_rate may help'
            )
        with threads_per_operation(parallel.threads):
            for optimizer in self.optimizers.values():
                optimizer.step()
        average_weights(self.average, self.network, optimisation.average_decay, step)
        return loss

    @property
    def _validation_is_due(self) -> bool:
        """Whether an epoch has ended that has no row in the history yet."""
        return self.progress.step // self.steps_per_epoch > len(self.progress.history)

    def _finish_epoch(
        self, parallel: DataParallel, is_interrupted: Callable[[], bool], bar: tqdm
    ) -> None:
        """Validate and add a row to the history, unless interrupted."""
        progress = self.progress
        results = self._validate(parallel, is_interrupted)
        if results is None:
            return
        accuracy, rates = results
        row = {
            'epoch': len(progress.history) + 1,
            'loss': progress.loss_sum / self.steps_per_epoch,
            'learning_rate': learning_rate(self.optimisation, progress.step, self.total_steps),
            'validation_accuracy': accuracy,
            'firing_rate_hz': float(np.mean(rates)),
            'seconds': progress.seconds,
        }
        progress.history.append(row)
        progress.loss_sum = 0.0
        LOG.info(
            '%s: epoch %d of %d: loss %.4f, %s %.2f %%, mean rates %s Hz, %.0f s, %.0f images/s',
            self.title,
            row['epoch'],
            self.optimisation.epochs,
            row['loss'],
            self.objective.measured,
            100 * accuracy,
            ' '.join(f'{rate:.1f}' for rate in rates),
            progress.seconds,
            progress.step * self.images_per_step / progress.seconds,
        )
        bar.set_postfix(loss=f'{row["loss"]:.4f}', validation=f'{100 * accuracy:.2f} %')

    def _validate(
        self, parallel: DataParallel, is_interrupted: Callable[[], bool]
    ) -> tuple[float, list[float]] | None:
        """Accuracy of the average on the validation images, and rates of its layers (Hz).

        Nothing if a process is interrupted meanwhile.
        """
        count = len(self.data.validation)
        batches = torch.arange(count).split(self.optimisation.batch_size)
        own = []
        work = partial(self.objective.validate, self.average)
        for result in parallel.map(work, distributed.own_share(batches)):
            own.append(result)
            if is_interrupted():
                break
        if distributed.any_of(is_interrupted()):
            return None
        correct, rates = zip(*chain.from_iterable(distributed.gather(own)), strict=True)
        return sum(correct) / count, torch.tensor(rates).mean(dim=0).tolist()
