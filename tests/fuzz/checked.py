"""Damaged files through kernels that check every index: python -m tests.fuzz.checked fnet|grid COUNT

Compiled loops write where they are told to, so an index that a file can move would be the worst bug of all. Start it
with NUMBA_BOUNDSCHECK=1, or with NUMBA_DISABLE_JIT=1, which runs all loops but those
of the Fourier layers in plain Python, for small pictures. An IndexError is a finding. `make fuzz-bounds` does both.
"""

import sys
import time
from contextlib import suppress
from functools import partial
from random import Random

import numba

from fourcodec.bitstream import alpha, container
from fourcodec.errors import FourcodecError
from fourcodec.grid import profile as grid
from fourcodec.limits import Limits
from fourcodec.profiles import PROFILES
from tests.fuzz import mutation, targets
from tests.fuzz.run import GOLDEN, SEEDS
from tests.fuzz.run import PROFILES as NAMES

MAX_SHAPES = 12  # of grid networks: each has kernels of its own to be compiled
PLAIN_PIXELS = 60  # plain Python takes seconds for more


def main(target: str, count: int) -> int:
    if not (numba.config.BOUNDSCHECK or numba.config.DISABLE_JIT):
        sys.exit("set NUMBA_BOUNDSCHECK=1 or NUMBA_DISABLE_JIT=1")
    pool = [data for data in seeds(target) if NAMES.get(data[10] & 15) == target]
    shapes: set[tuple[int, ...]] = set()
    started, reached = time.monotonic(), 0
    for number in range(count):
        random = Random(number)
        data = random.choice(pool)
        for step in range(random.randrange(1, 4)):
            data = mutation.mutate(data, 4096, 4 * number + step, partial(flipped, random=random), deep=True)
        if numba.config.DISABLE_JIT:
            data = small(data, random)
        try:
            reached += execute(data, shapes)
        except BaseException:
            print(f"finding, mutation {number}: {data.hex()}", flush=True)
            raise
    seconds = time.monotonic() - started
    print(f"{target}: {count} executions, {reached} got past the container, none out of bounds ({seconds:.0f} s)")
    return 0


def execute(data: bytes, shapes: set[tuple[int, ...]]) -> bool:
    """Decodes it, or, in plain Python, unpacks its integers. Whether it came as far as a profile."""
    plain = numba.config.DISABLE_JIT
    try:
        header, sections = container.read(data, Limits(PLAIN_PIXELS) if plain else targets.LIMITS)
    except FourcodecError:
        return False
    if header.profile not in PROFILES:
        return False
    if header.profile == grid.PROFILE_ID:
        shape = (*header.architecture[:2], header.colour_channels)
        if shape not in shapes and len(shapes) == MAX_SHAPES:
            return False
        shapes.add(shape)
    if plain:
        with suppress(FourcodecError):
            profile = PROFILES[header.profile]
            profile.unpack(profile.read_config(header), [one for one in sections if one.kind != alpha.KIND])
    else:
        targets.picture(data)
    return True


def small(data: bytes, random: Random) -> bytes:
    """The same for a picture of a few pixels: its integers are decoded, whatever is left of them then."""
    parts = mutation.parse(data)
    if parts is None:
        return data
    parts.numbers = [random.randrange(9), random.randrange(6)]
    return mutation.build(parts)


def seeds(target: str) -> list[bytes]:
    paths = [*GOLDEN.glob("*.fnc"), *(path for folder in SEEDS for path in (folder / target).glob("*"))]
    return [data for data in (path.read_bytes() for path in sorted(paths)) if len(data) > 11]


def flipped(data: bytes, max_size: int, random: Random) -> bytes:
    """Some bytes changed: what the fuzzer's own mutations do better."""
    damaged = bytearray(data or b"\0")
    for _ in range(random.choice((1, 1, 2, 9))):
        damaged[random.randrange(len(damaged))] = random.choice((0, 255, random.randrange(256)))
    return bytes(damaged[:max_size])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2])))
