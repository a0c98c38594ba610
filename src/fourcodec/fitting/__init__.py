"""Everything only an encoder needs. Imports scipy and numba, never torch unless CUDA is asked for."""

from fourcodec.fitting.fnet import fit, fit_float
from fourcodec.fitting.grid import fit as fit_grid
from fourcodec.fitting.grid import phase_index
from fourcodec.fitting.progress import Progress
from fourcodec.fitting.settings import (
    FLOAT_SCHEDULE,
    RATE_WEIGHT,
    WHOLE,
    FitSettings,
    GridSettings,
    Part,
    Phase,
    grid_settings_for,
    rate_weight_of,
    settings_for,
)
from fourcodec.fitting.sizes import next_size, size_for, size_for_bytes

__all__ = [
    "FLOAT_SCHEDULE",
    "RATE_WEIGHT",
    "WHOLE",
    "FitSettings",
    "GridSettings",
    "Part",
    "Phase",
    "Progress",
    "fit",
    "fit_float",
    "fit_grid",
    "grid_settings_for",
    "next_size",
    "phase_index",
    "rate_weight_of",
    "settings_for",
    "size_for",
    "size_for_bytes",
]
