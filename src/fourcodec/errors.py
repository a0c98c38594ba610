"""What can be wrong with a file, a picture or a machine.

    FourcodecError
    ├── CorruptFileError         the bytes contradict themselves: truncated, damaged, or not ours
    ├── UnsupportedFormatError   a sound file, but of a kind that this version cannot read
    ├── LimitError               larger than what this program agrees to work on
    ├── VerificationError        a fresh file that does not hold what was encoded: a fault of this program or machine
    ├── FitError                 a fit whose numbers stopped being numbers
    ├── TargetError              a size or quality that no file of this picture comes to
    ├── ImageError               a picture that cannot be read, or has a shape that cannot be coded
    ├── DeviceError              a device that this machine does not have
    ├── DatasetError             a set of training images that cannot be read, or is not of one size
    ├── ConfigError              a configuration with an unknown key or a value out of range
    └── ModelError               a folder that holds no sound generative model

A caller's mistake (a width of 99, an array of the wrong shape) is a plain ValueError. Each message is one line, made
to be shown to a person as it is.
"""


class FourcodecError(Exception):
    """Anything that this package refuses, other than a caller's mistake."""


class CorruptFileError(FourcodecError):
    """The bytes are damaged, truncated, or never were a .fnc file."""


class UnsupportedFormatError(FourcodecError):
    """The file is sound but asks for something this version does not know."""


class LimitError(FourcodecError):
    """The file or picture is larger than the limit named in the message."""


class VerificationError(FourcodecError):
    """A file that was just made does not decode to what was encoded. Never seen; it is what `encode` is checked for."""


class FitError(FourcodecError):
    """A fit came to numbers that are none and has no better state to go back to."""


class TargetError(FourcodecError):
    """No file of this picture has the size or quality that was asked for; the message says what is nearest. `short`:
    whether that has fewer bytes or less PSNR than the target."""

    def __init__(self, message: str, *, short: bool) -> None:
        super().__init__(message)
        self.short = short


class ImageError(FourcodecError):
    """The picture cannot be read or coded."""


class DeviceError(FourcodecError):
    """The requested device is not there."""


class DatasetError(FourcodecError):
    """The images to learn from cannot be read, or do not go together."""


class ConfigError(FourcodecError):
    """A configuration has an unknown key or a value out of range."""


class ModelError(FourcodecError):
    """A folder that should hold a trained model does not, or a damaged one."""


MEMORY_HINT = (
    "not enough memory: decode a smaller size (--scale 0.25) or a part (--region), encode a smaller picture, or use "
    "fewer --jobs; a full GPU is avoided by --device cpu"
)


def is_memory_error(exc: BaseException) -> bool:
    """Of the machine or of its GPU: torch's error for the latter is a RuntimeError, known by name: importing torch
    would cost seconds."""
    return isinstance(exc, MemoryError) or type(exc).__name__ == "OutOfMemoryError"


def one_line(exc: BaseException) -> str:
    """What an exception says, without line breaks; what to do where memory is short."""
    if is_memory_error(exc):
        return MEMORY_HINT
    return " ".join(str(exc).split()) or type(exc).__name__
