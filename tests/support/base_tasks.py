"""What a base install does, without any of the optional libraries.

A program for an environment that has nothing of the tests: python base_tasks.py FOLDER [LIBRARY...]. The libraries are
hidden, for an environment that has them. It prints nothing, and fails where something is not as it should be.
"""

import contextlib
import io
import sys
from pathlib import Path

FAST = ("--iterations", "1", "--device", "cpu", "--quiet")


def main() -> None:
    folder, hidden = Path(sys.argv[1]), sys.argv[2:]
    for library in hidden:
        sys.modules[library] = None  # type: ignore[assignment]  # which makes it one that is not installed

    import numpy as np
    from PIL import Image

    import fourcodec

    rows, columns = np.mgrid[0:48, 0:64]
    pixels = np.dstack([rows * 5, columns * 3, np.where(rows > columns, 220, 30)]).astype(np.uint8)
    picture, coded, copy = folder / "picture.png", folder / "picture.fnc", folder / "copy.png"
    Image.fromarray(pixels).save(picture)

    for profile in ("fnet", "grid"):
        run("encode", picture, "-o", coded, "-f", "--profile", profile, *FAST)
        run("decode", coded, "-o", copy, "-f")
        assert Image.open(copy).size == (64, 48)
        assert "64" in run("info", coded, "--parts")
        assert "ok" in run("verify", coded)
    assert "SSIM" in run("compare", picture, coded, "-o", folder / "page.html")
    for suffix in (".jpg", ".webp", ".avif", ".tiff", ".bmp", ".ppm", ".tga", ".npy"):
        run("decode", coded, "-o", folder / f"copy{suffix}")

    deep = fourcodec.encode(pixels.astype(np.uint16) * 257, iterations=1, device="cpu").data
    (folder / "deep.fnc").write_bytes(deep)
    run("decode", folder / "deep.fnc", "-o", folder / "deep.png")
    assert fourcodec.decode(deep).dtype == np.uint16

    fourcodec.register()
    with Image.open(coded) as image:
        image.thumbnail((16, 12))
        image.save(folder / "small.fnc", iterations=1, device="cpu")

    model = folder / "model"
    for extra, *command in (
        ("formats", "encode", folder / "deep.png", "-o", folder / "a.fnc"),
        ("formats", "decode", folder / "deep.fnc", "-o", folder / "a.tiff"),
        ("formats", "decode", coded, "-o", folder / "a.jxl"),
        ("bench", "info", coded, "--plot", folder / "plot.png"),
        ("bench", "bench", folder, "-o", folder / "run"),
        ("generate", "generate", "sample", model, "-o", folder / "sheet.png"),
        ("cluster", "encode", folder, "-o", folder / "out", "--scheduler", "tcp://127.0.0.1:9"),
    ):
        said = run(*command, status=1)
        assert said.startswith("error: "), said
        assert said.count("\n") == 1, said
        assert f"pip install 'fourcodec[{extra}]'" in said, said


def run(*command: object, status: int = 0) -> str:
    """Everything that a command prints; its exit status must be `status`."""
    from fourcodec import cli

    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        found = cli.run([str(word) for word in command])
    assert found == status, (command, found, printed.getvalue())
    return printed.getvalue()


if __name__ == "__main__":
    main()
