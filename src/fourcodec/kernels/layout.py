"""Sizes and places that kernels and those who call them share. Plain numbers: importing this loads no compiler."""

# pixels or latents per block: 12 or 24 vectors, divisible by every tile width of simd.py, and 16 features of it fill
# 12 KB of L1
BLOCK = 192

PAD = 2  # cells beyond an edge that the upsampling filter reaches
SMOOTHING_REACH = 3  # and the smoothing filter

# Where in its 2 x 2 cell the latent of each pass lies.
PASS_ROW = (0, 1, 0, 1)
PASS_COLUMN = (0, 1, 1, 0)
PASSES = len(PASS_ROW)

# The context model's network, one flat vector per pass: W1, W2, b2, W3; see kernels/context.py.
TAPS = 24  # with the constant one
HIDDEN = 16
W1, W2 = 0, TAPS * HIDDEN
B2 = W2 + HIDDEN * HIDDEN
W3 = B2 + HIDDEN
PASS_WEIGHTS = W3 + (HIDDEN + TAPS) * 2

# The grid of distributions that latents are coded under; see kernels/laplace_coder.py.
MEAN_STEPS = 64
SCALE_STEPS = 8
LOG_SCALE_MIN, LOG_SCALE_MAX = -4, 8  # log2; e^-8 of the mass outside a latent's own bin, and steps of 256

# What becomes of a network's outputs, as in a file's header: samples in [0, 1] as they are; 2 sigmoid - 1 in [-1, 1].
LINEAR, SIGMOID = 0, 1
