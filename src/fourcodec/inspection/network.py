"""The network of a file, checked as `decode` checks it."""

from fourcodec import codec
from fourcodec.bitstream import container
from fourcodec.bitstream.container import Header, Section
from fourcodec.limits import DEFAULT, Limits
from fourcodec.profiles import PROFILES


def network_of(data: bytes, limits: Limits = DEFAULT) -> tuple[Header, list[Section]]:
    """The header, and the sections that the profile knows. Raises as codec.decode of the whole picture, LimitError
    among others: what follows takes as much."""
    codec.describe(data)  # what this version cannot decode is refused there
    codec.check_limits(data, limits)
    header, sections = container.read(data, limits)
    return header, [section for section in sections if section.kind in PROFILES[header.profile].SECTION_NAMES]
