"""Large photographs: seconds, bytes and PSNR by effort and quality, and what `--max-seconds` gives.

    python -m benchmarks.large_images measure OUT.tsv [--efforts 5,1] [--qualities 30,45,60] IMAGE...
    python -m benchmarks.large_images limits OUT.tsv [--seconds 5,20,60,300] IMAGE...
    python -m benchmarks.large_images summary OUT.tsv
    python -m benchmarks.large_images edges IMAGE FILE.fnc...

`measure` encodes by the command and adds the files of JPEG, WebP and AVIF; `limits` encodes at default quality within
so many seconds, each image at 0.05, 0.4 and 2 megapixels and as it is. Rows that are in OUT.tsv are not made again.
`summary` prints seconds per megapixel, PSNR beside the other codecs' at equal bytes, and BD-rates. `edges` prints how
far errors of luma jump from one pixel to the next across the edges of tiles, and near them, for each file of an image.
"""

import argparse
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

import fourcodec
from benchmarks import tables
from benchmarks.commands import FOURCODEC, run
from benchmarks.crops import LUMA
from benchmarks.curves import PEERS, mean, shown
from fourcodec import images, metrics
from fourcodec.arrays import Samples
from fourcodec.bench.baselines import BASELINES, decode, make, sweep_settings
from fourcodec.bench.bdrate import Curve, bd_rate, rising
from fourcodec.bitstream import container
from fourcodec.grid.tiling import UNIT

COLUMNS = ("image", "megapixels", "codec", "setting", "bytes", "psnr_db", "seconds", "processor_s", "peak_mb", "note")
SIZES = (0.05, 0.4, 2.0, None)  # megapixels; None: as it is

Row = dict[str, str]


def blank(name: str, pixels: Samples, codec: str, setting: str) -> Row:
    """A row of which only the key is filled, its first four cells."""
    key = name, f"{pixels.shape[0] * pixels.shape[1] / 1e6:.2f}", codec, setting
    return dict.fromkeys(COLUMNS, "") | dict(zip(COLUMNS, key, strict=False))


def key_of(row: Row) -> tuple[str, ...]:
    return tuple(row[name] for name in COLUMNS[:4])


def encoded(name: str, pixels: Samples, setting: str, options: list[str], there: set[tuple[str, ...]]) -> Iterator[Row]:
    """The row of one encode by the command, unless it is there."""
    row = blank(name, pixels, "fourcodec", setting)
    if key_of(row) in there:
        return
    with tempfile.TemporaryDirectory() as folder:
        source, out = Path(folder) / "image.png", Path(folder) / "image.fnc"
        Image.fromarray(pixels).save(source, compress_level=1)
        ran = run([*FOURCODEC, "encode", str(source), "-o", str(out), *options], must_succeed=False)
        row |= {"seconds": f"{ran.seconds:.1f}", "processor_s": f"{ran.processor_seconds:.1f}"}
        row["peak_mb"] = f"{ran.peak_mb:.0f}"
        if ran.status:
            row["note"] = ran.stderr.strip().splitlines()[-1]
        else:
            back = Path(folder) / "back.png"
            run([*FOURCODEC, "decode", str(out), "-o", str(back), "--quiet"])
            row["bytes"] = str(out.stat().st_size)
            row["psnr_db"] = f"{metrics.psnr_db(pixels, np.asarray(Image.open(back))):.3f}"
        yield row


def peers(name: str, pixels: Samples, there: set[tuple[str, ...]]) -> Iterator[Row]:
    """The rows of the other codecs, at the qualities of the curves of `fourcodec bench`."""
    for codec in PEERS:
        for wanted in sweep_settings(BASELINES[codec]):
            row = blank(name, pixels, codec, wanted.label)
            if key_of(row) not in there:
                data = make(BASELINES[codec], Image.fromarray(pixels), wanted)
                yield row | {"bytes": str(len(data)), "psnr_db": f"{metrics.psnr_db(pixels, decode(data)):.3f}"}


def scaled(pixels: Samples, megapixels: float | None) -> Samples:
    if megapixels is None:
        return pixels
    factor = (megapixels * 1e6 / (pixels.shape[0] * pixels.shape[1])) ** 0.5
    size = round(pixels.shape[1] * factor), round(pixels.shape[0] * factor)
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.LANCZOS))


def measured(options: argparse.Namespace, there: set[tuple[str, ...]]) -> Iterator[Row]:
    for path in options.images:
        pixels = images.load(path).pixels
        for effort in options.efforts.split(","):
            for quality in options.qualities.split(","):
                given = ["--effort", effort, "-q", quality]
                yield from encoded(path.stem, pixels, f"q{quality} effort {effort}", given, there)
        yield from peers(path.stem, pixels, there)


def limited(options: argparse.Namespace, there: set[tuple[str, ...]]) -> Iterator[Row]:
    for path in options.images:
        whole = images.load(path).pixels
        for size in SIZES:
            pixels = scaled(whole, size)
            for seconds in options.seconds.split(","):
                yield from encoded(path.stem, pixels, f"max-seconds {seconds}", ["--max-seconds", seconds], there)


def curve(rows: list[Row]) -> Curve:
    """The curve of rows; empty where there is none yet."""
    return rising((8e-6 * float(row["bytes"]) / float(row["megapixels"]), float(row["psnr_db"])) for row in rows)


def psnr_at(points: Curve, rate: float) -> float:
    """The PSNR of a curve at a rate, linear in the logarithm of the rate; that of its end beyond an end."""
    rates, levels = zip(*points, strict=True)
    return float(np.interp(np.log(rate), np.log(rates), levels))


def summarise(table: Path) -> None:
    rows = read(table)
    print("image", "megapixels", "setting", "seconds", "processor s", "peak MB", "bytes", "dB", *PEERS, sep="\t")
    for row in rows:
        if row["codec"] == "fourcodec":
            cells = [row[name] for name in ("image", "megapixels", "setting", "seconds", "processor_s", "peak_mb")]
            if row["note"]:
                print(*cells, row["note"], sep="\t")
                continue
            (point,) = curve([row])
            others = [curve(of(rows, row["image"], row["megapixels"], peer)) for peer in PEERS]
            leads = [point[1] - psnr_at(other, point[0]) if other else None for other in others]
            print(*cells, row["bytes"], row["psnr_db"], *(shown(lead, "+.2f") for lead in leads), sep="\t")
    print("\neffort", "image", "seconds a megapixel", "processor s a megapixel", *PEERS, sep="\t")
    efforts = dict.fromkeys(row["setting"].split(" ", 1)[1] for row in rows if " effort " in row["setting"])
    for effort in efforts:
        for image, size in dict.fromkeys((row["image"], row["megapixels"]) for row in rows):
            ours = [row for row in of(rows, image, size, "fourcodec") if row["setting"].endswith(effort)]
            if ours:
                times = [mean(float(row[name]) for row in ours) or 0 for name in ("seconds", "processor_s")]
                rates = [bd_rate(curve(of(rows, image, size, peer)), curve(ours)) for peer in PEERS]
                shares = [shown(rate.percent, "+.1f", "%") for rate in rates]
                print(effort, image, *(f"{time / float(size):.1f}" for time in times), *shares, sep="\t")


def of(rows: list[Row], image: str, megapixels: str, codec: str) -> list[Row]:
    """The rows of one codec for an image, refusals left out."""
    wanted = (image, megapixels, codec)
    return [row for row in rows if (row["image"], row["megapixels"], row["codec"]) == wanted and row["bytes"]]


def edges(image: Path, files: list[Path]) -> None:
    original = images.load(image).pixels @ LUMA
    print("file", "tiles, pixels", "between", "jump of errors across edges", "8 to 40 pixels from them", sep="\t")
    for file in files:
        data = file.read_bytes()
        side = UNIT * container.read(data)[0].tiles
        errors = fourcodec.decode(data) @ LUMA - original
        for axis, between in enumerate(("rows", "columns")):
            jumps = np.abs(np.diff(errors, axis=axis)).mean(axis=1 - axis)
            across = np.arange(side, len(jumps), side) - 1
            near = [place + sign * step for place in across for sign in (-1, 1) for step in range(8, 41)]
            print(file.name, side, between, f"{jumps[across].mean():.2f}", f"{jumps[near].mean():.2f}", sep="\t")


def read(table: Path) -> list[Row]:
    return [dict(zip(COLUMNS, cells, strict=True)) for cells in tables.begin(table, COLUMNS)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    jumps = commands.add_parser("edges")
    jumps.add_argument("image", type=Path)
    jumps.add_argument("files", type=Path, nargs="+")
    for name in ("measure", "limits", "summary"):
        command = commands.add_parser(name)
        command.add_argument("table", type=Path)
        if name != "summary":
            command.add_argument("images", type=Path, nargs="+")
    commands.choices["measure"].add_argument("--efforts", default="5,1")
    commands.choices["measure"].add_argument("--qualities", default="30,45,60")
    commands.choices["limits"].add_argument("--seconds", default="5,20,60,300")
    options = parser.parse_args()
    if options.command == "edges":
        return edges(options.image, options.files)
    if options.command == "summary":
        return summarise(options.table)
    there = set(map(key_of, read(options.table)))
    for row in (measured if options.command == "measure" else limited)(options, there):
        tables.append(options.table, row.values())
        tables.show(*row.values())


if __name__ == "__main__":
    main()
