"""Unsigned integers in as few bytes as they need: LEB128, seven bits a byte, low bits first (FORMAT.md, Varints)."""

from fourcodec.errors import CorruptFileError

MAX_VALUE = 2**32 - 1  # five bytes: enough for every length and count, and no reader has to think of larger ones
MAX_BYTES = 5


def write(value: int) -> bytes:
    """The shortest encoding of 0 <= value <= MAX_VALUE, 1 to 5 bytes."""
    if not 0 <= value <= MAX_VALUE:
        raise ValueError(f"a varint holds 0 to {MAX_VALUE}, not {value}")
    coded = bytearray()
    while value > 0x7F:
        coded.append(value & 0x7F | 0x80)
        value >>= 7
    coded.append(value)
    return bytes(coded)


def read(data: bytes, offset: int) -> tuple[int, int]:
    """The value that starts at `offset`, and the offset behind it.

    Raises CorruptFileError where the data end inside it, where it exceeds MAX_VALUE, and where it is longer than it had
    to be (one value has one encoding, so equal files are equal bytes).
    """
    value = 0
    for index in range(MAX_BYTES):
        if offset + index >= len(data):
            raise CorruptFileError(f"the file ends inside a number at byte {offset}")
        byte = data[offset + index]
        value |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            if value > MAX_VALUE:
                break
            if byte == 0 and index > 0:
                raise CorruptFileError(f"the number at byte {offset} has superfluous zero bytes")
            return value, offset + index + 1
    raise CorruptFileError(f"the number at byte {offset} is larger than {MAX_VALUE}")
