"""The networks of one model together: latents <-> images, as tensors on one device."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from fourcodec.fourier.batch import FourierImages
from fourcodec.generative.baselines import PrincipalComponents
from fourcodec.generative.config import ACTIVATIONS, COORDINATES, Config
from fourcodec.generative.networks import Decoder, Encoder
from fourcodec.positions import INDEX_OVER_32, positions

ImageShape = tuple[int, int, int]  # (H, W, C)
Size = tuple[int, int]  # (height, width)
_AT_ONCE = 256  # images
_RIDGE = 1.0  # beside samples in [0, 1]


class ModelCore:
    """decoder: z (B, L) -> coefficients; fourier: coefficients -> samples (B, C, H W) in [-1, 1]; encoder: images
    (B, C, H W) uint8 -> z, or None. Starts at random, from `seed`."""

    def __init__(self, config: Config, image_shape: ImageShape, device: str, seed: int) -> None:
        self.config, self.image_shape, self.device = config, image_shape, torch.device(device)
        height, width, channels = image_shape
        self.shape = config.network.shape(channels)
        self.fourier = self.fourier_at((height, width))
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.decoder = Decoder(config, self.shape).to(self.device)
            self.encoder = None if config.encoder is None else Encoder(config, height * width * channels)
        if self.encoder is not None:
            self.encoder.to(self.device)

    def fourier_at(self, size: Size) -> FourierImages:
        """The networks at the pixels of an image of any size that shows the same."""
        coordinates = COORDINATES[self.config.network.coordinates]
        if coordinates == INDEX_OVER_32:
            where = _spread_indices(self.image_shape[:2], size)
        else:
            where = positions(size, np.arange(size[0] * size[1]), coordinates)
        return FourierImages(self.shape, where, ACTIVATIONS[self.config.network.activation])

    def coefficients(self, z: NDArray[np.float32]) -> torch.Tensor:
        """Of latents (B, L): (B, count)."""
        with torch.no_grad():
            found: torch.Tensor = self.decoder(torch.from_numpy(np.ascontiguousarray(z, np.float32)).to(self.device))
            return found

    def decode(self, z: NDArray[np.float32], size: Size | None = None) -> NDArray[np.float32]:
        """Latents (B, L) -> images (B, H, W, C) in [0, 1], of the training images' size unless another is given."""
        height, width = size or self.image_shape[:2]
        fourier = self.fourier if size is None else self.fourier_at(size)
        images = np.empty((len(z), height, width, self.image_shape[2]), np.float32)
        for start in range(0, len(z), _AT_ONCE):
            samples = fourier.evaluate(self.coefficients(z[start : start + _AT_ONCE])).cpu().numpy()
            planes = (samples.clip(-1, 1) + 1) / 2
            images[start : start + _AT_ONCE] = planes.reshape(len(planes), -1, height, width).transpose(0, 2, 3, 1)
        return images

    def pixels(self, images: NDArray[np.uint8]) -> torch.Tensor:
        """(B, H, W, C) uint8 -> (B, C, H W) uint8 on the device."""
        # a copy, since torch warns of arrays that are read-only, as those of idx files are
        planes = np.array(images.transpose(0, 3, 1, 2), order="C").reshape(len(images), images.shape[3], -1)
        return torch.from_numpy(planes).to(self.device)

    def start_at_components(self, components: PrincipalComponents) -> None:
        """For networks with linear parts, which begin as principal component analysis: the encoder's with z of unit
        variance, the decoder's as far as the untrained network's last layer shows the components. The MLPs begin at 0.
        """
        base = self.decoder.base
        if base is None or self.decoder.linear is None:
            raise ValueError("these networks have no linear parts")
        mean, vectors = self._planes(components.mean)[0], self._planes(components.components)
        deviations = torch.from_numpy(components.deviations)[:, None, None]
        with torch.no_grad():
            features = self.fourier.last_features(base[None])[0].cpu().double()
        last = _regression(features, torch.cat([mean[None], vectors * deviations]))
        self.decoder.start_at(last[0], last[1:])
        if self.encoder is not None:
            self.encoder.start_at((vectors / deviations).flatten(1), mean.flatten())

    def _planes(self, samples: NDArray[np.float64]) -> torch.Tensor:
        """(..., H W C) as in images -> (B, C, N) as here."""
        height, width, channels = self.image_shape
        planes = samples.reshape(-1, height * width, channels).transpose(0, 2, 1)
        return torch.from_numpy(np.ascontiguousarray(planes))

    def tensors(self) -> dict[str, torch.Tensor]:
        """Weights by name, of the decoder and the encoder."""
        found = {f"decoder.{name}": tensor for name, tensor in self.decoder.state_dict().items()}
        if self.encoder is not None:
            found |= {f"encoder.{name}": tensor for name, tensor in self.encoder.state_dict().items()}
        return found

    def load(self, tensors: dict[str, torch.Tensor]) -> None:
        """The inverse of tensors. Raises KeyError and ValueError where a weight is missing or has another shape."""
        for name, tensor in self.tensors().items():
            if tensors[name].shape != tensor.shape:
                raise ValueError(f"{name} is {tuple(tensors[name].shape)}, not {tuple(tensor.shape)}")
            tensor.copy_(tensors[name])


def _regression(features: torch.Tensor, shown: torch.Tensor) -> torch.Tensor:
    """The last layer's coefficients (B, F C) that show images (B, C, N) best, by ridge regression on its features
    (F, N)."""
    squares = features @ features.T + _RIDGE * torch.eye(len(features), dtype=features.dtype)
    found = torch.linalg.solve(squares, features @ shown.flatten(0, 1).T)
    return found.reshape(len(features), *shown.shape[:2]).transpose(0, 1).flatten(1)


def _spread_indices(trained: Size, size: Size) -> NDArray[np.float32]:
    """Convention 1 counts pixels, so pixel centres of another size lie between those that were trained on."""
    rows, columns = (
        ((np.arange(count) + 0.5) * known / count - 0.5) / 32 for count, known in zip(size, trained, strict=True)
    )
    return np.stack([np.tile(columns, size[0]), np.repeat(rows, size[1])]).astype(np.float32)
