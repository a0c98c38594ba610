"""What lambda costs and gives at one size of the pure network, beside JPEG at the same bytes.

    python -m benchmarks.fnet_lambda ROWS.tsv [--size 8x6] [--iterations 5000] IMAGE... > RESULT.tsv

ROWS is benchmarks/results/fnet-sizes.tsv, which tools/fnet_sizes.py makes: nothing is fitted here. One row for each
whole image and lambda that is there: the file's bytes and PSNR, bits a coefficient, and the best JPEG (4:2:0 or 4:4:4,
optimised, progressive or not) of at most as many bytes.
"""

import argparse
import csv
from pathlib import Path

from benchmarks import tables
from fourcodec import images
from fourcodec.bench.baselines import BASELINES
from fourcodec.bench.matching import PeerFiles, best_within
from fourcodec.fnet.fit.sizes import coefficient_count, size_named

COLUMNS = (
    "image", "lambda", "size_bytes", "bits_per_coefficient", "psnr_db", "jpeg_bytes", "jpeg_psnr_db", "above_jpeg_db"
)  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rows", type=Path)
    parser.add_argument("--size", default="8x6")
    parser.add_argument("--iterations", default="5000")
    parser.add_argument("images", nargs="+", type=Path)
    options = parser.parse_args()
    rows = list(csv.DictReader(options.rows.read_text().splitlines(), delimiter="\t"))
    tables.show(*COLUMNS)
    for path in options.images:
        picture = images.load(path).pixels
        peers, label = PeerFiles(picture, BASELINES["jpeg"]), f"{path.name}@{picture.shape[0]}"
        own = [row for row in rows if (row["picture"], row["size"]) == (label, options.size)]
        for row in sorted(own, key=lambda row: float(row["lambda"])):
            if row["steps"] != options.iterations:
                continue
            size_bytes, psnr_db = int(row["size_bytes"]), float(row["psnr_db"])
            bits = 8 * size_bytes / coefficient_count(size_named(options.size))
            cells = [path.name, row["lambda"], str(size_bytes), f"{bits:.2f}", f"{psnr_db:.2f}"]
            peer = best_within(peers, size_bytes)
            if peer is not None:
                cells += [str(peer.size_bytes), f"{peer.psnr_db:.2f}", f"{psnr_db - peer.psnr_db:+.2f}"]
            tables.show(*cells)


if __name__ == "__main__":
    main()
