"""Where the bytes of a file are: by section, which the header says, and by part, for which it has to be decoded."""

from dataclasses import dataclass
from typing import Any

from fourcodec.fnc import File


@dataclass(frozen=True)
class Item:
    """A section, or a part of one."""

    name: str
    size_bytes: float  # of a section with its framing, whole; of a part computed
    section: str  # the name of the section that it belongs to
    is_part: bool = False


def by_section(description: dict[str, Any]) -> list[Item]:
    """The header and every section of what File.describe says. Their sum is the size of the file."""
    sections = (Item(section["name"], section["size_bytes"], section["name"]) for section in description["sections"])
    return [Item("header", description["header_bytes"], "header"), *sections]


def parts_of(file: File) -> dict[str, list[dict[str, Any]]]:
    """The parts of the sections that are one stream, by the section's name, as JSON types: name and size_bytes.

    The bytes of a part are no whole number: all parts share one arithmetic code. Decodes all integers, and raises as
    codec.decode of the whole image.
    """
    bits = file.profile.bits_by_part(file.integers, file.profile_sections)
    return {
        section: [{"name": name, "size_bytes": size_bits / 8} for name, size_bits in parts]
        for section, parts in bits.items()
    }


def with_parts(items: list[Item], parts: dict[str, list[dict[str, Any]]]) -> list[Item]:
    """The sections, each followed by its parts."""
    found = []
    for item in items:
        found.append(item)
        found += [Item(part["name"], part["size_bytes"], item.name, True) for part in parts.get(item.name, [])]
    return found
