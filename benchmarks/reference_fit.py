"""A reference for the grid's fit: a codec of the Cool-chic family (Leguay et al., "Cool-chic 4", 2024) in plain torch,
fitted by Adam.

    python -m benchmarks.reference_fit IMAGE [--crop 256] [--quality 45] [--iterations 1000] [--context causal|passes]
        [--synthesis relu|fourier] [--no-smoothing] [--filter none|linear|residual] [--rate 0.01] [--gain 16]

Prints 1000 J = 1000 (MSE + lambda bpp), the PSNR of the decoded pixels in 8 bits, and the bytes of the latents by the
entropy model's probabilities. Its networks are neither quantised nor counted, those of `fourcodec encode` are both.
`causal` contexts are Cool-chic's 16 causal neighbours, `passes` are those of the profile grid. An iteration of 256 x
256 pixels takes 80 to 180 ms.
"""

import argparse
import itertools
import math
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from fourcodec import images
from fourcodec.grid.kernels.layout import PASS_COLUMN, PASS_ROW
from fourcodec.grid.pyramid import PARENT, pass_taps
from fourcodec.grid.weights import BICUBIC, IDENTITY
from fourcodec.optimisation.settings import rate_weight_of
from tests.support import reference_grid

LEVELS, HIDDEN, UNITS = 7, 48, 16
TEMPERATURES, DEVIATIONS = (0.4, 0.1), (0.25, 0.15)  # of soft rounding and its noise, first and last iteration
NEIGHBOURS = [(-1, dx) for dx in range(-3, 4)] + [(-2, dx) for dx in range(-2, 3)]
NEIGHBOURS += [(-3, 0), (0, -1), (0, -2), (0, -3)]


class Synthesis(nn.Module):
    """Latents (LEVELS planes, each half the side of the one before) -> an image (3, side, side)."""

    def __init__(self, options: argparse.Namespace, mean: Tensor, rate_weight: float) -> None:
        super().__init__()
        self.options, self.mean = options, nn.Parameter(mean.clone())
        self.filters = nn.Parameter(torch.tensor(np.tile(BICUBIC, (LEVELS - 1, 1))))
        self.smoothing = nn.Parameter(torch.tensor(np.tile(IDENTITY, (LEVELS, 1))))
        self.kernel = nn.Parameter(torch.zeros(3, 3, 3, 3))
        self.second_kernel = nn.Parameter(torch.zeros(3, 3, 3, 3))
        if options.synthesis == "relu":
            self.one, self.two = nn.Linear(LEVELS, HIDDEN), nn.Linear(HIDDEN, 3, bias=False)
            with torch.no_grad():
                self.two.weight.mul_(0.1)
        else:
            features = 2 * (1 + LEVELS + math.comb(LEVELS, 2))
            self.first = nn.Parameter(0.03 / math.sqrt(features) * torch.randn(features, LEVELS))
            self.last = nn.Parameter(0.03 / math.sqrt(features) * torch.randn(features, 3))
            amplitude = 0.05 * math.sqrt(rate_weight / 1e-3) * 2.0 ** -torch.arange(LEVELS)[:, None]
            self.linear = nn.Parameter(amplitude.repeat(1, 3))

    def forward(self, latents: list[Tensor]) -> Tensor:
        smoothing = self.smoothing if self.options.smoothing else self.smoothing[:0]
        x = reference_grid.features_of(latents, self.filters, smoothing)
        flat = x.flatten(1)
        if self.options.synthesis == "relu":
            y = self.two(F.relu(self.one(flat.T))).T
        else:
            h = flat / 25
            h = h + self.first.T @ reference_grid.fourier_rows(h, 2)
            y = self.last.T @ reference_grid.fourier_rows(h, 2) + self.linear.T @ flat
        return self._filtered((y + self.mean[:, None]).reshape(3, *x.shape[1:]))

    def _filtered(self, y: Tensor) -> Tensor:
        if self.options.filter == "none":
            return y
        y = y + F.conv2d(F.pad(y[None], (1, 1, 1, 1), mode="replicate"), self.kernel)[0]
        if self.options.filter == "linear":
            return y
        y = F.relu(y)
        return y + F.conv2d(F.pad(y[None], (1, 1, 1, 1), mode="replicate"), self.second_kernel)[0]


class EntropyModel(nn.Module):
    """The entropy model of one pass: `count` taps -> mean and log2 scale of a Laplace density."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.one, self.two, self.three = nn.Linear(count, UNITS), nn.Linear(UNITS, UNITS), nn.Linear(UNITS, 2)
        self.skip = nn.Linear(count, 2, bias=False)
        with torch.no_grad():
            self.three.weight.mul_(0.1)
            self.three.bias.copy_(torch.tensor([0.0, -1.0]))
            self.skip.weight.zero_()

    def forward(self, known: Tensor, y: Tensor) -> Tensor:
        """Bits of all latents y (n,) by their taps `known` (n, count), at most 30 each."""
        out = self.three(F.relu(self.two(F.relu(self.one(known))))) + self.skip(known)
        return reference_grid.laplace_bits(y, out[:, 0], out[:, 1]).clamp(max=30).sum()


class Rate(nn.Module):
    """Bits of all latents: one entropy model for all levels with causal contexts, or one for each pass."""

    def __init__(self, passes: bool) -> None:
        super().__init__()
        self.passes = passes
        counts = [sum(plane >= 0 for plane in planes) for planes, _ in pass_taps()] if passes else [len(NEIGHBOURS)]
        self.models = nn.ModuleList(EntropyModel(count) for count in counts)

    def forward(self, latents: list[Tensor]) -> Tensor:
        each = [self._by_passes(latents, n) if self.passes else self._causal(latents[n]) for n in range(len(latents))]
        return torch.stack(each).sum()

    def _causal(self, y: Tensor) -> Tensor:
        (rows, columns), padded = y.shape, F.pad(y, (3, 3, 3, 3))
        known = [padded[3 + dy : 3 + dy + rows, 3 + dx : 3 + dx + columns].ravel() for dy, dx in NEIGHBOURS]
        bits: Tensor = self.models[0](torch.stack(known, 1), y.ravel())
        return bits

    def _by_passes(self, latents: list[Tensor], n: int) -> Tensor:
        y, total = latents[n], torch.zeros(())
        rows, columns = y.shape[0] // 2, y.shape[1] // 2
        planes = [y[r::2, c::2] for r, c in zip(PASS_ROW, PASS_COLUMN, strict=True)]
        for above in (1, 2):  # a pass has taps in the next two coarser levels
            coarser = latents[n + above] if n + above < LEVELS else torch.zeros(rows, columns)
            times = 2 ** (above - 1)
            planes.append(coarser.repeat_interleave(times, 0).repeat_interleave(times, 1)[:rows, :columns])
        assert len(planes) == PARENT + 2
        padded = [F.pad(plane, (2, 2, 2, 2)) for plane in planes]
        for number, (taps, places) in enumerate(pass_taps()):
            known = [
                padded[plane][2 + dr : 2 + dr + rows, 2 + dc : 2 + dc + columns].ravel()
                for plane, (dr, dc) in zip(taps, places, strict=True)
                if plane >= 0
            ]
            total = total + self.models[number](torch.stack(known, 1), planes[number].ravel())
        return total


def soft_round(x: Tensor, temperature: float) -> Tensor:
    """A smooth function that is exact at integers, and closer to rounding the lower the temperature."""
    whole = torch.floor(x)
    return whole + 0.5 + 0.5 * torch.tanh((x - whole - 0.5) / temperature) / math.tanh(0.5 / temperature)


def between(pair: tuple[float, float], share: float) -> float:
    """Linear interpolation from the first to the second."""
    return pair[0] + share * (pair[1] - pair[0])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("image", type=Path)
    parser.add_argument("--crop", type=int, default=256, help="side of the centre square in pixels, a multiple of 128")
    parser.add_argument("--quality", type=float, default=45.0)
    parser.add_argument("--iterations", type=int, default=1000)
    parser.add_argument("--context", choices=["causal", "passes"], default="passes")
    parser.add_argument("--synthesis", choices=["relu", "fourier"], default="relu")
    parser.add_argument("--filter", choices=["none", "linear", "residual"], default="none")
    parser.add_argument("--no-smoothing", dest="smoothing", action="store_false")
    parser.add_argument("--rate", type=float, default=1e-2)
    parser.add_argument("--gain", type=float, default=16.0, help="units that a latent moves where a weight moves by 1")
    options = parser.parse_args()
    torch.manual_seed(0)
    picture = images.load(options.image).pixels
    side, (height, width) = options.crop, picture.shape[:2]
    top, left = (height - side) // 2, (width - side) // 2
    target = torch.tensor(picture[top : top + side, left : left + side].transpose(2, 0, 1) / 255, dtype=torch.float32)
    rate_weight = rate_weight_of(options.quality)
    latents = [nn.Parameter(torch.zeros(side >> level, side >> level)) for level in range(LEVELS)]
    synthesis, rate = Synthesis(options, target.mean((1, 2)), rate_weight), Rate(options.context == "passes")
    parameters = itertools.chain(latents, synthesis.parameters(), rate.parameters())
    optimiser, started = torch.optim.Adam(parameters, lr=options.rate), time.perf_counter()
    for iteration in range(options.iterations):
        share = iteration / options.iterations
        temperature, deviation = between(TEMPERATURES, share), between(DEVIATIONS, share)
        optimiser.param_groups[0]["lr"] = options.rate * (0.02 + 0.49 * (1 + math.cos(math.pi * share)))
        noisy = []
        for latent in latents:
            soft = soft_round(options.gain * latent, temperature)
            noisy.append(soft_round(soft + deviation * torch.randn_like(soft), temperature))
        loss = (synthesis(noisy) - target).square().mean() + rate_weight * rate(noisy) / side**2
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    with torch.no_grad():
        rounded = [torch.round(options.gain * latent) for latent in latents]
        mse = (torch.round(255 * synthesis(rounded).clamp(0, 1)) / 255 - target).square().mean().item()
        bits = rate(rounded).item()
    cost = 1000 * (mse + rate_weight * bits / side**2)
    chosen = f"{options.context} {options.synthesis} {options.filter} smoothing {options.smoothing} rate {options.rate}"
    chosen += f" gain {options.gain:g}"
    print(f"{options.image.name} {side} q {options.quality:g}, {options.iterations} iterations, {chosen}:")
    print(f"J {cost:.4f}, {-10 * math.log10(mse):.3f} dB, {bits / 8:.0f} bytes, {time.perf_counter() - started:.0f} s")


if __name__ == "__main__":
    main()
