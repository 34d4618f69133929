"""The training loop, the same for a network of rates and for one on spikes."""

from __future__ import annotations

import copy
import logging
import math
import time
from functools import partial
from itertools import chain
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim import Optimizer
from tqdm import tqdm

from snn_perception.datasets import Dataset
from snn_perception.images import Preprocessing
from snn_perception.training import distributed
from snn_perception.training.checkpoint import (
    Progress,
    fingerprint,
    load_checkpoint,
    random_seed,
    save_checkpoint,
)
from snn_perception.training.network import TrainableNetwork
from snn_perception.training.parallel import DataParallel, single_threaded
from snn_perception.training.recipe import Optimisation, Recipe, RecipeError

LOG = logging.getLogger('snn_perception.training')
CHECKPOINT_INTERVAL = 120.0
"""Seconds between checkpoints."""


class Trainer:
    """One stage of training: `network` towards the labels, by the rules of `optimisation`.

    `average` is the running average of its weights, which is what is validated and used.
    Checkpoints go to the file `checkpoint`; if it exists the stage resumes from there. With a
    `teacher`, part of what is learned are its answers; see `FineTuning`.
    Raises RecipeError if it is of another run, OSError if not all processes see the same.
    """

    def __init__(
        self,
        title: str,
        network: TrainableNetwork,
        optimisation: Optimisation,
        recipe: Recipe,
        data: Split,
        checkpoint: Path,
        teacher: TrainableNetwork | None = None,
    ) -> None:
        self.title = title
        self.teacher = teacher
        self.recipe = recipe
        self.optimisation = optimisation
        self.data = data
        self.checkpoint = checkpoint
        self.device = data.device
        self.network = network.to(self.device)
        distributed.copy_from_first(self.network)
        self.average = copy.deepcopy(self.network).eval()
        self.steps_per_epoch = max(len(data.training) // optimisation.batch_size, 1)
        self.total_steps = self.steps_per_epoch * optimisation.epochs
        self.optimizers = _make_optimizers(self.network, optimisation.weight_decay)
        on_spikes = optimisation is recipe.fine_tuning
        self.key = fingerprint(recipe, len(data.training), on_spikes)
        self.progress = Progress()
        if distributed.is_there(checkpoint):
            self.progress = load_checkpoint(checkpoint, self._modules, self.optimizers, self.key)
            LOG.info('%s: resumed at step %d of %d', title, self.progress.step, self.total_steps)
        self.parallel = DataParallel(self.network, self.device, optimisation.batch_size)

    @property
    def _modules(self) -> dict[str, nn.Module]:
        return {'network': self.network, 'average': self.average}

    def run(self) -> None:
        """Train to the end of the last epoch.

        Raises FloatingPointError if the loss stops being finite; the last checkpoint stays.
        """
        with single_threaded():
            self._run()

    def _run(self) -> None:
        saved = started = time.monotonic()
        before = self.progress.seconds
        batch_size = self.optimisation.batch_size
        with tqdm(
            total=self.total_steps * batch_size,
            initial=self.progress.step * batch_size,
            unit='image',
            unit_scale=True,
            desc=self.title,
            disable=None if distributed.leads() else True,
        ) as bar:
            while self.progress.step < self.total_steps:
                loss = self._step(self.progress.step)
                self.progress.loss_sum += loss
                self.progress.step += 1
                self.progress.seconds = before + time.monotonic() - started
                bar.update(batch_size)
                if self.progress.step % self.steps_per_epoch == 0:
                    self._finish_epoch(bar)
                if time.monotonic() - saved > CHECKPOINT_INTERVAL:
                    self.save()
                    saved = time.monotonic()
        self.save()

    def save(self) -> None:
        """Write a checkpoint now; only the first process does."""
        if not distributed.leads():
            return
        save_checkpoint(self.checkpoint, self._modules, self.optimizers, self.progress, self.key)

    def _step(self, step: int) -> float:
        """One optimisation step; returns its loss."""
        recipe, batch_size = self.recipe, self.optimisation.batch_size
        epoch, position = divmod(step, self.steps_per_epoch)
        order = np.random.default_rng((recipe.seed, epoch)).permutation(len(self.data.training))
        chosen = torch.from_numpy(order[position * batch_size : (position + 1) * batch_size])
        for optimizer in self.optimizers.values():
            for group in optimizer.param_groups:
                group['lr'] = self._learning_rate(step)
        self.network.train()
        loss = self.parallel.differentiate(partial(self._loss, step), chosen)
        if not math.isfinite(loss):
            raise FloatingPointError(
                f'the loss is not finite at step {step} (epoch {epoch + 1}); the last checkpoint '
                f'{self.checkpoint} is kept; a lower learning_rate may help'
            )
        for optimizer in self.optimizers.values():
            optimizer.step()
        self._average_weights(step)
        return loss

    def _loss(self, step: int, network: TrainableNetwork, indices: Tensor, part: int) -> Tensor:
        """Loss of `network` on the training images at `indices`, augmented for this step."""
        recipe = self.recipe
        generator = torch.Generator(self.device)
        generator.manual_seed(random_seed(recipe.seed, step, part))
        images, labels = self.data.training.batch(indices)
        turns = indices + step // self.steps_per_epoch
        images = self.data.normalise(recipe.augmentation.apply(images, turns, generator))
        with self._precision():
            outputs, mean_rates = network(images, generator)
            targets = self._targets(images, labels, outputs.shape[1])
        loss = F.cross_entropy(outputs, targets)
        excess = F.relu(mean_rates / recipe.rate_regularisation.target - 1)
        return loss + recipe.rate_regularisation.weight * excess.square().mean()

    @torch.no_grad()
    def _targets(self, images: Tensor, labels: Tensor, classes: int) -> Tensor:
        """Probabilities (batch, classes) to be learned for `images`, as the networks take them.

        Where images are mirrored in training, the teacher looks at both sides of each.
        """
        smoothing = self.optimisation.label_smoothing
        targets = F.one_hot(labels, classes) * (1 - smoothing) + smoothing / classes
        if self.teacher is None:
            return targets
        assert self.recipe.fine_tuning is not None
        views = [images, images.flip(2)] if self.recipe.augmentation.flip else [images]
        answers = torch.stack([self.teacher(view)[0] for view in views]).mean(dim=0).softmax(dim=1)
        return targets.lerp(answers, self.recipe.fine_tuning.distillation)

    def _learning_rate(self, step: int) -> float:
        """One cycle: a linear rise, then a cosine fall to zero."""
        optimisation = self.optimisation
        rise = max(optimisation.warm_up * self.total_steps, 1)
        if step < rise:
            return optimisation.learning_rate * (step + 1) / (rise + 1)
        part = (step - rise) / max(self.total_steps - rise, 1)
        return optimisation.learning_rate * 0.5 * (1 + math.cos(math.pi * part))

    @torch.no_grad()
    def _average_weights(self, step: int) -> None:
        """Exponential average of all parameters and statistics, shorter at the start."""
        decay = min(self.optimisation.average_decay, (step + 1) / (step + 10))
        average = self.average.state_dict()
        for name, value in self.network.state_dict().items():
            if value.dtype.is_floating_point:
                average[name].lerp_(value, 1 - decay)

    def _finish_epoch(self, bar: tqdm) -> None:
        progress = self.progress
        accuracy, rates = self.validate()
        row = {
            'epoch': len(progress.history) + 1,
            'loss': progress.loss_sum / self.steps_per_epoch,
            'learning_rate': self._learning_rate(progress.step),
            'validation_accuracy': accuracy,
            'firing_rate_hz': float(np.mean(rates)),
            'seconds': progress.seconds,
        }
        progress.history.append(row)
        progress.loss_sum = 0.0
        images = progress.step * self.optimisation.batch_size / progress.seconds
        LOG.info(
            '%s: epoch %d of %d: loss %.4f, validation accuracy %.2f %%, mean rates %s Hz, '
            '%.0f s, %.0f images/s',
            self.title,
            row['epoch'],
            self.optimisation.epochs,
            row['loss'],
            100 * accuracy,
            ' '.join(f'{rate:.1f}' for rate in rates),
            progress.seconds,
            images,
        )
        bar.set_postfix(loss=f'{row["loss"]:.4f}', validation=f'{100 * accuracy:.2f} %')

    def validate(self) -> tuple[float, list[float]]:
        """Accuracy of the average on the validation images, and rates of its layers (Hz)."""
        count = len(self.data.validation)
        batches = torch.arange(count).split(self.optimisation.batch_size)
        own = list(self.parallel.map(self._validate_batch, distributed.own_share(batches)))
        correct, rates = zip(*chain.from_iterable(distributed.gather(own)), strict=True)
        return sum(correct) / count, torch.tensor(rates).mean(dim=0).tolist()

    def _validate_batch(self, indices: Tensor) -> tuple[int, list[float]]:
        images, labels = self.data.validation.batch(indices)
        with self._precision():
            outputs, mean_rates = self.average(self.data.normalise(images))
        return int((outputs.argmax(1) == labels).sum()), mean_rates.tolist()

    def _precision(self) -> torch.autocast:
        """Mixed precision; threads share no casts of weights."""
        is_mixed = self.optimisation.precision == 'bfloat16'
        kind = torch.device(self.device).type
        return torch.autocast(kind, torch.bfloat16, is_mixed, cache_enabled=False)


class Split:
    """Training and validation images on `device`, and how the network takes them."""

    def __init__(
        self,
        training: Dataset,
        validation: Dataset,
        preprocessing: Preprocessing,
        device: str = 'cpu',
    ) -> None:
        self.device = device
        self.training = _Images(training, preprocessing.invert, device)
        self.validation = _Images(validation, preprocessing.invert, device)
        self._mean = torch.tensor(preprocessing.mean, device=device).view(-1, 1, 1)
        self._deviation = torch.tensor(preprocessing.deviation, device=device).view(-1, 1, 1)

    def normalise(self, images: Tensor) -> Tensor:
        """`images` (batch, channels, height, width) in 0..1 as the network takes them.

        Returns (batch, height, width, channels).
        """
        return ((images - self._mean) / self._deviation).permute(0, 2, 3, 1).contiguous()


class _Images:
    """A data set on a device, handed out in batches."""

    def __init__(self, dataset: Dataset, invert: bool, device: str) -> None:
        images = 255 - dataset.images if invert else dataset.images
        self.images = torch.from_numpy(np.ascontiguousarray(images)).to(device)
        self.labels = torch.from_numpy(dataset.labels).to(device)

    def __len__(self) -> int:
        return len(self.labels)

    def batch(self, indices: Tensor) -> tuple[Tensor, Tensor]:
        """Images (batch, channels, height, width) in 0..1 and labels at `indices`."""
        indices = indices.to(self.labels.device)
        return self.images[indices].permute(0, 3, 1, 2).float() / 255, self.labels[indices]


def _make_optimizers(network: nn.Module, weight_decay: float) -> dict[str, Optimizer]:
    """Muon for the matrices; AdamW, without decay, for biases and normalisation."""
    if not hasattr(torch.optim, 'Muon'):
        raise RecipeError(f'training needs PyTorch 2.9 or newer, not {torch.__version__}')
    trained = [parameter for parameter in network.parameters() if parameter.requires_grad]
    matrices = [parameter for parameter in trained if parameter.dim() > 1]
    others = [parameter for parameter in trained if parameter.dim() <= 1]
    return {
        'muon': torch.optim.Muon(
            matrices, lr=1.0, weight_decay=weight_decay, adjust_lr_fn='match_rms_adamw'
        ),
        'adamw': torch.optim.AdamW(others, lr=1.0, weight_decay=0.0),
    }
