"""Encodes of the profile grid on a device: bytes, PSNR, seconds, milliseconds an iteration, memory.

python -m benchmarks.encode_devices --device cuda data/kodak/kodim05.png data/kodak/kodim07.png
"""

import argparse
import platform
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image

import fourcodec
from benchmarks.tables import show
from fourcodec.optimisation.progress import Progress


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cuda")
    parser.add_argument("--quality", type=float, default=45)
    parser.add_argument("--effort", type=int, default=5)
    parser.add_argument("images", type=Path, nargs="+")
    arguments = parser.parse_args()
    on_cuda = arguments.device == "cuda"
    device = torch.cuda.get_device_name(0) if on_cuda else platform.processor()
    print(f"# {device}, quality {arguments.quality:g}, effort {arguments.effort}; the first image includes compilation")
    print("image\tbytes\tbpp\tPSNR\tseconds\tms an iteration\tMB on the device")
    for path in arguments.images:
        seen: list[tuple[int, float]] = []

        def watch(progress: Progress, seen: list[tuple[int, float]] = seen) -> None:
            seen.append((progress.iteration, time.perf_counter()))

        encoded = fourcodec.encode(
            np.asarray(Image.open(path).convert("RGB")),
            profile="grid",
            quality=arguments.quality,
            effort=arguments.effort,
            device=arguments.device,
            progress=watch,
        )
        first, half = seen[0], seen[len(seen) // 2]
        iteration_ms = 1000 * (half[1] - first[1]) / (half[0] - first[0])
        peak_mb = f"{torch.cuda.max_memory_allocated() / 1e6:.0f}" if on_cuda else ""
        numbers = (f"{encoded.rate_bpp:.4f}", f"{encoded.psnr_db:.2f}", f"{encoded.encode_seconds:.1f}")
        show(path.name, encoded.size_bytes, *numbers, f"{iteration_ms:.2f}", peak_mb)


if __name__ == "__main__":
    main()
