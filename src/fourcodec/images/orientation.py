"""EXIF orientation: turning samples upright, and resetting the orientation in the metadata (CIPA DC-008, Exif 2.32,
section 4.6.4, tag 0x0112).

The tag is changed in place. Writing the whole structure again would break makers' notes, which hold undocumented
offsets.
"""

from __future__ import annotations

import re
import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

TAG = 0x0112
UPRIGHT = 1
# orientation: (swap rows and columns, then reverse the rows, then reverse the columns)
TURNS = {
    2: (False, False, True),
    3: (False, True, True),
    4: (False, True, False),
    5: (True, False, False),
    6: (True, False, True),
    7: (True, True, True),
    8: (True, True, False),
}
_ENTRY_BYTES = 12


def turn(samples: NDArray[Any], orientation: int) -> NDArray[Any]:
    """Samples (H, W, ...) of this EXIF orientation -> upright samples, contiguous. 1 and unknown values change
    nothing."""
    swapped, rows, columns = TURNS.get(orientation, (False, False, False))
    if swapped:
        samples = samples.swapaxes(0, 1)
    if rows:
        samples = samples[::-1]
    return np.ascontiguousarray(samples[:, ::-1] if columns else samples)


def reset_exif(exif: bytes) -> bytes:
    """The TIFF structure of EXIF with its orientation set to 1. Raises ValueError where it is not a TIFF structure."""
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(exif[:4])
    try:
        if order is None:
            raise ValueError("EXIF begins with neither of TIFF's byte orders")
        (start,) = struct.unpack_from(f"{order}I", exif, 4)
        (count,) = struct.unpack_from(f"{order}H", exif, start)
        changed = bytearray(exif)
        for at in range(start + 2, start + 2 + count * _ENTRY_BYTES, _ENTRY_BYTES):
            (tag,) = struct.unpack_from(f"{order}H", exif, at)
            if tag == TAG:
                struct.pack_into(f"{order}HHIHH", changed, at, TAG, 3, 1, UPRIGHT, 0)  # type 3: one 16-bit number
    except struct.error as exc:
        raise ValueError("EXIF ends inside its first directory") from exc
    return bytes(changed)


def reset_xmp(xmp: bytes) -> bytes:
    """The XMP packet with tiff:Orientation set to 1, where it has one as an attribute or an element."""
    return re.sub(rb'(tiff:Orientation(?:\s*=\s*["\']|>\s*))[2-8]', rb"\g<1>1", xmp)
