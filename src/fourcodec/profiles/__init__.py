"""The table of profiles: what a file's profile id stands for. Importing it loads neither numba nor torch."""

from fourcodec.profiles import fnet, tiled

PROFILES = {fnet.PROFILE_ID: fnet, tiled.PROFILE_ID: tiled}
