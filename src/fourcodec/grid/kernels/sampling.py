"""The blocks of positions from which a fit estimates gradients by weights (numba).

Single blocks, spread at random, give a better estimate than whole bands of a picture: neighbouring rows resemble each
other, and bands differ.
"""

from __future__ import annotations

import numpy as np

from fourcodec.compiling import inline_kernel
from fourcodec.fourier.layout import BLOCK

ALL = -1  # in place of the number of a sample: every block
SHARE = 4  # one block in so many is in a sample; a power of two

# Odd constants of well-mixed bits, from xxHash.
_A, _B, _C = np.uint32(2654435761), np.uint32(2246822519), np.uint32(3266489917)


@inline_kernel
def in_sample(at: int, sample: int) -> bool:
    """True if the sample of this number has the block at position `at`, as it has one block in SHARE."""
    if sample == ALL:
        return True
    mixed = (np.uint32(at // BLOCK) + np.uint32(sample) * _A) * _B
    mixed = (mixed ^ (mixed >> np.uint32(15))) * _C
    return (mixed >> np.uint32(20)) & np.uint32(SHARE - 1) == 0
