"""A decoder written after FORMAT.md and nothing else, from the first byte to the last sample: both profiles, alpha and
metadata: no kernels, no planes, plain integers and loops.

Slow. It proves that the document says what the code does.
"""

from __future__ import annotations

import itertools
import math
import struct
import zlib
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import numpy as np
import zstandard

import fourcodec.fnet
import fourcodec.grid

PRIORS = Path(next(iter(fourcodec.grid.__path__))) / "grid_priors.npz"
FNET_PRIORS = Path(next(iter(fourcodec.fnet.__path__))) / "fnet_priors.npz"
SIDES = [(0, -1), (0, 1), (-1, 0), (1, 0)]
CORNERS = [(-1, -1), (-1, 1), (1, -1), (1, 1)]
KNIGHTS = [(-2, -1), (-2, 1), (2, -1), (2, 1), (-1, -2), (-1, 2), (1, -2), (1, 2)]
LANCES = [(-3, -1), (-3, 1), (3, -1), (3, 1), (-1, -3), (-1, 3), (1, -3), (1, 3)]
NINE: list[tuple[int, ...]] = list(itertools.product(range(-1, 2), repeat=2))
PLACES = [(0, 0), (1, 1), (0, 1), (1, 0)]
PARENTS: list[list[tuple[int, ...]]] = [
    [at for at in itertools.product(range(-2, 3), repeat=2) if abs(at[0]) + abs(at[1]) < 4],
    NINE,
    NINE,
    [(0, 0), (-1, 0), (1, 0), (0, -1), (0, 1)],
]
OWN: list[list[tuple[int, int]]] = [[], CORNERS + LANCES, SIDES + KNIGHTS, SIDES + CORNERS + KNIGHTS]


MANTISSAS = [1.0, 0.917004048, 0.840896428, 0.771105409, 0.707106769, 0.648419797, 0.594603539, 0.545253873]


EntropyModel = tuple[list[list[int]], list[list[int]], list[int], list[list[int]]]  # W1, W2, b2, W3 of a level and pass


Context = int | tuple[int, int]  # of coder 2


class RangeDecoder:
    def __init__(self, data: bytes) -> None:
        assert not data.endswith(b"\0")
        self.data, self.at = data, 0
        self.code, self.range = 0, 2**32 - 1
        for _ in range(4):
            self.code = self.code << 8 | self._byte()

    def _byte(self) -> int:
        self.at += 1
        return self.data[self.at - 1] if self.at <= len(self.data) else 0

    def _refill(self) -> None:
        while self.range < 2**24:
            self.range <<= 8
            self.code = (self.code << 8 | self._byte()) & 0xFFFFFFFF

    def decision(self, probability: int) -> int:
        bound = (self.range >> 16) * probability
        bit = int(self.code < bound)
        if bit:
            self.range = bound
        else:
            self.code -= bound
            self.range -= bound
        self._refill()
        return bit

    def plain(self) -> int:
        self.range >>= 1
        bit = int(self.code >= self.range)
        self.code -= bit * self.range
        self._refill()
        return bit

    def end(self) -> None:
        assert self.at >= len(self.data), "bytes are left over"


class Models:
    """Adaptive decisions, one set a context. A finer context is a pair: (context, number)."""

    def __init__(self, decoder: RangeDecoder) -> None:
        self.decoder = decoder
        self.models: dict[tuple[Context, int], tuple[int, int]] = {}

    def decision(self, context: Context, number: int) -> int:
        coarse = context if isinstance(context, int) else context[0]
        self.models.setdefault((coarse, number), (32768, 0))
        self.models.setdefault((context, number), (self.models[coarse, number][0], 2))
        bit = self.decoder.decision(self.models[context, number][0])
        for moved in {coarse, context}:
            probability, count = self.models[moved, number]
            probability += 2 * (65536 * bit - probability) // (2 * count + 3)
            count += int(2 * count + 3 < 512)
            self.models[moved, number] = min(max(probability, 64), 65472), count
        return bit

    def integer(self, context: Context) -> int:
        bits = 0
        while bits < 20 and self.decision(context, bits):
            bits += 1
        value = min(bits, 1)
        if bits >= 2:
            second = self.decision(context, 24 + bits)
            value = 2 * value + second
            if bits >= 3:
                value = 2 * value + self.decision(context, 48 + 2 * bits + second)
        for _ in range(bits - 3):
            value = 2 * value + self.decoder.plain()
        return -value if bits and self.decoder.plain() else value


def map_rows(levels: int) -> list[int]:
    """The rows of each map."""
    return [min(8, levels - level) for level in range(min(3, levels))]


def trained_start(prior: int, hidden: int, levels: int) -> np.ndarray:
    """Its integers, in the order of the weights of an entropy model with so many hidden units and levels."""
    with np.load(PRIORS) as stored:
        integers = stored["entropy_models"][prior - 1].astype(int)
    assert integers.shape == (3124,)
    passes, maps, mixing = np.split(integers, [4 * 718, 4 * 718 + 3 * 8 * 6])
    parts = []
    for vector in np.split(passes, 4):
        w1, w2, b2, w3 = np.split(vector, [23 * 16, 39 * 16, 40 * 16])
        rows = w3.reshape(39, 2)
        parts += [w1.reshape(23, 16)[:, :hidden], w2.reshape(16, 16)[:hidden, :hidden], b2[:hidden]]
        parts += [rows[:hidden], rows[16:]]
    parts += [own[:rows] for own, rows in zip(maps.reshape(3, 8, 6), map_rows(levels), strict=False)]
    columns = mixing.reshape(6, 18)
    parts += [np.concatenate([columns[:, :hidden], columns[:, 16:]], axis=1)]
    return np.concatenate([part.ravel() for part in parts])


class Networks:
    """Section `networks`: integers q by part, and the weights that they stand for."""

    def __init__(
        self, payload: bytes, levels: int, order: int, hidden: int, channels: int, prior: int = 0, smooth: int = 0
    ) -> None:
        frequencies = sum(math.comb(levels, n) for n in range(order + 1))
        rows = 2 * frequencies - 1
        groups: list[int] = []
        for _ in range(4):
            groups += [0] * 23 * hidden + [1] * (hidden + 1) * hidden + [2, 3] * (hidden + 23)
        groups += [4] * 6 * sum(map_rows(levels)) + [5] * 6 * (hidden + 2)
        groups += [6] * rows * levels + [8] * channels + [7] * (rows - 1) * channels
        groups += [11 + level for level in range(levels) for _ in range(channels)]
        groups += [9] * (levels - 1) * 4 + [10] * channels * channels * 9
        groups += [11 + levels] * 4 * levels * smooth
        count = 4 * (hidden**2 + 26 * hidden + 46) + 6 * sum(map_rows(levels)) + 6 * (hidden + 2)
        count += (2 * frequencies - 1) * (levels + channels) + levels * channels + 4 * (levels - 1) + 9 * channels**2
        assert len(groups) == count + 4 * levels * smooth
        models = Models(RangeDecoder(payload))
        self.exponents = [models.integer(0) for _ in range(11 + levels + smooth)]
        self.symbols = np.array([models.integer(1 + group) for group in groups])
        models.decoder.end()
        self._weights = self.symbols * 2.0 ** -np.array([self.exponents[group] for group in groups])
        self.hidden, self.levels, self._at = hidden, levels, groups.index(6)
        self.shifts, self._units = self.exponents[:6], self.symbols[: self._at]
        if prior:
            e = np.array([self.exponents[group] for group in groups[: self._at]])
            self.shifts, shifts = [max(shift, 10) for shift in self.shifts], np.maximum(e, 10)
            start = trained_start(prior, hidden, levels)
            self._units = (self._units << (shifts - e)) + (start << (shifts - 10))
        assert np.abs(self._units).max() <= 32767
        self.first = self._fourier(rows, levels)
        self.last = self._fourier(rows, channels)
        self.linear = self._next(levels, channels)
        self.filters = np.array([-3, 29, 111, -9]) / 128 + self._next(levels - 1, 4)
        self.kernel = self._next(channels, channels, 3, 3)
        self.smoothing = np.array([0, 0, 0, 1]) + self._next(levels * smooth, 4)
        assert self._at == len(groups)

    def _next(self, *shape: int) -> np.ndarray:
        start, self._at = self._at, self._at + math.prod(shape)
        return self._weights[start : self._at].reshape(shape)

    def _fourier(self, rows: int, outputs: int) -> np.ndarray:
        return np.insert(self._next(rows, outputs), 1, 0, axis=0)  # b of the constant

    def entropy_model(self, level: int, p: int) -> EntropyModel:
        """W1, W2, b2 and W3 of a level and pass, as integers."""
        u = self.hidden
        size = u * u + 26 * u + 46
        w1, w2, b2, w3 = np.split(self._units[size * p : size * (p + 1)], [23 * u, (23 + u) * u, (24 + u) * u])
        layers = w1.reshape(23, u).tolist(), w2.reshape(u, u).tolist(), b2.tolist(), w3.reshape(-1, 2).tolist()
        if level < 3:
            self._add_features(level, p, layers)
        return layers

    def _add_features(self, level: int, p: int, layers: EntropyModel) -> None:
        u, e = self.hidden, self.shifts
        rows = map_rows(self.levels)
        at = 4 * (u * u + 26 * u + 46)
        v = self._units[at + 6 * sum(rows[:level]) :].tolist()
        x = self._units[at + 6 * sum(rows) :].tolist()
        w1, _, _, w3 = layers
        w1 += [[0] * u for _ in range(5)]
        w3 += [[0] * 2 for _ in range(5)]
        for k, n in itertools.product(range(rows[level]), range(u + 2)):
            total = sum(v[6 * k + i] * x[i * (u + 2) + n] for i in range(6))
            bits = (e[0] if n < u else e[2 + n - u]) - e[4] - e[5]
            d = shift(total, bits) if bits >= 0 else shift(total + (1 << (-bits - 1)), bits)
            t = [0, (11, 5, 5, 1)[p], (22, 10, 10, 6)[p]][k] if k < 3 else 20 + k
            row, column = (w1[t], n) if n < u else (w3[u + t], n - u)
            row[column] = min(max(row[column] + d, -32767), 32767)


def shift(value: int, bits: int) -> int:
    """floor(value 2^bits)."""
    return value << bits if bits >= 0 else value >> -bits


class Latents:
    """Section `latents`: one array of integers a level, finest first."""

    def __init__(self, payload: bytes, networks: Networks, sides: list[tuple[int, int]]) -> None:
        self.levels = [np.zeros(side, int) for side in sides]
        self._networks, self._decoder, self._maps = networks, RangeDecoder(payload), Maps()
        for number in range(len(sides) - 1, -1, -1):
            for p in range(4):
                weights = networks.entropy_model(number, p)
                self._number, self._pass = number, p
                self._seen: dict[tuple[int, int], tuple[int, int, int]] = {}  # surprise, size and sign of latents
                for r, c in itertools.product(range(sides[number][0] // 2), range(sides[number][1] // 2)):
                    mean, scale = self._distribution(weights, self._taps(number, p, r, c))
                    at = 2 * r + PLACES[p][0], 2 * c + PLACES[p][1]
                    self.levels[number][at] = self._latent(mean, scale, r, c)
        self._decoder.end()

    def _taps(self, number: int, p: int, r: int, c: int) -> list[int]:
        level = self.levels[number]
        rows, columns = level.shape
        taps = [1]
        for down, right in PARENTS[p]:
            inside = 0 <= r + down < rows // 2 and 0 <= c + right < columns // 2 and number + 1 < len(self.levels)
            taps.append(int(self.levels[number + 1][r + down, c + right]) if inside else 0)
        taps.append(int(self.levels[number + 2][r // 2, c // 2]) if number + 2 < len(self.levels) else 0)
        for down, right in OWN[p]:
            y, x = 2 * r + PLACES[p][0] + down, 2 * c + PLACES[p][1] + right
            taps.append(int(level[y, x]) if 0 <= y < rows and 0 <= x < columns else 0)
        assert len(taps) == 23
        for k in range(3, 8) if number < 3 else ():
            there = number + k < len(self.levels)
            taps.append(int(self.levels[number + k][r >> (k - 1), c >> (k - 1)]) if there else 0)
        return taps

    def _distribution(self, weights: EntropyModel, taps: list[int]) -> tuple[int, int]:
        w1, w2, b2, w3 = weights
        e, units = self._networks.shifts, range(self._networks.hidden)
        h1 = [sum(t * row[j] for t, row in zip(taps, w1, strict=True)) for j in units]
        h1 = [min(max(shift(value, 8 - e[0]), 0), 2**24) for value in h1]
        h2 = [256 * b2[j] + sum(h * row[j] for h, row in zip(h1, w2, strict=True)) for j in units]
        h2 = [min(max(shift(value, -e[1]), 0), 2**24) for value in h2]
        inputs = h2 + [256 * t for t in taps]
        mean, scale = (sum(value * row[o] for value, row in zip(inputs, w3, strict=True)) for o in range(2))
        # floor(x 2^-n + 1/2) = floor((x + 2^(n - 1)) 2^-n)
        mean = shift(mean + (1 << (1 + e[2])), -2 - e[2])
        scale = shift(scale + (1 << (4 + e[3])), -5 - e[3])
        return min(max(mean, -64 * 32767), 64 * 32767), min(max(scale + 32, 0), 96)

    def _beside(self, r: int, c: int) -> tuple[int, int, int]:
        """s, g and h of a latent."""
        places = {(0, -1): 2, (-1, 0): 2, (-1, -1): 1, (-1, 1): 1, (0, -2): 1, (-2, 0): 1, (-1, -2): 1, (-1, 2): 1}
        seen = {at: self._seen.get((r + at[0], c + at[1]), (0, 0, 0)) for at in places}
        near = list(places)[:4]
        return (
            sum(weight * seen[at][0] for at, weight in places.items()),
            sum(min(seen[at][1], 3 if places[at] == 2 else 1) for at in near),
            sum(places[at] * seen[at][2] for at in near),
        )

    def _latent(self, mean: int, scale: int, r: int, c: int) -> int:
        n = (mean + 32) // 64
        b, m = 2 ** (scale / 8 - 4), (mean - 64 * n) / 64
        below, over = math.exp(-(0.5 + m) / b) / 2, math.exp(-(0.5 - m) / b) / 2
        k = max(0, scale // 8 - 4)
        ratios = [math.exp(-(2**j) / b) for j in range(k)]
        same, above, more, *low = (
            min(max(round(65536 * p), 4), 65532)
            for p in (
                1 - below - over,
                over / (over + below),
                math.exp(-(2**k) / b),
                *(ratio / (1 + ratio) for ratio in ratios),
            )
        )
        s, g, h = self._beside(r, c)
        level, decoder = self._number, self._decoder
        contexts: list[tuple[object, ...]] = [("same", level, self._pass)]
        if Maps.place(same) < 320:
            contexts.append(("beside", min(max(s // 1024 + 7, 0), 19), g, min(level, 2)))
        if self._maps.decision(decoder, same, contexts):
            self._seen[r, c] = (same - 65536) // 64, abs(n), 0
            return n
        up = self._maps.decision(decoder, above, [("above", h, min(level, 3))])
        fine, run = sum(decoder.decision(p) << j for j, p in enumerate(low)), 0
        while run < 24:
            question = min(run, 3)
            if not self._maps.decision(decoder, more, [("more", question, level), ("scale", question, scale // 4)]):
                break
            run += 1
        if run == 24:
            bits, v = 0, 1
            while bits < 20 and decoder.plain():
                bits += 1
            for _ in range(bits):
                v = 2 * v + decoder.plain()
            run = 23 + v
        d = ((run << k) + fine + 1) * (1 if up else -1)
        self._seen[r, c] = same // 64, abs(n + d), 1 if up else -1
        return n + d


class Maps:
    """The adaptive maps of a stream, by their contexts."""

    KNOTS = (22, 94, 401, 1682, 6645, 21351, 44185, 58891, 63854, 65135, 65442, 65514)

    def __init__(self) -> None:
        self._points: dict[tuple[object, ...], list[tuple[int, int]]] = {}

    @classmethod
    def place(cls, probability: int) -> int:
        """32 i + t."""
        q = min(max(probability, 22), 65513)
        i = max(i for i, knot in enumerate(cls.KNOTS) if knot <= q)
        return 32 * i + 32 * (q - cls.KNOTS[i]) // (cls.KNOTS[i + 1] - cls.KNOTS[i])

    def decision(self, decoder: RangeDecoder, probability: int, contexts: list[tuple[object, ...]]) -> int:
        i, t = divmod(self.place(probability), 32)
        maps = [self._points.setdefault(one, [(64 * knot, 0) for knot in self.KNOTS]) for one in contexts]
        said = [(32 - t) * points[i][0] + t * points[i + 1][0] for points in maps]
        bit = decoder.decision(min(max(sum(said) >> (10 + len(maps)), 4), 65532))
        for points, a in zip(maps, said, strict=True):
            count = points[i][1]
            e = (2**22 * bit - a // 32) * (65536 // (12 + count))
            values = [points[i][0] + (32 - t) * e // 2**21, points[i + 1][0] + t * e // 2**21]
            values = [min(max(value, 0), 2**22 - 1) for value in values]
            points[i], points[i + 1] = (values[0], min(count + 1, 116)), (values[1], points[i + 1][1])
        return bit


def upsample(plane: np.ndarray, taps: np.ndarray) -> np.ndarray:
    for _ in range(2):  # rows, then columns
        n = len(plane)
        padded = plane[np.arange(-2, n + 2).clip(0, n - 1)]
        v = [padded[k : k + n] for k in range(5)]
        even = sum(taps[k] * v[k] for k in range(4))
        odd = sum(taps[3 - k] * v[k + 1] for k in range(4))
        plane = np.stack([even, odd], axis=1).reshape(2 * n, -1).T
    return plane


def smooth(plane: np.ndarray, taps: np.ndarray) -> np.ndarray:
    for _ in range(2):  # rows, then columns
        n = len(plane)
        padded = plane[np.arange(-3, n + 3).clip(0, n - 1)]
        plane = sum(taps[3 - abs(d)] * padded[3 + d : 3 + d + n] for d in range(-3, 4)).T
    return plane


def fourier(matrix: np.ndarray, x: np.ndarray, order: int) -> np.ndarray:
    """matrix (2K, outputs), x (L, ...) -> (outputs, ...)."""
    subsets = [chosen for n in range(order + 1) for chosen in itertools.combinations(range(len(x)), n)]
    angles = [2 * math.pi * sum((x[j] for j in chosen), np.zeros(x.shape[1:])) for chosen in subsets]
    rows = [wave(angle) for angle in angles for wave in (np.cos, np.sin)]
    return np.tensordot(matrix.T, np.stack(rows), 1)


def decode(
    payloads: tuple[bytes, bytes],
    size: tuple[int, int],
    channels: int,
    architecture: tuple[int, ...],
    prior: int = 0,
) -> tuple[Networks, Latents, np.ndarray]:
    """payloads of `networks` and `latents`, size (height, width): all integers, and the picture (channels, H, W)."""
    count, order, hidden, phase, *smoothed = architecture
    sides = [(2 * -(-height // 2), 2 * -(-width // 2)) for height, width in halvings(size, count)]
    networks = Networks(payloads[0], count, order, hidden, channels, prior, len(smoothed))
    latents = Latents(payloads[1], networks, sides)
    levels = latents.levels
    if smoothed:
        levels = [smooth(level, taps) for level, taps in zip(levels, networks.smoothing, strict=True)]
    planes = [levels[-1]]
    for number in range(count - 2, -1, -1):
        rows, columns = sides[number]
        finer = [upsample(plane, networks.filters[number])[:rows, :columns] for plane in planes]
        planes = [levels[number], *finer]
    x = np.stack(planes).astype(float)
    sx = x * np.float32(2 ** (-phase / 4))
    h = sx + fourier(networks.first, sx, order)
    o = fourier(networks.last, h, order) + np.tensordot(networks.linear.T, x, 1)
    o = np.pad(o[:, : size[0], : size[1]], ((0, 0), (1, 1), (1, 1)), mode="edge")
    y = o[:, 1:-1, 1:-1].copy()
    for c, d, i, j in np.ndindex(networks.kernel.shape):
        y[c] += networks.kernel[c, d, i, j] * o[d, i : i + size[0], j : j + size[1]]
    return networks, latents, y


def tiles(
    payloads: tuple[bytes, bytes], size: tuple[int, int], side: int
) -> list[tuple[tuple[int, int], tuple[int, int], tuple[bytes, bytes]]]:
    """Of a picture (height, width) with the header's tiles: (top, left), size and payloads of each, for `decode`."""
    if not side:
        return [((0, 0), size, payloads)]
    places = list(itertools.product(range(0, size[0], 64 * side), range(0, size[1], 64 * side)))
    at, lengths = 0, []
    for _ in places:
        length, at = varint(payloads[1], at)
        lengths.append(length)
    found = []
    for (top, left), length in zip(places, lengths, strict=True):
        own = min(64 * side, size[0] - top), min(64 * side, size[1] - left)
        found.append(((top, left), own, (payloads[0], payloads[1][at : at + length])))
        at += length
    assert at == len(payloads[1])
    return found


def smooth_edges(y: np.ndarray, side: int) -> np.ndarray:
    """y (channels, H, W) of a picture in tiles of `side` pixels, after "Edges of tiles"."""
    y = y.clip(0, 1)
    for lines in (y.transpose(2, 0, 1), y.transpose(1, 0, 2)):  # columns, then rows, of the same array
        for edge in range(side, len(lines), side):
            jump = lines[edge] - lines[edge - 1]
            moved = np.sign(jump) * np.maximum(0, np.minimum(abs(jump), 48 / 255 - abs(jump)))
            for n in range(3):
                lines[edge - 1 - n] += (3 - n) / 7 * moved
                if edge + n < len(lines):
                    lines[edge + n] -= (3 - n) / 7 * moved
    return y


def samples(y: np.ndarray, bit_depth: int) -> np.ndarray:
    """The network's outputs (C, H, W) as integers."""
    peak = 2**bit_depth - 1
    return np.rint(peak * y).clip(0, peak).astype(int)


def alpha(payload: bytes, size: tuple[int, int], bit_depth: int) -> list[list[int]]:
    """Section `alpha`, rows of samples."""
    height, width = size
    count, width_bytes = height * width, bit_depth // 8
    frame = bytes.fromhex("28b52ffd") + payload[1:]
    plain = zstandard.ZstdDecompressor().decompress(frame, max_output_size=count * width_bytes)
    assert len(plain) == count * width_bytes
    plane = [[0] * width for _ in range(height)]
    for r, c in itertools.product(range(height), range(width)):
        at = r * width + c
        value = sum(plain[at + k * count] << 8 * k for k in range(width_bytes))
        left = plane[r][c - 1] if c else 0
        above = plane[r - 1][c] if r else 0
        corner = plane[r - 1][c - 1] if r and c else 0
        predicted = (0, left, above, left + above - corner)[payload[0]]
        plane[r][c] = (value + predicted) % 2**bit_depth
    return plane


def document(payload: bytes, coder: int) -> bytes:
    """A section of metadata."""
    if coder == 0:
        return payload
    size_bytes, at = varint(payload, 0)
    return unpacked(payload[at:], size_bytes)


def unpacked(frame: bytes, size_bytes: int) -> bytes:
    plain = zstandard.ZstdDecompressor().decompress(bytes.fromhex("28b52ffd") + frame, max_output_size=size_bytes)
    assert len(plain) == size_bytes
    return plain


def varint(data: bytes, at: int) -> tuple[int, int]:
    """The number that begins there, and the place behind it."""
    value = bits = 0
    while True:
        value |= (data[at] & 127) << bits
        bits, at = bits + 7, at + 1
        if data[at - 1] < 128:
            assert bits == 7 or data[at - 1], "not the shortest encoding"
            return value, at


@dataclass
class File:
    """What stands in a file before any of it is decoded; sections by kind, (coder, bytes)."""

    size: tuple[int, int]  # height, width
    channels: int  # alpha among them
    bit_depth: int
    coordinates: int
    activation: int
    profile: int
    prior: int
    tiles: int
    architecture: tuple[int, ...]
    sections: dict[int, tuple[int, bytes]] = field(default_factory=dict)


def parse(data: bytes) -> File:
    """The container."""
    assert data[:8] == bytes.fromhex("93464E430D0A1A0A")
    assert data[8] == 0x03
    sample, profile = data[9], data[10]
    width, at = varint(data, 11)
    height, at = varint(data, at)
    prior = tiles = 0
    if profile & 16:
        prior, at = varint(data, at)
        tiles, at = varint(data, at)
        assert prior or tiles
    architecture = []
    for _ in range(profile >> 5):
        value, at = varint(data, at)
        architecture.append(value)
    of_payload, of_header = struct.unpack_from("<II", data, at)
    assert zlib.crc32(data[: at + 4]) == of_header
    at += 8
    assert zlib.crc32(data[at:]) == of_payload
    depth = (8, 10, 12, 16)[sample >> 2 & 3]
    found = File(
        (height + 1, width + 1), (sample & 3) + 1, depth, sample >> 4 & 3, sample >> 6, profile & 15, prior,
        tiles, tuple(architecture),
    )  # fmt: skip
    last = False
    while not last:
        tag = data[at]
        size_bytes, at = varint(data, at + 1)
        assert (tag & 31) not in found.sections
        found.sections[tag & 31] = tag >> 5 & 3, data[at : at + size_bytes]
        at, last = at + size_bytes, bool(tag & 128)
    assert at == len(data)
    return found


def decode_file(data: bytes) -> tuple[np.ndarray, dict[int, bytes]]:
    """The samples (H, W, channels) of a file, and its metadata by kind."""
    file = parse(data)
    colours = 1 if file.channels <= 2 else 3
    if file.profile == 1:
        planes = Fourier(file, colours).planes()
    else:
        payloads = file.sections[0][1], file.sections[1][1]
        assert file.sections[0][0] == file.sections[1][0] == 2
        planes = np.empty((colours, *file.size))
        for (top, left), (height, width), own in tiles(payloads, file.size, file.tiles):
            tile = decode(own, (height, width), colours, file.architecture, file.prior)[2]
            planes[:, top : top + height, left : left + width] = tile
        if file.tiles:
            planes = smooth_edges(planes, 64 * file.tiles)
    if file.activation == 1:
        planes = 1 / (1 + np.exp(-planes))
    found = list(samples(planes, file.bit_depth))
    if file.channels in (2, 4):
        assert file.sections[8][0] == 1
        found.append(np.array(alpha(file.sections[8][1], file.size, file.bit_depth)))
    documents = {kind: file.sections[kind] for kind in (16, 17, 18, 19) if kind in file.sections}
    return np.stack(found, axis=2), {kind: document(coded, coder) for kind, (coder, coded) in documents.items()}


def exact_step(index: int) -> Fraction:
    """The quantiser step of an index."""
    return Fraction(float(np.float32(MANTISSAS[index % 8]))) / 2 ** (index // 8)


class Fourier:
    """Profile 1."""

    def __init__(self, file: File, channels: int) -> None:
        self.file, (m, depth, *more) = file, file.architecture
        assert len(more) < 4
        self.narrow = len(more) == 3
        assert len(more) % 2 == 0 or 1 <= more[0] < m + self.narrow
        self.order = more[0] if len(more) % 2 and more[0] < m else max(m, 2)
        self.cells = (more[-2], more[-1]) if len(more) > 1 else (1, 1)
        number = self.cells[0] * self.cells[1]
        if len(more) > 1:
            assert 2 <= number <= 1024
            assert file.coordinates == 0
        # (inputs, outputs, whether x is added)
        self.layers = [(2, m, False), *[(m, m, True)] * (depth - 1), (m, channels, False)]
        sizes = [2 * outputs * len(self._frequencies(inputs)) for inputs, outputs, _ in self.layers]
        count = sum(outputs for _, outputs, _ in self.layers)
        self.count = sum(sizes)
        assert number == 1 or number * self.count <= 2**22
        contexts: list[Context] = [
            (1 + layer, len(ones))
            for layer, (inputs, outputs, _) in enumerate(self.layers)
            for ones in self._frequencies(inputs)
            for _ in range(2 * outputs)
        ]
        steps = count * number if self.narrow else count
        contexts = [0] * steps + contexts * number
        coder, payload = file.sections[0]
        integers = self._ranged(payload, contexts) if coder == 2 else self._packed(payload, len(contexts))
        self.step_indices = list(itertools.accumulate(integers[:steps]))
        self.symbols = integers[steps:]
        if file.prior:
            assert max(abs(q) for q in self.symbols) < 2**20
            self.symbols = [b + q for b, q in zip(self._start(file.prior, channels), self.symbols, strict=True)]
        assert 0 <= min(self.step_indices) <= max(self.step_indices) <= 255
        assert max(abs(q) for q in self.symbols) < 2**20
        for cell in range(number):
            self._check_bound(self.symbols[cell * self.count :], self._indices(cell))

    def _indices(self, cell: int) -> list[int]:
        """The step indices of a cell."""
        count = sum(outputs for _, outputs, _ in self.layers)
        return self.step_indices[cell * count : (cell + 1) * count] if self.narrow else self.step_indices

    def _start(self, prior: int, channels: int) -> list[int]:
        """The integers of a trained start, in steps."""
        with np.load(FNET_PRIORS) as stored:
            assert tuple(stored[f"size_{prior}"]) == self.file.architecture
            integers = stored[f"start_{prior}"].tolist()
        if channels == 1:
            at = len(integers) - 6 * len(self._frequencies(self.layers[-1][0]))
            integers[at:] = [sum(integers[i : i + 3]) // 3 for i in range(at, len(integers), 3)]
        found, at, first = [], 0, 0
        for inputs, outputs, _ in self.layers:
            for number in range(2 * outputs * len(self._frequencies(inputs))):
                step = exact_step(self.step_indices[first + number % outputs])
                found.append(math.floor(Fraction(integers[at], 2**13) / step + Fraction(1, 2)))
                at += 1
            first += outputs
        return found

    def _check_bound(self, own: list[int], step_indices: list[int]) -> None:
        symbols, indices = iter(own), iter(step_indices)
        state: list[Fraction] = []
        for inputs, outputs, added in self.layers:
            sizes = [0] * outputs
            for number in range(2 * outputs * len(self._frequencies(inputs))):
                sizes[number % outputs] += abs(next(symbols))
            steps = [exact_step(i) for i in itertools.islice(indices, outputs)]
            state = [
                step * size + (state[o] if added else 0)
                for o, (step, size) in enumerate(zip(steps, sizes, strict=True))
            ]
            assert max(state) <= 2**10

    def _frequencies(self, inputs: int) -> list[tuple[int, ...]]:
        """Which of the inputs each k has."""
        if self.order >= inputs:
            return [tuple(j for j in range(inputs) if k >> j & 1) for k in range(2**inputs)]
        return [k for ones in range(self.order + 1) for k in itertools.combinations(range(inputs), ones)]

    @staticmethod
    def _ranged(payload: bytes, contexts: list[Context]) -> list[int]:
        models = Models(RangeDecoder(payload))
        integers = [models.integer(context) for context in contexts]
        models.decoder.end()
        return integers

    @staticmethod
    def _packed(payload: bytes, count: int) -> list[int]:
        planes = payload[0]
        plain = unpacked(payload[1:], planes * count)
        zigzag = [sum(plain[at + plane * count] << 8 * plane for plane in range(planes)) for at in range(count)]
        return [-(u + 1) // 2 if u & 1 else u // 2 for u in zigzag]

    def coefficients(self) -> np.ndarray:
        """(N,) float32."""
        found, at = np.empty(len(self.symbols), np.float32), 0
        while at < len(found):
            at = self._cell_coefficients(found, at)
        return found

    def _cell_coefficients(self, found: np.ndarray, at: int) -> int:
        first, indices = 0, self._indices(at // self.count)
        for inputs, outputs, _ in self.layers:
            for number in range(2 * outputs * len(self._frequencies(inputs))):
                index = indices[first + number % outputs]
                step = np.float32(MANTISSAS[index % 8]) * np.float32(2.0 ** -(index // 8))
                found[at] = np.float32(self.symbols[at]) * step
                at += 1
            first += outputs
        return at

    def planes(self) -> np.ndarray:
        """(channels, H, W), before the activation."""
        height, width = self.file.size
        rows, columns = np.mgrid[0:height, 0:width].astype(float)
        coefficients = self.coefficients().astype(float)
        if self.file.coordinates == 1:
            return self._values(coefficients, np.stack([columns / 32, rows / 32]))
        down, across = self.cells
        period = 2 * max(height / down, width / across)
        total = np.zeros(())
        for cell in range(down * across):
            i, j = divmod(cell, across)
            x = np.stack([(columns + 0.5 - j * width / across) / period, (rows + 0.5 - i * height / down) / period])
            weight = part_of_one((rows + 0.5) * down / height, i, down, self.narrow) * part_of_one(
                (columns + 0.5) * across / width, j, across, self.narrow
            )
            total = total + weight * self._values(coefficients[cell * self.count :], x)
        return total

    def _values(self, coefficients: np.ndarray, x: np.ndarray) -> np.ndarray:
        """(channels, H, W) of one network at x (2, H, W)."""
        at, (height, width) = 0, self.file.size
        x = x.astype(np.float32).astype(float)
        for inputs, outputs, added in self.layers:
            frequencies = self._frequencies(inputs)
            size = 2 * outputs * len(frequencies)
            a_and_b = coefficients[at : at + size].reshape(-1, 2, outputs)
            y = x.copy() if added else np.zeros((outputs, height, width))
            for number, chosen in enumerate(frequencies):
                angle = 2 * math.pi * sum((x[j] for j in chosen), np.zeros((height, width)))
                for o in range(outputs):
                    y[o] += a_and_b[number, 0, o] * np.cos(angle) + a_and_b[number, 1, o] * np.sin(angle)
            x, at = y, at + size
        return x


def part_of_one(places: np.ndarray, cell: int, cells: int, narrow: bool) -> np.ndarray:
    """The weight of a cell along an axis, at places in cells."""
    t = places - cell - 0.5
    t = np.maximum(t, 0) if cell == 0 else t
    t = np.minimum(t, 0) if cell == cells - 1 else t
    u = np.minimum(np.maximum(8 * np.abs(t) - 3.5, 0) if narrow else np.abs(t), 1)
    return 1 - u * u * (3 - 2 * u)


def halvings(size: tuple[int, int], count: int) -> list[tuple[int, int]]:
    return [(-(-size[0] // 2**number), -(-size[1] // 2**number)) for number in range(count)]
