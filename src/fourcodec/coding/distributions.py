"""Parameters of the Laplace distributions of coding/laplace_coder.py. Importing this module loads no compiler."""

from __future__ import annotations

MEAN_STEPS = 64  # means are multiples of 1/64
SCALE_STEPS = 8  # log2 of scales are multiples of 1/8
# log2 of the smallest and largest scale. At 2^-4 only e^-8 of the mass lies outside the bin of an integer mean; latents
# hardly ever need a scale above 256.
LOG_SCALE_MIN, LOG_SCALE_MAX = -4, 8
