"""The exceptions of this package, for faults of a file, a picture or a machine.

    FourcodecError
    ├── CorruptFileError         the bytes are truncated, damaged, or no .fnc file
    ├── UnsupportedFormatError   a sound file, but of a kind that this version cannot read
    ├── LimitError               a file or picture that exceeds a limit (limits.py)
    ├── VerificationError        a new file that does not decode to what was encoded: a fault of this program or machine
    ├── FitError                 a fit that diverged to infinite or undefined numbers
    ├── TargetError              a size or quality that no file of this picture reaches
    ├── ImageError               a picture that cannot be read, or has a shape that cannot be coded
    ├── DeviceError              a device that this machine does not have
    ├── MissingLibraryError      an optional library that is not installed; an ImportError, too
    ├── DatasetError             a set of training images that cannot be read, or is not of one size
    ├── ConfigError              a configuration with an unknown key or a value out of range
    └── ModelError               a folder that holds no sound generative model

A caller's mistake (a width of 99, an array of the wrong shape) is a plain ValueError. Each message is one line that can
be shown to the user as it is.
"""

import unicodedata


class FourcodecError(Exception):
    """The base class of all exceptions that this package raises on purpose, except ValueError and OSError."""


class CorruptFileError(FourcodecError):
    """The bytes are damaged, truncated, or never were a .fnc file."""


class UnsupportedFormatError(FourcodecError):
    """The file is sound but needs something that this version does not have."""


class LimitError(FourcodecError):
    """The file or picture is larger than the limit named in the message."""


class VerificationError(FourcodecError):
    """A new file does not decode to what was encoded. `encode` checks every file; no such case is known."""


class FitError(FourcodecError):
    """A fit diverged to infinite or undefined numbers and has no better state to return to."""


class TargetError(FourcodecError):
    """No file of this picture has the size or quality that was asked for. The message says what is nearest; `short` is
    true where that has fewer bytes or a lower PSNR than the target."""

    def __init__(self, message: str, *, short: bool) -> None:
        super().__init__(message)
        self.short = short


class ImageError(FourcodecError):
    """The picture cannot be read or coded."""


class DeviceError(FourcodecError):
    """The requested device is not there."""


class MissingLibraryError(FourcodecError, ImportError):
    """An optional library is not installed; the message names the extra that brings it."""


class DatasetError(FourcodecError):
    """The training images cannot be read, or differ in size."""


class ConfigError(FourcodecError):
    """A configuration has an unknown key or a value out of range."""


class ModelError(FourcodecError):
    """A folder holds no trained model, or a damaged one."""


MEMORY_HINT = (
    "not enough memory: decode a smaller size (--scale 0.25) or a part (--region), encode a smaller picture, or use "
    "fewer --jobs; a full GPU is avoided by --device cpu"
)


def is_memory_error(exc: BaseException) -> bool:
    """True for an exception that says that the memory of the machine or of its GPU ran out. Torch's exception for the
    GPU is recognised by its name, since importing torch takes seconds."""
    return isinstance(exc, MemoryError) or type(exc).__name__ == "OutOfMemoryError"


def one_line(exc: BaseException) -> str:
    """The message of an exception on one line; where memory ran out, MEMORY_HINT."""
    if is_memory_error(exc):
        return MEMORY_HINT
    return printable(" ".join(str(exc).split())) or type(exc).__name__


def printable(text: str) -> str:
    """The text with an escape in place of each character that moves a cursor, ends a line or has no encoding.

    Names of files may hold any byte but 0 and '/'. Python stands a lone surrogate for one that is not UTF-8, which
    UTF-8 cannot encode; it becomes \\xe9, say. Every line for people that may hold a name goes through this function.
    """
    return "".join(_escaped(character) if _is_unprintable(character) else character for character in text)


def _is_unprintable(character: str) -> bool:
    """True for controls, lone surrogates, ends of lines, and formatting such as a change of direction; joiners, which
    are parts of words and emoji, are printed."""
    return unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp") and character not in "\u200c\u200d"


def _escaped(character: str) -> str:
    byte = ord(character) - 0xDC00  # see os.fsdecode
    return f"\\x{byte:02x}" if 0x80 <= byte <= 0xFF else character.encode("unicode_escape").decode("ascii")
