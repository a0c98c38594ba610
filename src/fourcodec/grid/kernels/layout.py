"""Constants shared by the grid's kernels and their callers. Importing this module loads no compiler."""

PAD = 2  # latents beyond an edge that the upsampling filter reads
SMOOTHING_REACH = 3  # latents on each side that the smoothing filter reads

# The place of each pass in a 2 x 2 cell of latents.
PASS_ROW = (0, 1, 0, 1)
PASS_COLUMN = (0, 1, 1, 0)
PASSES = len(PASS_ROW)

# The entropy model's network as a flat vector per level and pass: W1, W2, b2, W3; see grid/kernels/entropy_model.py.
TAPS = 28  # including the constant 1; a multiple of 4. Which latents they are is in grid/pyramid.py
HIDDEN = 16
W1, W2 = 0, TAPS * HIDDEN
B2 = W2 + HIDDEN * HIDDEN
W3 = B2 + HIDDEN
PASS_WEIGHTS = W3 + (HIDDEN + TAPS) * 2
MAX_WEIGHT = 2**15 - 1  # of the integers that a decoder's entropy model has
