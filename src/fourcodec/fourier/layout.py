"""Numbers that kernels of the layer and those who call them share. Importing this loads no compiler."""

from __future__ import annotations

# pixels or latents per block: 12 or 24 vectors, divisible by every tile width of simd.py, and 16 features of it fill
# 12 KB of L1
BLOCK = 192
# What becomes of a network's outputs, as in a file's header: samples in [0, 1] as they are; 2 sigmoid - 1 in [-1, 1].
LINEAR, SIGMOID = 0, 1
