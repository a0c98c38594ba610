"""The Pillow plugin for .fnc files: importing this module registers them with Image.open and Image.save.

    import fourcodec.pillow_plugin        (or fourcodec.register())
    Image.open("a.fnc").save("b.fnc", quality=50, effort=3)

Opening reads the file and checks it, and decodes nothing: neither numba nor torch is loaded before pixels are wanted.
Pillow has 16 bits for grey alone, so other 16-bit pictures are opened in 8 bits; fourcodec.decode gives them whole.

No other module of the package has an effect when it is imported; Pillow's plugins work that way.
"""

import math
import warnings
from io import BytesIO
from typing import IO, Any

from PIL import Image, ImageFile

from fourcodec.bitstream import container, metadata
from fourcodec.errors import FourcodecError
from fourcodec.limits import DEFAULT, Limits
from fourcodec.views import WHOLE, View

FORMAT = "FNC"
EXTENSION = ".fnc"
MIME = "image/x-fnc"
MODES = {  # by channels and bits
    (1, 8): "L",
    (2, 8): "LA",
    (3, 8): "RGB",
    (4, 8): "RGBA",
    (1, 16): "I;16",
    (2, 16): "LA",
    (3, 16): "RGB",
    (4, 16): "RGBA",
}
SAVED_MODES = tuple(dict.fromkeys(MODES.values()))
OPTIONS = (  # of fourcodec.encode
    *("profile", "quality", "width", "depth", "target_bytes", "target_bpp", "target_psnr", "target_ssimulacra2"),
    *("effort", "iterations", "max_seconds", "tune", "device", "seed"),
)
LIMITS: Limits = DEFAULT  # a program that trusts its files may set others; Pillow's MAX_IMAGE_PIXELS holds beside them
# A draft may be a little smaller than asked for: 4000 pixels asked for at 512, twice a thumbnail's 256, become 500.
_DRAFT_SLACK = 0.1  # octaves
_EXIF_PREFIX = b"Exif\0\0"  # stands before the structure in Image.info


class FncImageFile(ImageFile.ImageFile):
    """A .fnc file that is decoded when its pixels are wanted."""

    format = FORMAT
    format_description = "Fourier network image"

    def _open(self) -> None:
        """Raises SyntaxError for files of another kind, as Pillow wants it, and OSError for damaged ones of ours."""
        assert self.fp is not None
        start = self.fp.read(len(container.MAGIC))
        if not accept(start):
            raise SyntaxError("not a .fnc file")
        self._data = start + self.fp.read(LIMITS.file_bytes - len(start) + 1)
        if len(self._data) > LIMITS.file_bytes:
            raise OSError(f"the file is larger than the limit of {LIMITS.file_bytes} bytes")
        try:
            self._parsed = header, sections = container.read(self._data, LIMITS)
        except FourcodecError as exc:
            raise OSError(str(exc)) from exc
        mode = MODES.get((header.channels, header.bit_depth))
        if mode is None:
            raise OSError(f"the file has {header.bit_depth}-bit samples, this version decodes 8 and 16")
        self._size, self._mode = (header.width, header.height), mode
        self.info.update(_info_of(sections))
        self._view = WHOLE
        self.tile = [ImageFile._Tile("raw", (0, 0, *self.size), 0, self.mode)]

    def draft(self, mode: str | None, size: tuple[int, int] | None) -> Any:
        """Has the picture decoded at the smallest of 1, 1/2, 1/4, ... of its size with a side at most 7% shorter than
        in `size`.

        Returns the mode, which stays, and the box of the whole picture; None without a size, or after loading or
        another draft.
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
        """Decodes the pixels on the first call. Raises OSError where the file is damaged, unsupported or beyond
        LIMITS."""
        if self.tile and self._data:
            samples = self._decoded()
            if self.fp and self._exclusive_fp:
                self.fp.close()
            self.fp, self._data = BytesIO(samples), b""
            del self._parsed
        return super().load()

    def _decoded(self) -> bytes:
        """Samples in the order of Pillow's raw decoder. Raises OSError."""
        from fourcodec.fnc import File  # imported here, since opening must not cost it
        from fourcodec.images.picture import to_eight_bits

        try:
            pixels = File(self._data, LIMITS, parsed=self._parsed).pixels(self._view)
        except FourcodecError as exc:
            raise OSError(str(exc)) from exc
        if self.mode == "I;16":
            return pixels.astype("<u2").tobytes()
        return (pixels if pixels.itemsize == 1 else to_eight_bits(pixels)).tobytes()

    def load_seek(self, pos: int) -> None:
        """Keeps Pillow from mapping the file into memory as if it held pixels."""


def accept(prefix: bytes) -> bool:
    """True if a file that begins with `prefix` is a .fnc file."""
    return prefix.startswith(container.MAGIC)


def _info_of(sections: list[container.Section]) -> dict[str, Any]:
    """The entries icc_profile, exif, xmp and dpi of Image.info that the file has. Damaged ones are left out with a
    warning."""
    found, remarks = metadata.salvage(sections)
    for remark in remarks:
        warnings.warn(remark, stacklevel=4)
    exif = _EXIF_PREFIX + found.exif if found.exif else b""
    info: dict[str, Any] = {"icc_profile": found.icc, "exif": exif, "xmp": found.xmp}
    if found.density:
        info["dpi"] = metadata.per_inch(found.density)
    return {name: value for name, value in info.items() if value}


def _save(image: Image.Image, file: IO[bytes], filename: str | bytes) -> None:
    """Options: those of fourcodec.encode, and icc_profile, exif, xmp and dpi; others are ignored.

    As Pillow's own plugins do, it keeps the image's profile unless another one (or None) is given, and EXIF and XMP
    only where they are given. Pillow empties an existing file before it calls this: what is refused here leaves it
    empty. An orientation in these is applied to the pixels. Raises OSError for pictures that cannot
    be coded, ValueError for options out of range.
    """
    from fourcodec import codec

    if image.mode not in SAVED_MODES:
        raise OSError(f"cannot write mode {image.mode} as {FORMAT}: convert the picture to {' or '.join(SAVED_MODES)}")
    options = {name: image.encoderinfo[name] for name in OPTIONS if name in image.encoderinfo}
    described = image.copy()
    described.info = _info_to_save(image)
    try:
        encoded = codec.encode(described, **options)
    except FourcodecError as exc:
        raise OSError(str(exc)) from exc
    file.write(encoded.data)


def _info_to_save(image: Image.Image) -> dict[str | tuple[int, int], Any]:
    given = image.encoderinfo
    exif = given.get("exif")
    info = {
        "icc_profile": given.get("icc_profile", image.info.get("icc_profile")),
        "exif": exif.tobytes() if isinstance(exif, Image.Exif) else exif,
        "xmp": given.get("xmp"),
        "dpi": given.get("dpi"),
        "transparency": image.info.get("transparency"),  # a colour of L or RGB
    }
    return {name: value for name, value in info.items() if value is not None}


def register() -> None:
    """Registers the format with Pillow. Repeated calls do no harm."""
    Image.register_open(FORMAT, FncImageFile, accept)
    Image.register_save(FORMAT, _save)
    Image.register_extension(FORMAT, EXTENSION)
    Image.register_mime(FORMAT, MIME)


register()
