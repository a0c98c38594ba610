"""A fit of the grid profile that benchmarks step by hand, and J of its latents."""

import numpy as np

from fourcodec.grid.config import config_for
from fourcodec.grid.fit import fit as fitting_grid
from fourcodec.grid.fit.fit import phase_index
from fourcodec.grid.fit.settings import grid_settings_for
from fourcodec.grid.trained_starts import nearest_trained_start
from fourcodec.grid.weights import GridWeights


class LatentsFit:
    """Of planes (channels, H, W), one pyramid. J = 1000 (MSE + lambda bpp), without the weights' bytes."""

    def __init__(self, planes: np.ndarray, quality: float, steps: int, seed: int = 0) -> None:
        settings = grid_settings_for(quality, 5, steps, None)
        channels, height, width = planes.shape
        phase = phase_index(settings.rate_weight)
        self.config = config_for(height, width, channels, phase, nearest_trained_start(settings.rate_weight))
        self.fit = fitting_grid._Fit(planes, self.config, settings, seed)
        (self.pyramid,) = self.fit._pyramids
        self.samples, self.pixels = planes.size, height * width
        self._rate_weight, self._steps = settings.rate_weight, steps

    def run_to(self, share: float) -> float:
        """Goes on until this share of the schedule is behind; the sum of squared errors of the last step's latents."""
        squares = 0.0
        while self.fit._work < share * self._steps:
            squares = self.fit._iterate(self.fit._work / self._steps)
        return squares

    def j(self, squares: float, bits: float) -> float:
        return 1000 * (squares / self.samples + self._rate_weight * bits / self.pixels)

    def rounded(self, weights: GridWeights) -> tuple[float, float]:
        """J of the rounded latents under these weights, and their bits."""
        bits = self.pyramid.latent_bits(weights.entropy_model)
        return self.j(self.pyramid.squared_error(weights), bits), bits
