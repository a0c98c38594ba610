"""Compiles the kernels that files can ask for, or loads them from the disk."""

import itertools

import numpy as np

from fourcodec.fnet.config import MAX_WIDTH
from fourcodec.fourier.layer import layer_kernels
from fourcodec.fourier.limited import limited_kernels
from fourcodec.grid.config import MAX_ORDER
from fourcodec.grid.kernels.synthesis import synthesis_kernels
from fourcodec.grid.pyramid import MAX_LEVELS
from fourcodec.grid.weights import GridShape


def warm_fnet() -> None:
    for outputs in range(1, MAX_WIDTH + 1):
        x, y = np.zeros((1, 192), np.float32), np.empty((outputs, 192), np.float32)
        layer_kernels(outputs).forward(x, np.zeros(2 * 2 * outputs, np.float32), False, 0, 192, y)
        limited_kernels(1, 0, outputs).forward(x, np.zeros(2 * outputs, np.float32), False, 0, 192, y)


def warm_grid() -> None:
    for levels, order, channels in itertools.product(range(1, MAX_LEVELS + 1), range(MAX_ORDER + 1), (1, 3)):
        shape = GridShape(levels, order, 1, channels)
        first, last = (np.zeros(size, np.float32).ravel() for size in shape.shapes[1:3])
        x, y = np.zeros((levels, 192), np.float32), np.empty((channels, 192), np.float32)
        synthesis_kernels(levels, order, channels).forward(x, first, last, np.float32(1), 0, 192, y)
