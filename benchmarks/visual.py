"""Both tunings of the grid against codecs tuned for people, by SSIMULACRA 2 and FLIP (the extra `bench`).

    python -m benchmarks.visual measure OUT.tsv [--crop 384] [--iterations 700] [--qualities 20,45,70,90]
        [--tunes psnr,visual] [--kept FOLDER] IMAGE...
    python -m benchmarks.visual summary OUT.tsv
    python -m benchmarks.visual sheets FOLDER --kept FOLDER [--qualities 20,45] [--crop 192] IMAGE...

`measure` appends a row for each file: picture, codec, setting, bytes, bits per pixel, PSNR, SSIMULACRA 2, the same
where two rows and columns are cut off (its coarse scales then have other samples, and what is right only in the means
of its own cells scores less), FLIP; rows that are there are not measured again. --kept names a folder for files of
whole pictures: those that are there are not encoded again, which may be files of `psnr` that benchmarks.kodak --keep
made; files of `visual` are in `visual` there.
`summary` prints BD-rates over each metric, picture by picture and in the mean.

`sheets` writes a sheet to look at for each picture and quality: the centre, twice enlarged, of the original, of
`visual`, of `psnr`, and of the AVIF file tuned for people and the JPEG file that score best among those of at most as
many bytes as `visual` has.
"""

import argparse
import csv
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

import fourcodec
from benchmarks.crops import centre
from benchmarks.kodak import kept_name
from fourcodec import files, images, metrics
from fourcodec.arrays import Samples
from fourcodec.bench.baselines import BASELINES, decode, make, sweep_settings
from fourcodec.bench.bdrate import bd_rate, rising
from fourcodec.bench.matching import PeerFiles
from fourcodec.tuning import PSNR, TUNES, VISUAL

COLUMNS = ("picture", "codec", "setting", "bytes", "bpp", "psnr_db", "ssimulacra2", "ssimulacra2_moved", "flip")
PEERS = ("jpeg", "webp", "avif", "avif-visual", "jxl")
METRICS = ("psnr_db", "ssimulacra2", "ssimulacra2_moved", "flip")
MOVED = 2  # rows and columns that are cut off for ssimulacra2_moved


def row(name: str, codec: str, setting: str, pixels: Samples, data: bytes, copy: Samples) -> list[str]:
    rate = metrics.bpp(len(data), pixels.shape[1], pixels.shape[0])
    moved = (np.ascontiguousarray(some[MOVED:, MOVED:]) for some in (pixels, copy))
    measured = (
        metrics.psnr_db(pixels, copy),
        metrics.ssimulacra2(pixels, copy),
        metrics.ssimulacra2(*moved),
        metrics.flip(pixels, copy),
    )
    return [name, codec, setting, str(len(data)), f"{rate:.5f}", *(f"{value or 0:.4f}" for value in measured)]


def kept_path(folder: Path, tune: str, path: Path, quality: float) -> Path:
    """The file of a whole picture in the folder of --kept."""
    return (folder if tune == PSNR else folder / tune) / kept_name(path, quality)


def rows(path: Path, options: argparse.Namespace, there: set[tuple[str, ...]]) -> Iterator[list[str]]:
    pixels = centre(images.load(path).pixels, options.crop)
    name = f"{path.stem} {options.crop or 'whole'}"
    for tune in options.tunes.split(","):
        for quality in map(float, options.qualities.split(",")):
            setting = f"q{quality:g} {options.iterations} iterations"
            if (name, tune, setting) not in there:
                kept = options.kept and kept_path(options.kept, tune, path, quality)
                if kept and kept.exists():
                    data = kept.read_bytes()
                else:
                    data = fourcodec.encode(
                        pixels, quality=quality, iterations=options.iterations, tune=tune, device="cpu"
                    ).data
                    if kept:
                        kept.parent.mkdir(parents=True, exist_ok=True)
                        files.write(kept, data, overwrite=True)
                yield row(name, tune, setting, pixels, data, fourcodec.decode(data))
    for codec in PEERS:
        for wanted in sweep_settings(BASELINES[codec]):
            if (name, codec, wanted.label) not in there:
                data = make(BASELINES[codec], Image.fromarray(pixels), wanted)
                yield row(name, codec, wanted.label, pixels, data, decode(data))


def measure(options: argparse.Namespace) -> None:
    there = {tuple(found[name] for name in COLUMNS[:3]) for found in table(options.out)}
    with options.out.open("a", newline="") as file:
        writer = csv.writer(file, delimiter="\t", lineterminator="\n")
        if not there:
            writer.writerow(COLUMNS)
        for path in options.pictures:
            for found in rows(path, options, there):
                writer.writerow(found)
                file.flush()


def table(path: Path) -> list[dict[str, str]]:
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def summary(options: argparse.Namespace) -> None:
    found = table(options.out)
    pictures = list(dict.fromkeys(one["picture"] for one in found))
    for metric in METRICS:
        sign = -1 if metric == "flip" else 1
        print(f"\nBD-rates over {metric}, %: of each tuning against each codec; negative: fewer bytes\n")
        print("tuning", "against", *pictures, "mean", sep="\t")
        for tune in TUNES:
            for reference in ("psnr", *PEERS):
                if tune == reference:
                    continue
                values = []
                for picture in pictures:
                    curves = [
                        rising(
                            (float(one["bpp"]), sign * float(one[metric]))
                            for one in found
                            if one["picture"] == picture and one["codec"] == codec
                        )
                        for codec in (reference, tune)
                    ]
                    percent = bd_rate(*curves).percent
                    values.append(np.nan if percent is None else percent)
                print(tune, reference, *(f"{value:+.1f}" for value in [*values, np.nanmean(values)]), sep="\t")


def sheets(options: argparse.Namespace) -> None:
    options.out.mkdir(parents=True, exist_ok=True)
    for path in options.pictures:
        pixels = images.load(path).pixels
        for quality in map(float, options.qualities.split(",")):
            data = {tune: kept_path(options.kept, tune, path, quality).read_bytes() for tune in reversed(TUNES)}
            copies = {tune: (len(some), fourcodec.decode(some)) for tune, some in data.items()}
            for codec in ("avif-visual", "jpeg"):
                copies[codec] = best_copy(codec, pixels, len(data[VISUAL]))
            panels = [panel("original", pixels, pixels, options.crop)]
            panels += [
                panel(f"{codec}, {size:,} bytes", pixels, copy, options.crop) for codec, (size, copy) in copies.items()
            ]
            Image.fromarray(np.concatenate(panels, axis=1)).save(options.out / f"{path.stem}-q{quality:g}.png")


def best_copy(codec: str, pixels: Samples, most_bytes: int) -> tuple[int, Samples]:
    """The bytes and the pixels of the codec's file that scores best among those of at most so many bytes; a grey copy
    of none where there is no such file."""
    peers = PeerFiles(pixels, BASELINES[codec])
    fitting = [point for point in peers.not_much_larger(most_bytes) if point.size_bytes <= most_bytes]
    largest = sorted(fitting, key=lambda point: point.size_bytes)[-4:]  # the best is among them
    found = [(point.size_bytes, decode(make(peers.baseline, peers.image, point.setting))) for point in largest]
    none = 0, np.full_like(pixels, 128)
    return max(found, key=lambda one: metrics.ssimulacra2(pixels, one[1]) or -np.inf, default=none)


def panel(title: str, pixels: Samples, copy: Samples, side: int) -> Samples:
    """The centre of a copy, twice enlarged, under its title and its score."""
    score = "" if copy is pixels else f", SSIMULACRA 2 {metrics.ssimulacra2(pixels, copy) or 0:.1f}"
    part = centre(copy, side).repeat(2, axis=0).repeat(2, axis=1)
    sheet = Image.new("RGB", (part.shape[1] + 4, part.shape[0] + 20), "white")
    sheet.paste(Image.fromarray(part).convert("RGB"), (2, 18))
    ImageDraw.Draw(sheet).text((2, 3), title + score, "black")
    return np.asarray(sheet)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    measuring = commands.add_parser("measure")
    measuring.add_argument("out", type=Path)
    measuring.add_argument("--crop", type=int, default=384, help="side of the centre square in pixels, 0: all")
    measuring.add_argument("--iterations", type=int, default=700)
    measuring.add_argument("--qualities", default="20,45,70,90")
    measuring.add_argument("--tunes", default=",".join(TUNES))
    measuring.add_argument("--kept", type=Path, help="a folder of files of whole pictures, at as many iterations")
    measuring.add_argument("pictures", nargs="+", type=Path, metavar="IMAGE")
    measuring.set_defaults(run=measure)
    summing = commands.add_parser("summary")
    summing.add_argument("out", type=Path)
    summing.set_defaults(run=summary)
    looking = commands.add_parser("sheets")
    looking.add_argument("out", type=Path)
    looking.add_argument("--kept", type=Path, required=True, help="a folder of files of whole pictures")
    looking.add_argument("--qualities", default="20,45")
    looking.add_argument("--crop", type=int, default=192, help="side of the part that is shown, in pixels")
    looking.add_argument("pictures", nargs="+", type=Path, metavar="IMAGE")
    looking.set_defaults(run=sheets)
    options = parser.parse_args()
    options.run(options)


if __name__ == "__main__":
    main()
