"""The networks of one model on one device: latents <-> images."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from fourcodec.errors import ModelError
from fourcodec.fourier.batch import FourierImages
from fourcodec.generative import checkpoints
from fourcodec.generative.config import ACTIVATIONS, COORDINATES, Config, cell_shape
from fourcodec.generative.networks import Decoder, Encoder
from fourcodec.generative.windows import window_pixels
from fourcodec.positions import INDEX_OVER_32

ImageShape = tuple[int, int, int]  # (H, W, C)
Size = tuple[int, int]  # (height, width)
_BATCH = 256  # images to decode
_ENCODED_AT_ONCE = 1024  # images


def outline(config: Config, image_shape: ImageShape) -> dict[str, torch.Tensor]:
    """The tensors of a ModelCore by name, on the device "meta", which gives them shapes and no memory.

    A model folder may be a stranger's: its tensors are compared with these before anything is allocated by its
    configuration. Raises ConfigError where its cells do not divide the images.
    """
    with torch.device("meta"):
        return _tensors(*_networks(config, image_shape))


class ModelCore:
    """The networks of a model, with random weights from `seed` until they are loaded or trained.

    decoder   z (B, L) -> coefficients (B, cells count)
    fourier   coefficients -> samples (B, C, H W), nominally in [-1, 1]
    encoder   images uint8 (B, C, H W) -> z (B, L), or None where the model has none
    """

    def __init__(self, config: Config, image_shape: ImageShape, device: str, seed: int) -> None:
        self.config, self.image_shape, self.device = config, image_shape, torch.device(device)
        self.shape = config.network.shape(image_shape[2])
        self.fourier = self.fourier_at(image_shape[:2])
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(seed)  # torch.manual_seed keeps a note for each device, for ever
            self.decoder, self.encoder = _networks(config, image_shape)
        self.decoder.to(self.device)
        if self.encoder is not None:
            self.encoder.to(self.device)

    def fourier_at(self, size: Size) -> FourierImages:
        """The Fourier networks evaluated at the pixels of an image of another size, which shows the same scene."""
        network = self.config.network
        activation = ACTIVATIONS[network.activation]
        if COORDINATES[network.coordinates] == INDEX_OVER_32:
            return FourierImages.of_one_cell(self.shape, _spread_indices(self.image_shape[:2], size), activation)
        return FourierImages.of_cells(self.shape, size, network.grid, activation)

    def coefficients(self, z: NDArray[np.float32]) -> torch.Tensor:
        """The coefficients (B, cells count) of the Fourier networks for latents (B, L).

        Raises ModelError where they are not finite, as those of weights near the end of float32 are.
        """
        with torch.no_grad():
            found: torch.Tensor = self.decoder(torch.from_numpy(np.ascontiguousarray(z, np.float32)).to(self.device))
        if not torch.isfinite(found).all():
            raise ModelError("the model's weights are so large that its coefficients are not finite")
        return found

    def encode(self, images: torch.Tensor) -> torch.Tensor:
        """The encoder's z (B, L) for images uint8 (B, C, H W) as from `pixels`; there must be an encoder."""
        assert self.encoder is not None
        with torch.no_grad():
            return torch.cat([self.encoder(part) for part in images.split(_ENCODED_AT_ONCE)])

    def decode(self, z: NDArray[np.float32], size: Size | None = None) -> NDArray[np.float32]:
        """Latents (B, L) -> images float32 (B, H, W, C) in [0, 1], of the training images' size unless another is
        given."""
        height, width = size or self.image_shape[:2]
        fourier = self.fourier if size is None else self.fourier_at(size)
        images = np.empty((len(z), height, width, self.image_shape[2]), np.float32)
        for start in range(0, len(z), _BATCH):
            with torch.no_grad():
                samples = fourier.evaluate(self.coefficients(z[start : start + _BATCH])).cpu().numpy()
            planes = (samples.clip(-1, 1) + 1) / 2
            images[start : start + _BATCH] = planes.reshape(len(planes), -1, height, width).transpose(0, 2, 3, 1)
        return images

    def pixels(self, images: NDArray[np.uint8]) -> torch.Tensor:
        """Images uint8 (B, H, W, C) -> uint8 (B, C, H W) on the device."""
        # a copy: arrays of idx files are read-only, and torch warns of such arrays
        planes = np.array(images.transpose(0, 3, 1, 2), order="C").reshape(len(images), images.shape[3], -1)
        return torch.from_numpy(planes).to(self.device)

    def tensors(self) -> dict[str, torch.Tensor]:
        """The weights of the decoder and the encoder by name, for a checkpoint."""
        return _tensors(self.decoder, self.encoder)


def _tensors(decoder: Decoder, encoder: Encoder | None) -> dict[str, torch.Tensor]:
    found = checkpoints.named("decoder", decoder.state_dict())
    return found if encoder is None else found | checkpoints.named("encoder", encoder.state_dict())


def _networks(config: Config, image_shape: ImageShape) -> tuple[Decoder, Encoder | None]:
    """The decoder and, where there is one, the encoder for images (H, W, C)."""
    cell_shape(config, image_shape)
    decoder, channels = Decoder(config, config.network.shape(image_shape[2])), image_shape[2]
    if config.encoder is None:
        return decoder, None
    return decoder, Encoder(config, channels, window_pixels(image_shape[:2], config.network.grid))


def _spread_indices(trained: Size, size: Size) -> NDArray[np.float32]:
    """Coordinates (2, N) in convention 1 (pixel index / 32) for another size than that of the training images.

    Pixel centres of the other size are mapped to fractional indices of the training size.
    """
    rows, columns = (
        ((np.arange(count) + 0.5) * known / count - 0.5) / 32 for count, known in zip(size, trained, strict=True)
    )
    return np.stack([np.tile(columns, size[0]), np.repeat(rows, size[1])]).astype(np.float32)
