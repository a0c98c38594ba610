"""Sizes and places that kernels and those who call them share. Plain numbers: importing this loads no compiler."""

PAD = 2  # cells beyond an edge that the upsampling filter reaches
SMOOTHING_REACH = 3  # and the smoothing filter

# Where in its 2 x 2 cell the latent of each pass lies.
PASS_ROW = (0, 1, 0, 1)
PASS_COLUMN = (0, 1, 1, 0)
PASSES = len(PASS_ROW)

# The context model's network, one flat vector per pass: W1, W2, b2, W3; see grid/kernels/entropy_model.py.
TAPS = 24  # with the constant one
HIDDEN = 16
W1, W2 = 0, TAPS * HIDDEN
B2 = W2 + HIDDEN * HIDDEN
W3 = B2 + HIDDEN
PASS_WEIGHTS = W3 + (HIDDEN + TAPS) * 2
