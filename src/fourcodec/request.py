"""A request for a file: its profile, the size of its network, and its quality or target."""

from __future__ import annotations

from dataclasses import dataclass

from fourcodec import extras
from fourcodec.arguments import number, whole_number
from fourcodec.grid import profile as grid
from fourcodec.profiles import PROFILES
from fourcodec.tuning import PSNR, TUNES, VISUAL

DEFAULT_WIDTH, DEFAULT_DEPTH = 8, 6
DEFAULT_QUALITY = 60.0
TARGETS = ("target_bytes", "target_bpp", "target_psnr", "target_ssimulacra2")
HIGHEST_PSNR_DB = 90.0  # only an exact copy of a small or medium picture exceeds it
HIGHEST_SSIMULACRA2 = 95.0  # an exact copy has 100
_WHOLE_NUMBERS = ("width", "depth", "target_bytes")
_NUMBERS = ("quality", "target_bpp", "target_psnr", "target_ssimulacra2", "max_seconds")
PROFILE_NAMES = tuple(profile.NAME for profile in PROFILES.values())


@dataclass(frozen=True)
class Request:
    """The arguments of `encode` with these names. Raises ValueError where they are of another type, out of range or
    contradict each other, MissingLibraryError for a target whose metric is not installed."""

    profile: str | None = None
    quality: float | None = None
    width: int | None = None
    depth: int | None = None
    target_bytes: int | None = None
    target_bpp: float | None = None
    target_psnr: float | None = None
    max_seconds: float | None = None
    tune: str = PSNR
    target_ssimulacra2: float | None = None

    def __post_init__(self) -> None:
        for names, convert in ((_WHOLE_NUMBERS, whole_number), (_NUMBERS, number)):
            for name in names:
                if (value := getattr(self, name)) is not None:
                    object.__setattr__(self, name, convert(name, value))
        self._check_ranges()
        amounts = [name for name in ("quality", *TARGETS) if getattr(self, name) is not None]
        if len(amounts) > 1:
            raise ValueError(f"{amounts[0]} and {amounts[1]} exclude each other: give one of them")
        if self.profile == grid.NAME and self.sized:
            raise ValueError("width and depth belong to the profile fnet; the grid has a quality or a target")
        if self.max_seconds is not None and not self.is_grid:
            raise ValueError("max_seconds belongs to the profile grid; fnet has an effort")
        if self.tune == VISUAL and not self.is_grid:
            raise ValueError("the tuning visual belongs to the profile grid")
        if self.max_seconds is not None and self.targeted:
            raise ValueError("max_seconds and a target exclude each other: a lower effort takes less time")
        if self.target_ssimulacra2 is not None:
            extras.require("a target in SSIMULACRA 2", "ssimulacra2")

    def _check_ranges(self) -> None:
        if self.profile is not None and self.profile not in PROFILE_NAMES:
            raise ValueError(f"profiles are {' and '.join(PROFILE_NAMES)}, not {self.profile!r}")
        if self.tune not in TUNES:
            raise ValueError(f"tunings are {' and '.join(TUNES)}, not {self.tune!r}")
        if self.quality is not None and not 0 <= self.quality <= 100:
            raise ValueError(f"quality is 0 to 100, not {self.quality:g}")
        for name in ("max_seconds", *TARGETS):
            value = getattr(self, name)
            if value is not None and not 0 < value < float("inf"):
                raise ValueError(f"{name} is above 0, not {value:g}")
        if self.target_psnr is not None and self.target_psnr > HIGHEST_PSNR_DB:
            raise ValueError(f"target_psnr is at most {HIGHEST_PSNR_DB:g} dB, not {self.target_psnr:g}")
        if self.target_ssimulacra2 is not None and self.target_ssimulacra2 > HIGHEST_SSIMULACRA2:
            raise ValueError(f"target_ssimulacra2 is at most {HIGHEST_SSIMULACRA2:g}, not {self.target_ssimulacra2:g}")

    @property
    def is_grid(self) -> bool:
        """True if the profile is grid, the default unless a size is given."""
        return not self.sized if self.profile is None else self.profile == grid.NAME

    @property
    def sized(self) -> bool:
        """True if a width or depth is given."""
        return self.width is not None or self.depth is not None

    @property
    def targeted(self) -> bool:
        """True if a target in bytes, bits per pixel, dB or SSIMULACRA 2 is given."""
        return any(getattr(self, name) is not None for name in TARGETS)

    @property
    def takes_max_seconds(self) -> bool:
        """True if a limit of time may be given: for the grid, without a target."""
        return self.is_grid and not self.targeted

    @property
    def size(self) -> tuple[int, int] | None:
        """Width and depth of the pure network; None where the encoder chooses them."""
        if not self.sized and (self.quality is not None or self.targeted):
            return None
        return (
            DEFAULT_WIDTH if self.width is None else self.width,
            DEFAULT_DEPTH if self.depth is None else self.depth,
        )
