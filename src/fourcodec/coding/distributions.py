"""The distributions that integers are coded under, as numbers: importing this loads no compiler."""

from __future__ import annotations

# The grid of distributions that latents are coded under; see coding/laplace_coder.py.
MEAN_STEPS = 64
SCALE_STEPS = 8
LOG_SCALE_MIN, LOG_SCALE_MAX = -4, 8  # log2; e^-8 of the mass outside a latent's own bin, and steps of 256
