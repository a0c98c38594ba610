"""The quadratic form of errors of grid/error_form.py in torch."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from fourcodec.arrays import Floats
from fourcodec.grid.cuda.ssimulacra2 import TorchSsimulacra2
from fourcodec.grid.error_form import BOUND, PHASE_STEP, STRENGTH, ErrorForm
from fourcodec.grid.ssimulacra2 import PHASES, scales_of

# The metric's phases in every turn: recorded work is always the same.
_PHASES = tuple(PHASE_STEP * turn % PHASES for turn in range(4))


class TorchForm:
    """An ErrorForm of the errors of copies of one picture, `target` (channels, height, width), on a device. `pull` is
    that of FormKernels, as the last call of `weighed` left it; metric: None where SSIMULACRA 2 has no share."""

    def __init__(
        self, weights: Sequence[Tensor], target: Tensor, share: float, metric: TorchSsimulacra2 | None
    ) -> None:
        self.weights, self._target = list(weights), target
        self._share, self._metric = share, metric
        self.pull = torch.zeros_like(target)

    @classmethod
    def of(cls, form: ErrorForm, target: Floats, send: Callable[[Floats], Tensor]) -> TorchForm:
        """The form on the device that `send` sends arrays to."""
        height, width = target.shape[1:]
        judged = form.metric_share > 0 and scales_of(height, width) > 0
        metric = TorchSsimulacra2(height, width, send) if judged else None
        return cls([send(plane) for plane in form.weights], send(target), form.metric_share, metric)

    def empty(self) -> TorchForm:
        """Another form of the same sizes, to be filled by `take`."""
        weights = [torch.empty_like(plane) for plane in self.weights]
        return TorchForm(weights, torch.empty_like(self._target), self._share, self._metric)

    def take(self, other: TorchForm) -> None:
        """Copies the weights and the target of a form of the same sizes into this one's tensors."""
        for mine, theirs in zip([self._target, *self.weights], [other._target, *other.weights], strict=True):
            mine.copy_(theirs)

    def weighed(self, errors: Tensor) -> Tensor:
        """`measure`, with the gradient by errors that FormKernels.weigh has."""
        squares = self.measure(errors)
        if self._metric is None:
            return squares
        self.pull.copy_(self._pull(errors.detach(), self._metric))
        term = self.pull_cost(errors).sum()
        return squares + (term - term.detach())

    def pull_cost(self, errors: Tensor) -> Tensor:
        """The terms 2 pull x, summed over channels, (height, width)."""
        return 2 * (self.pull * errors).sum(0)

    def _pull(self, errors: Tensor, metric: TorchSsimulacra2) -> Tensor:
        with torch.enable_grad():
            x = errors.requires_grad_()
            (own,) = torch.autograd.grad(self.measure(x), x)
            losses = [metric.loss(self._target, self._target + x, phase) for phase in _PHASES]
            (other,) = torch.autograd.grad(torch.stack(losses).sum(), x)
        half, least = own / 2, torch.finfo(own.dtype).tiny
        strength = STRENGTH * half.square().mean().sqrt()
        scaled = other * (strength / other.square().mean().sqrt().clamp(min=least))
        bounded = scaled / (1 + (scaled / (BOUND * strength).clamp(min=least)).square()).sqrt()
        there = (other != 0).any() & (strength > 0)
        return torch.where(there, self._share * (bounded - half), torch.zeros_like(half))

    def measure(self, errors: Tensor) -> Tensor:
        """The form of errors (channels, height, width), a scalar."""
        return torch.stack([4.0**k * found.sum() for k, found in enumerate(self._scales(errors))]).sum()

    def costs(self, errors: Tensor) -> Tensor:
        """The terms of the form, (height, width), as FormKernels.costs has them, without those of the pull."""
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
