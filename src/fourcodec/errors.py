"""What can be wrong with a file, a picture or a machine.

    FourcodecError
    ├── CorruptFileError         the bytes contradict themselves: truncated, damaged, or not ours
    ├── UnsupportedFormatError   a sound file, but of a kind that this version cannot read
    ├── LimitError               larger than what this program agrees to work on
    ├── ImageError               a picture that cannot be read, or has a shape that cannot be coded
    └── DeviceError              a device that this machine does not have

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


class ImageError(FourcodecError):
    """The picture cannot be read or coded."""


class DeviceError(FourcodecError):
    """The requested device is not there."""


def one_line(exc: BaseException) -> str:
    """What an exception says, without line breaks."""
    return " ".join(str(exc).split()) or type(exc).__name__
