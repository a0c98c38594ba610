"""Pillow's door to .fnc files: importing this module lets Image.open and Image.save know them.

    import fourcodec.pillow_plugin        (or fourcodec.register())
    Image.open("a.fnc").save("b.fnc", quality=50, effort=3)

Opening reads the file and checks it, and decodes nothing: neither numba nor torch is loaded before pixels are wanted.
The one module of the package that does something when it is imported, since that is how Pillow finds plugins.
"""

import math
from io import BytesIO
from typing import IO, Any

import numpy as np
from PIL import Image, ImageFile

from fourcodec.bitstream import container
from fourcodec.bitstream.container import MAX_FILE_BYTES
from fourcodec.errors import FourcodecError
from fourcodec.views import WHOLE, View

FORMAT = "FNC"
EXTENSION = ".fnc"
MIME = "image/x-fnc"
MODES = {1: "L", 3: "RGB"}  # by channels: what is opened, and what can be saved
OPTIONS = ("profile", "quality", "width", "depth", "effort", "iterations", "max_seconds", "device", "seed")
# A draft may be a little smaller than asked for: 4000 pixels asked for at 512, twice a thumbnail's 256, become 500.
_DRAFT_SLACK = 0.1  # octaves


class FncImageFile(ImageFile.ImageFile):
    """A .fnc file that is decoded when its pixels are wanted."""

    format = FORMAT
    format_description = "Fourier network image"

    def _open(self) -> None:
        """Raises SyntaxError for files of another kind, as Pillow wants it, and OSError for damaged ones of ours."""
        assert self.fp is not None
        self._data = self.fp.read(MAX_FILE_BYTES + 1)
        if not accept(self._data):
            raise SyntaxError("not a .fnc file")
        try:
            header, _ = container.read(self._data)
        except FourcodecError as exc:
            raise OSError(str(exc)) from exc
        if header.channels not in MODES:
            raise OSError(f"pictures of {header.channels} channels cannot be decoded by this version")
        self._size, self._mode = (header.width, header.height), MODES[header.channels]
        self.info.update(_metadata(self._data))
        self._view = WHOLE
        self.tile = [ImageFile._Tile("raw", (0, 0, *self.size), 0, self.mode)]

    def draft(self, mode: str | None, size: tuple[int, int] | None) -> Any:
        """Has the picture decoded at 1/2, 1/4, ... of its size, about so large that it fits into `size` or just not.

        Returns the mode, which stays, and the box of the whole picture; None without a size, or where it is too late.
        """
        if not self.tile or size is None or self._view != WHOLE:
            return None
        ratio = max(self.width / size[0], self.height / size[1])
        view = View(scale=2.0 ** -max(0, math.floor(math.log2(max(ratio, 1)) + _DRAFT_SLACK)))
        lattice = view.on(*self.size)
        self._view, self._size = view, (lattice.columns, lattice.rows)
        self.tile = [ImageFile._Tile("raw", (0, 0, *self.size), 0, self.mode)]
        return self.mode, (0, 0, *self.size)

    def load(self) -> Any:
        """Decodes, the first time. Raises OSError where the file is not as it should be."""
        if self.tile and self._data:
            from fourcodec import codec  # imported here, since opening must not cost it

            try:
                pixels = codec.decode(self._data, view=self._view)
            except FourcodecError as exc:
                raise OSError(str(exc)) from exc
            if self.fp and self._exclusive_fp:
                self.fp.close()
            self.fp, self._data = BytesIO(pixels.tobytes()), b""
        return super().load()

    def load_seek(self, pos: int) -> None:
        """Keeps Pillow from mapping the file into memory as if it held pixels."""


def accept(prefix: bytes) -> bool:
    """Whether a file that begins like this is ours."""
    return prefix.startswith(container.MAGIC)


def _metadata(data: bytes) -> dict[str, bytes]:
    """What of Image.info is in the file: icc_profile, exif and xmp in formats that have them; this one has none yet."""
    return {}


def _save(image: Image.Image, file: IO[bytes], filename: str | bytes) -> None:
    """Options: those of fourcodec.encode; others are ignored, as by Pillow's own plugins. Raises OSError for pictures
    that cannot be coded, ValueError for options out of range."""
    from fourcodec import codec

    if image.mode not in MODES.values():
        raise OSError(
            f"cannot write mode {image.mode} as {FORMAT}: convert the picture to {' or '.join(MODES.values())}"
        )
    options = {name: image.encoderinfo[name] for name in OPTIONS if name in image.encoderinfo}
    try:
        encoded = codec.encode(np.asarray(image), **options)
    except FourcodecError as exc:
        raise OSError(str(exc)) from exc
    file.write(encoded.data)


def register() -> None:
    """Tells Pillow of the format; once is enough, more does no harm."""
    Image.register_open(FORMAT, FncImageFile, accept)
    Image.register_save(FORMAT, _save)
    Image.register_extension(FORMAT, EXTENSION)
    Image.register_mime(FORMAT, MIME)


register()
