"""The work on one file of a folder: encoding or decoding it, in the process or on the machine where this is called.

Any error becomes part of the result, so that one bad file does not end a run over a thousand. A result holds the
target's bytes: only the process that keeps the manifest writes files.
"""

import hashlib
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fourcodec import codec, files, images
from fourcodec.batch.listing import PICTURE_SUFFIXES
from fourcodec.batch.work import Work
from fourcodec.errors import one_line
from fourcodec.limits import BYTES_REMEDY, DEFAULT, Limits
from fourcodec.views import View

if TYPE_CHECKING:
    from fourcodec.optimisation.progress import Progress

Convert = Callable[[Path, dict[str, Any]], tuple[bytes, tuple[str, ...]]]  # (path, settings) -> (bytes, notes)


@dataclass(frozen=True)
class Task:
    """A source and a target, each as a path relative to its folder. `folder` is the source's, absolute."""

    folder: str
    source: str
    target: str

    @property
    def path(self) -> Path:
        """The absolute path of the source."""
        return Path(self.folder, self.source)


@dataclass(frozen=True)
class Stamp:
    """The facts about a source by which a later run sees whether it has changed."""

    size_bytes: int
    mtime_ns: int
    sha256: str


@dataclass(frozen=True)
class Result:
    """The result of a task: the source's stamp and the target's bytes, or an error of one line."""

    task: Task
    stamp: Stamp | None = None
    data: bytes = field(default=b"", repr=False)
    error: str = ""
    notes: tuple[str, ...] = ()  # remarks for people, a line each


@dataclass(frozen=True)
class Direction:
    """Encoding or decoding: the suffixes of sources and targets, the settings, and the function that does one file."""

    name: str
    suffixes: frozenset[str]
    target_suffix: str
    settings: dict[str, Any]  # all that a target's bytes depend on, beside its source; JSON types and tuples
    convert: Convert

    @property
    def work(self) -> Work[Task, Result]:
        """The work that the engine does on each task."""
        return Work(partial(_run, convert=self.convert, settings=self.settings), _failed)


def encoding(arguments: dict[str, Any], frame: int | None = None, limits: Limits = DEFAULT) -> Direction:
    """The direction that encodes with `arguments`, those of codec.encode. `frame` chooses the frame of pictures with
    several.

    The limits are not a setting: they decide which files are refused, and do not change the bytes of the others.
    """
    settings = {**arguments, "frame": frame}
    return Direction("encode", PICTURE_SUFFIXES, ".fnc", settings, partial(_encode, limits=limits))


def decoding(view: View, file_format: str, *, strip: bool, device: str, limits: Limits = DEFAULT) -> Direction:
    """The direction that decodes `view` of each file to a picture in `file_format`, one of images.FORMATS.

    `strip`: the pictures are written without their metadata.
    """
    settings = {**asdict(view), "format": file_format, "strip": strip, "device": device}
    return Direction("decode", frozenset({".fnc"}), f".{file_format}", settings, partial(_decode, limits=limits))


def stamp_of(path: Path) -> Stamp:
    """The stamp of a file as it is now. Raises OSError, also for what is no regular file."""
    files.check_regular(path)
    with path.open("rb") as file:
        found = path.stat()
        return Stamp(found.st_size, found.st_mtime_ns, hashlib.file_digest(file, "sha256").hexdigest())


def _encode(path: Path, settings: dict[str, Any], *, limits: Limits) -> tuple[bytes, tuple[str, ...]]:
    arguments = dict(settings)
    picture = images.load(path, frame=arguments.pop("frame"), limits=limits)
    notes = list(picture.notes)

    def watch(progress: "Progress") -> None:
        if progress.note:
            notes.append(progress.note)

    encoded = codec.encode(picture, **arguments, limits=limits, progress=watch)
    if encoded.refusal:
        notes.append(f"decoders refuse this file by default: {encoded.refusal}")
    return encoded.data, tuple(notes)


def _decode(path: Path, settings: dict[str, Any], *, limits: Limits) -> tuple[bytes, tuple[str, ...]]:
    view = View(settings["region"], settings["scale"], settings["size"])
    file = codec.File(files.read(path, limits.file_bytes, BYTES_REMEDY), limits)
    pixels = file.pixels(view, settings["device"])
    metadata, remarks = (None, []) if settings["strip"] else file.salvage_metadata()
    picture, notes = images.write(pixels, settings["format"], metadata)
    return picture, (*remarks, *notes)


def _run(task: Task, convert: Convert, settings: dict[str, Any]) -> Result:
    try:
        stamp = stamp_of(task.path)
        data, notes = convert(task.path, settings)
    except OSError as exc:
        return Result(task, error=exc.strerror or one_line(exc))
    except Exception as exc:
        return Result(task, error=one_line(exc))
    return Result(task, stamp, data, notes=notes)


def _failed(task: Task, reason: str) -> Result:
    return Result(task, error=reason)
