"""A trained generative model for use by other modules: numpy arrays in, numpy arrays out."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import torch

from fourcodec.arrays import Floats, Images
from fourcodec.errors import ModelError
from fourcodec.generative import checkpoints, config
from fourcodec.generative.cell_flow import CellFlow
from fourcodec.generative.config import Config
from fourcodec.generative.core import ImageShape, ModelCore, Size, outline
from fourcodec.generative.embedding import ITERATIONS, fit_latents, nearest_latents
from fourcodec.generative.prior_store import read_prior
from fourcodec.generative.priors import ChosenPrior, IsotropicGaussian


class TrainedModel:
    """The contents of a model directory. Made by `load_model`."""

    def __init__(
        self,
        core: ModelCore,
        train_latents: Floats,
        dataset_hash: str,
        chosen: ChosenPrior | None,
        noise: Floats | None = None,
    ) -> None:
        self.core = core
        self.train_latents = train_latents  # (N, L): fitted to each training image, or given for it by the encoder
        self.dataset_hash = dataset_hash  # Dataset.content_hash of the training data
        # (L,): the deviation of the noise on each number that the model was trained with; 1 where it is not known
        self.noise = np.ones(core.config.latent_size, np.float32) if noise is None else noise
        self.chosen = chosen or ChosenPrior(IsotropicGaussian.fit(train_latents))

    @property
    def config(self) -> Config:
        """The configuration that the model was trained with."""
        return self.core.config

    @property
    def latent_size(self) -> int:
        """L, the number of components of z."""
        return self.config.latent_size

    @property
    def image_shape(self) -> ImageShape:
        """The shape (H, W, C) of the training images."""
        return self.core.image_shape

    def decode(self, z: Floats, size: Size | None = None) -> Floats:
        """Latents (B, L) -> images float32 (B, H, W, C) in [0, 1]; `size` (height, width) replaces that of the training
        images."""
        return self.core.decode(z, size)

    def encode(self, images: Images) -> Floats | None:
        """The encoder's latents (B, L) for images uint8 (B, H, W, C); None where the model has no encoder.

        Raises ValueError for images of another shape or dtype.
        """
        if images.dtype != np.uint8 or images.shape[1:] != self.image_shape:
            raise ValueError(
                f"the model's images are uint8 (B, *{self.image_shape}), not {images.dtype} {images.shape}"
            )
        return None if self.core.encoder is None else self.core.encode(self.core.pixels(images)).cpu().numpy()

    def encode_mirrored(self, images: Images) -> Floats | None:
        """The encoder's latents (B, L) for the mirrored images; None where the model was not trained on mirrored
        images."""
        return self.encode(np.ascontiguousarray(images[:, :, ::-1])) if self.config.training.mirrored else None

    def embed(self, images: Images, iterations: int = ITERATIONS) -> Floats:
        """Latents (B, L) fitted to images uint8 (B, H, W, C) by gradient descent on the training loss.

        The fit starts from the encoder's latents, or without an encoder from the latent of the training image whose
        decoded image is nearest. Raises ValueError for images of another shape or dtype.
        """
        start = self.encode(images)
        if start is None:
            start = nearest_latents(self.core, images, self.train_latents, seed=0)
        return fit_latents(self.core, images, start, iterations)

    def sample(self, n: int, seed: int, temperature: float | None = None, label: int | None = None) -> Floats:
        """Latents (n, L) drawn from the prior, at the temperature that was chosen with it unless another is given; with
        a label, of this class alone. Raises ModelError where the prior does not know the class, or no classes."""
        prior = self.chosen.prior
        used = self.chosen.temperature if temperature is None else temperature
        if label is None:
            return prior.sample(n, seed, used)
        if not isinstance(prior, CellFlow):
            raise ModelError(f"the model's prior ({prior.name}) knows no classes")
        return prior.sample(n, seed, used, label)

    def interpolate(self, stops: Floats, frames: int) -> Floats:
        """Latents ((S - 1) frames + 1, L) from each of `stops` (S, L) to the next, `frames` for each way: through the
        noise of a flow, else on straight lines."""
        prior = self.chosen.prior
        return (prior.interpolate if isinstance(prior, CellFlow) else straight)(stops, frames)


def straight(stops: Floats, frames: int) -> Floats:
    """Latents ((S - 1) frames + 1, L) on straight lines from each of `stops` (S, L) to the next, `frames` for each
    line."""
    shares = np.linspace(0, 1, frames, endpoint=False)[:, None]
    parts = [a + shares * (b - a) for a, b in itertools.pairwise(stops)]
    return np.concatenate([*parts, stops[-1:]]).astype(np.float32)


def load_model(directory: Path, device: str = "cpu") -> TrainedModel:
    """The model in a directory. Raises ModelError where the directory holds no model or a damaged one."""
    tensors, facts = checkpoints.read_checkpoint(directory)
    with checkpoints.explained(directory):
        settings, shape = config.from_table(facts["config"]), config.checked_shape(facts["image_shape"])
        checkpoints.compare(outline(settings, shape), tensors)
        core = ModelCore(settings, shape, device, seed=0)
        checkpoints.fill(core.tensors(), tensors)
        latents = tensors["latents.values"]
        if latents.ndim != 2 or not len(latents) or latents.shape[1] != settings.latent_size:
            raise ValueError(f"its latents are {tuple(latents.shape)}")
        checkpoints.compare({"latents.values": torch.empty(latents.shape, device="meta")}, tensors)
        log_noise = torch.empty(settings.latents.size, device="meta")
        checkpoints.compare({"log_noise": log_noise}, tensors)
        noise = tensors["log_noise"].exp().repeat(settings.network.grid.count).numpy()
        data_hash = facts["dataset"]["hash"]
        return TrainedModel(core, latents.numpy(), data_hash, read_prior(directory, latents.numpy()), noise)
