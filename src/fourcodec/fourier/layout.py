"""Constants shared by the layer's kernels and their callers. Importing this module loads no compiler."""

from __future__ import annotations

# Pixels or latents per block: 12 or 24 vectors, divisible by every tile width of simd.py; 16 features of a block take
# 12 KB of L1.
BLOCK = 192
# The activation behind a network's outputs, as in a file's header. LINEAR: outputs are samples in [0, 1]. SIGMOID:
# samples in [-1, 1] are 2 sigmoid(output) - 1.
LINEAR, SIGMOID = 0, 1
