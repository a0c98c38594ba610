"""Everything only an encoder needs. Imports scipy and numba, never torch unless CUDA is asked for."""

from fourcodec.fitting.fnet import Progress, fit, fit_float
from fourcodec.fitting.settings import FLOAT_SCHEDULE, FitSettings, Phase, settings_for

__all__ = ["FLOAT_SCHEDULE", "FitSettings", "Phase", "Progress", "fit", "fit_float", "settings_for"]
