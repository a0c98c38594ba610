"""The table of profiles: what a file's profile id stands for. Importing it loads neither numba nor torch."""

from fourcodec.fnet import profile as fnet
from fourcodec.grid import tiled

PROFILES = {fnet.PROFILE_ID: fnet, tiled.PROFILE_ID: tiled}
