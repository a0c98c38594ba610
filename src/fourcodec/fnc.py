"""A .fnc file, parsed once, from which pixels, metadata, a description and limit checks can be had."""

import os
from functools import cached_property
from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from fourcodec import devices, files, metrics
from fourcodec.arguments import instance, path
from fourcodec.arrays import Samples
from fourcodec.bitstream import alpha, container, metadata
from fourcodec.bitstream.container import Header, Section
from fourcodec.bitstream.metadata import Metadata
from fourcodec.errors import CorruptFileError, UnsupportedFormatError
from fourcodec.images import pixels, transparency
from fourcodec.limits import BYTES_REMEDY, DEFAULT, UNLIMITED, Limits
from fourcodec.profiles import MODEL_PROFILE, PROFILES, Profile
from fourcodec.views import WHOLE, Lattice, View, whole

# A .fnc file as functions take it: its bytes, its path, or an object open for reading bytes.
Source = bytes | str | os.PathLike[str] | BinaryIO
# The fields of the header that a description has as they are.
_DESCRIBED = ("width", "height", "channels", "bit_depth", "coordinates", "activation", "prior", "tiles")


class File:
    """A .fnc file, parsed, checked and split into sections once.

    `data` are the file's bytes, its path, or an object that is open for reading bytes; it is read to its end and not
    closed. Raises ValueError for anything else, OSError, LimitError where more bytes than `limits` allow would be read,
    CorruptFileError where the bytes are damaged, UnsupportedFormatError where they are of a newer format. With
    `partial`, bytes may be missing at the end: `cut` then says so, and `pixels` are those of `beginning`.
    Content that only a later version can decode raises when it is requested, not here. `limits` apply to `pixels` and
    `integers`, the only members that decode the network. `parsed` is container.read(data), where a caller already has
    it.
    """

    def __init__(
        self,
        data: "Source",
        limits: Limits = DEFAULT,
        *,
        parsed: tuple[Header, list[Section]] | None = None,
        partial: bool = False,
    ) -> None:
        instance("limits", limits, Limits)
        data = _bytes_of(data, limits)
        self.limits, self.size_bytes = limits, len(data)
        self._missing_bytes: int | None = None  # of the last section, where the file ends too early
        if partial:
            self.header, self.sections, self._missing_bytes = container.read_beginning(data, UNLIMITED)
        else:
            self.header, self.sections = parsed or container.read(data, UNLIMITED)

    # The bounds on weights leave no sum that overflows float32. Should one do so all the same, its samples are cut to
    # their range, and nobody could act on numpy's warning.
    @np.errstate(over="ignore", invalid="ignore")
    def pixels(self, view: View = WHOLE, device: str = "cpu") -> Samples:
        """The image, or a view of it; see `decode`."""
        instance("view", view, View)
        processor, header = devices.resolve(device), self.header
        if self.cut:
            if view != WHOLE:
                raise ValueError("a file that ends too early is decoded as a whole, not in part or at another size")
            return self.beginning[0]
        self.limits.check_pixels(header.width, header.height)
        _ = self.profile  # raises where this version cannot decode the file
        lattice = view.on(header.width, header.height)
        self.limits.check_pixels(lattice.columns, lattice.rows, "what is asked for has")
        _, mask = self._split
        if mask is None:
            return pixels.from_planes(self._planes(lattice, processor), header.bit_depth)
        planes, opacity = transparency.on_lattice(
            lambda at: self._planes(at, processor), alpha.read(mask, header), lattice
        )
        return np.dstack([pixels.from_planes(planes, header.bit_depth), opacity])

    @property
    def cut(self) -> bool:
        """True for a file that ends too early; only with `partial`."""
        return self._missing_bytes is not None

    @cached_property
    @np.errstate(over="ignore", invalid="ignore")
    def beginning(self) -> tuple[Samples, str]:
        """The picture that the beginning of a cut file gives, at 1:2^r, and a note for people that says from what.
        Alpha is the nearest samples', or opaque where it is missing too. Raises as `decode`."""
        header, missing_bytes = self.header, self._missing_bytes or 0
        self.check_limits()
        found = container.by_kind(self.sections, {**self.profile.SECTION_NAMES, alpha.KIND: alpha.NAME})
        if alpha.KIND in found and not header.has_alpha:
            raise CorruptFileError(f"{header.channels} channels with section {alpha.NAME!r}")
        own = [section for section in self.sections if section.kind != alpha.KIND]
        of_own = missing_bytes if own and own[-1] is self.sections[-1] else 0
        network, reduction, what = self.profile.unpack_beginning(self.config, own, of_own)
        planes = self.profile.render_beginning(network, (header.height, header.width), reduction)
        shown = pixels.from_planes(planes, header.bit_depth)
        rows, columns = shown.shape[:2]
        note = (
            f"the file ends too early: {what}; the picture is {columns} x {rows} of {header.width} x {header.height} "
            "pixels, and the payload's checksum cannot be verified"
        )
        if not header.has_alpha:
            return shown, note
        opacity = np.full((rows, columns), 2**header.bit_depth - 1, shown.dtype)
        mask = container.by_kind([s for s in self._whole_sections if s.kind == alpha.KIND], {alpha.KIND: alpha.NAME})
        if mask:
            places = [
                np.minimum(((np.arange(count) + 0.5) * 2**reduction).astype(np.int64), side - 1)
                for count, side in ((rows, header.height), (columns, header.width))
            ]
            opacity = alpha.read(mask[alpha.KIND], header)[np.ix_(*places)]
        return np.dstack([shown, opacity]), note

    def metadata(self) -> Metadata:
        """The ICC profile, EXIF, XMP and density. Raises as `read_metadata`."""
        return metadata.read(self._whole_sections)

    def salvage_metadata(self) -> tuple[Metadata, list[str]]:
        """The sound metadata, and a remark for people on each document that is damaged."""
        return metadata.salvage(self._whole_sections)

    def check_limits(self, limits: Limits | None = None) -> None:
        """Raises LimitError where `limits`, the file's own unless given, do not allow decoding the whole image, and
        otherwise as `decode`."""
        limits, header = limits or self.limits, self.header
        limits.check_pixels(header.width, header.height)
        self._check_costs(whole(header.width, header.height), limits)

    def describe(self) -> dict[str, Any]:
        """The header's fields and the bytes of each section, as JSON types. Raises as `decode`."""
        header, profile = self.header, self.profile
        names = {**profile.SECTION_NAMES, alpha.KIND: alpha.NAME, **metadata.NAMES}
        own = self.profile_sections
        return {
            "format": f"{container.FORMAT_MAJOR}.{container.FORMAT_MINOR}",
            "profile": profile.NAME,
            **{name: getattr(header, name) for name in _DESCRIBED},
            "architecture": list(header.architecture),
            "size_bytes": self.size_bytes,
            "rate_bpp": metrics.bpp(self.size_bytes, header.width, header.height),
            "header_bytes": self.size_bytes - sum(section.size_bytes for section in self.sections),
            "sections": [
                {
                    "kind": section.kind,
                    "name": names.get(section.kind, "unknown"),
                    "critical": section.critical,
                    "coder": container.CODER_NAMES.get(section.coder, str(section.coder)),
                    "size_bytes": section.size_bytes,
                    "payload_bytes": len(section.payload),
                }
                for section in self.sections
            ],
            "network": profile.describe(self.config, own),
            "multiplications": profile.multiplications(self.config, whole(header.width, header.height)),
        }

    @cached_property
    def profile(self) -> Profile[Any, Any]:
        """The profile that understands the file. Raises UnsupportedFormatError where this version has none."""
        header = self.header
        if header.profile == MODEL_PROFILE:
            raise UnsupportedFormatError(
                "the file holds the latent of a generative model: `fourcodec decode --model` decodes it"
            )
        if header.profile not in PROFILES:
            raise UnsupportedFormatError(f"the file is of profile {header.profile}, unknown to this version")
        if header.bit_depth not in pixels.SAMPLE_TYPES:
            raise UnsupportedFormatError(f"the file has {header.bit_depth}-bit samples, this version decodes 8 and 16")
        return PROFILES[header.profile]

    @cached_property
    def config(self) -> Any:
        """The profile's configuration, read from the header. Raises CorruptFileError and UnsupportedFormatError."""
        return self.profile.read_config(self.header)

    @property
    def _whole_sections(self) -> list[Section]:
        return self.sections[: len(self.sections) - bool(self._missing_bytes)]

    @property
    def profile_sections(self) -> list[Section]:
        """All sections but alpha. Raises CorruptFileError where alpha is missing or not expected."""
        return self._split[0]

    @cached_property
    def integers(self) -> Any:
        """The network of the whole image as integers, decoded once. Raises as `decode`."""
        self.check_limits()
        return self.profile.unpack(self.config, self.profile_sections)

    @cached_property
    def _split(self) -> tuple[list[Section], Section | None]:
        """The sections for the profile, and that of alpha where the image has it."""
        header = self.header
        ours = [section for section in self.sections if section.kind == alpha.KIND]
        mask = container.by_kind(ours, {alpha.KIND: alpha.NAME}).get(alpha.KIND)
        if (mask is not None) != header.has_alpha:
            word = "without" if header.has_alpha else "with"
            raise CorruptFileError(f"{header.channels} channels {word} section {alpha.NAME!r}")
        return [section for section in self.sections if section.kind != alpha.KIND], mask

    def _planes(self, lattice: Lattice, device: str) -> npt.NDArray[np.float32]:
        """The colours (1 or 3, rows, columns), about [0, 1]. Only the integers of the whole image are kept: those that
        another lattice needs depend on the lattice."""
        header, profile = self.header, self.profile
        if lattice == whole(header.width, header.height):
            network = self.integers
        else:
            self._check_costs(lattice, self.limits)
            network = profile.unpack(self.config, self.profile_sections, lattice)
        return profile.render(network, (header.height, header.width), device, lattice)

    def _check_costs(self, lattice: Lattice, limits: Limits) -> None:
        limits.check_memory(self.profile.memory_pixels(self.config))
        limits.check_work(self.profile.multiplications(self.config, lattice))


def _bytes_of(data: Any, limits: Limits) -> bytes:
    """The bytes of a file that is given as a Source. Raises ValueError for anything else, OSError and LimitError."""
    if isinstance(data, bytes):
        return data
    if isinstance(data, bytearray | memoryview):
        return bytes(data)
    if isinstance(data, str | os.PathLike):
        return files.read(path(data), limits.file_bytes, BYTES_REMEDY)
    if hasattr(data, "read"):
        return files.read_open(data, limits.file_bytes, BYTES_REMEDY)
    raise ValueError(f"a .fnc file is given by its bytes, its path or an open file, not by {type(data).__name__}")
