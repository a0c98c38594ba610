"""The quadratic form of errors of grid/error_form.py in torch."""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor


class TorchForm:
    """The weights of an ErrorForm as tensors on a device."""

    def __init__(self, weights: Sequence[Tensor]) -> None:
        self.weights = list(weights)

    def empty(self) -> TorchForm:
        """Another form of the same sizes, to be filled by `take`."""
        return TorchForm([torch.empty_like(plane) for plane in self.weights])

    def take(self, other: TorchForm) -> None:
        """Copies the weights of a form of the same sizes into this one's tensors."""
        for mine, theirs in zip(self.weights, other.weights, strict=True):
            mine.copy_(theirs)

    def measure(self, errors: Tensor) -> Tensor:
        """The form of errors (channels, height, width), a scalar."""
        return torch.stack([4.0**k * found.sum() for k, found in enumerate(self._scales(errors))]).sum()

    def costs(self, errors: Tensor) -> Tensor:
        """The terms of the form, (height, width), as FormKernels.costs has them."""
        *finer_ones, total = self._scales(errors)
        for finer in reversed(finer_ones):
            total = finer + total.repeat_interleave(2, 0).repeat_interleave(2, 1)[: finer.shape[0], : finer.shape[1]]
        return total

    def _scales(self, errors: Tensor) -> list[Tensor]:
        """The weighted squares at the places of each scale, summed over channels."""
        planes, found = errors, [errors.square().sum(0) * self.weights[0]]
        for weight in self.weights[1:]:
            planes = _halved(planes)
            found.append(planes.square().sum(0) * weight)
        return found


def _halved(planes: Tensor) -> Tensor:
    channels, rows, columns = planes.shape
    even = F.pad(planes, (0, columns % 2, 0, rows % 2))
    return even.view(channels, even.shape[1] // 2, 2, even.shape[2] // 2, 2).mean((2, 4))
