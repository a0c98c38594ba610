"""Register-tiled vector micro-kernels as LLVM IR, callable from numba code.

A Fourier layer spends nine tenths of its time in small matrix products. LLVM vectorises single loops, but does not keep
a tile of such a product in registers. These intrinsics emit the tiles directly, as fused multiply-adds of
`<VECTOR x float>`, as wide as the processor has.

All matrices are float32, row-major, in flat arrays. A "block" is BLOCK pixels; the rows of block matrices are BLOCK
floats apart:

    features  (2K, BLOCK)  row 2k = cos(2 pi k.x), row 2k + 1 = sin(2 pi k.x)
    weights   (2K, n)      row 2k = a_k, row 2k + 1 = b_k, for n outputs
    y, dy     (n, BLOCK)

`n` must be a compile-time constant (a literal or a global of the caller): each number of outputs has its own tiles.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.codegen import get_host_cpu_features
from numba.core.config import CPU_FEATURES, DISABLE_JIT
from numba.extending import intrinsic

from fourcodec.fourier.layout import BLOCK

_FLOAT = ir.FloatType()
_FEATURES = CPU_FEATURES if CPU_FEATURES is not None else get_host_cpu_features()
_WIDE = "+avx512f" in _FEATURES and "+avx512vl" in _FEATURES

VECTOR = 16 if _WIDE else 8  # floats per vector; 8 also suits NEON (two registers each)
_REGISTERS = 24 if _WIDE else 12  # vectors that accumulate at once; the other registers hold operands

_VEC = ir.VectorType(_FLOAT, VECTOR)
Address = Callable[..., ir.Value]  # of an array's element, see _code


def _code(emit: Callable[..., None]) -> Callable[..., ir.Value]:
    """The code generator of an intrinsic that returns nothing, from emit(builder, address, args): address(i) is that of
    the array which is argument i, address(i, offset) that of one of its elements."""

    def codegen(context: Any, builder: ir.IRBuilder, signature: Any, args: Any) -> ir.Value:
        def address(index: int, offset: ir.Value | int = 0) -> ir.Value:
            data = context.make_array(signature.args[index])(context, builder, args[index]).data
            return builder.gep(data, [_int(offset)])

        emit(builder, address, args)
        return context.get_dummy_value()

    return codegen


def _load(builder: ir.IRBuilder, base: ir.Value, index: ir.Value | int, kind: ir.Type = _VEC) -> ir.Value:
    address = builder.gep(base, [_int(index)])
    return builder.load(builder.bitcast(address, kind.as_pointer()), align=4)


def _store(builder: ir.IRBuilder, value: ir.Value, base: ir.Value, index: ir.Value | int) -> None:
    address = builder.gep(base, [_int(index)])
    builder.store(value, builder.bitcast(address, value.type.as_pointer()), align=4)


def _int(value: ir.Value | int) -> ir.Value:
    return ir.Constant(ir.IntType(64), value) if isinstance(value, int) else value


def _splat(builder: ir.IRBuilder, base: ir.Value, index: ir.Value | int) -> ir.Value:
    scalar = builder.load(builder.gep(base, [_int(index)]), align=4)
    single = builder.insert_element(ir.Constant(_VEC, ir.Undefined), scalar, ir.Constant(ir.IntType(32), 0))
    lanes = ir.Constant(ir.VectorType(ir.IntType(32), VECTOR), [0] * VECTOR)
    return builder.shuffle_vector(single, ir.Constant(_VEC, ir.Undefined), lanes)


def _fma(builder: ir.IRBuilder, a: ir.Value, b: ir.Value, c: ir.Value) -> ir.Value:
    kind = ir.FunctionType(_VEC, [_VEC, _VEC, _VEC])
    function = cgutils.get_or_insert_function(builder.module, kind, f"llvm.fma.v{VECTOR}f32")
    return builder.call(function, [a, b, c])


def _sums(builder: ir.IRBuilder, vectors: list[ir.Value]) -> ir.Value:
    """One vector whose lane i is the sum of all lanes of vectors[i] (at most VECTOR of them), by a tree of shuffles."""
    zero = ir.Constant(_VEC, [0.0] * VECTOR)
    level = vectors + [zero] * (VECTOR - len(vectors))
    index = ir.VectorType(ir.IntType(32), VECTOR)
    even = ir.Constant(index, list(range(0, 2 * VECTOR, 2)))
    odd = ir.Constant(index, list(range(1, 2 * VECTOR, 2)))
    while len(level) > 1:
        level = [
            builder.fadd(builder.shuffle_vector(a, b, even), builder.shuffle_vector(a, b, odd))
            for a, b in zip(level[::2], level[1::2], strict=True)
        ]
    return level[0]


def _parts(n: int, largest: int) -> list[range]:
    """0..n-1 cut into the fewest nearly equal ranges of at most `largest`."""
    count = -(-n // largest)
    edges = [n * i // count for i in range(count + 1)]
    return [range(a, b) for a, b in itertools.pairwise(edges)]


def _divisor(limit: int) -> int:
    """The widest tile of at most `limit` vectors that divides a block."""
    return next(d for d in range(max(limit, 1), 0, -1) if (BLOCK // VECTOR) % d == 0)


def _accumulators(builder: ir.IRBuilder, count: int) -> list[ir.Value]:
    return [cgutils.alloca_once(builder, _VEC) for _ in range(count)]


@intrinsic
def multiply_phasors(typingctx, low, high, h, features, count):  # type: ignore[no-untyped-def]
    """features[2k], features[2k + 1] = the complex product of entries low[k] and high[h], for k < count. In all three
    arrays an entry is two rows, cosine and sine."""

    def emit(builder: ir.IRBuilder, address: Address, args: Any) -> None:
        l_base, h_base, f_base = address(0), address(1, builder.mul(args[2], _int(2 * BLOCK))), address(3)
        with cgutils.for_range(builder, _int(BLOCK // VECTOR)) as tile:
            pixel = builder.mul(tile.index, _int(VECTOR))
            h_tile = builder.gep(h_base, [pixel])
            h_cos, h_sin = _load(builder, h_tile, 0), _load(builder, h_tile, BLOCK)
            with cgutils.for_range(builder, args[4]) as k:
                at = builder.add(pixel, builder.mul(k.index, _int(2 * BLOCK)))
                l_tile, f_tile = builder.gep(l_base, [at]), builder.gep(f_base, [at])
                l_cos, l_sin = _load(builder, l_tile, 0), _load(builder, l_tile, BLOCK)
                minus = builder.fneg(builder.fmul(l_sin, h_sin))
                _store(builder, _fma(builder, l_cos, h_cos, minus), f_tile, 0)
                _store(builder, _fma(builder, l_cos, h_sin, builder.fmul(l_sin, h_cos)), f_tile, BLOCK)

    return types.void(low, high, types.int64, features, types.int64), _code(emit)


@intrinsic
def accumulate_outputs(typingctx, y, features, weights, weights_at, rows, n):  # type: ignore[no-untyped-def]
    """y[o, :] += sum over f < rows of weights[f, o] * features[f, :], for o < n. The weights start at element
    `weights_at` of their array."""
    if not isinstance(n, types.IntegerLiteral):
        return None
    outputs = n.literal_value

    def emit(builder: ir.IRBuilder, address: Address, args: Any) -> None:
        y_base, f_base, w_base = address(0), address(1), address(2, args[3])
        for part in _parts(outputs, 10 if _WIDE else 4):
            wide = _divisor(min(6, _REGISTERS // len(part)))
            sums = [_accumulators(builder, wide) for _ in part]
            with cgutils.for_range(builder, _int(BLOCK // (VECTOR * wide))) as tile:
                pixel = builder.mul(tile.index, _int(VECTOR * wide))
                y_tile, f_tile = builder.gep(y_base, [pixel]), builder.gep(f_base, [pixel])
                for i, o in enumerate(part):
                    for r in range(wide):
                        builder.store(_load(builder, y_tile, o * BLOCK + r * VECTOR), sums[i][r])
                with cgutils.for_range(builder, args[4]) as row:
                    f_row = builder.gep(f_tile, [builder.mul(row.index, _int(BLOCK))])
                    w_row = builder.gep(w_base, [builder.mul(row.index, _int(outputs))])
                    values = [_load(builder, f_row, r * VECTOR) for r in range(wide)]
                    for i, o in enumerate(part):
                        weight = _splat(builder, w_row, o)
                        for r in range(wide):
                            builder.store(_fma(builder, weight, values[r], builder.load(sums[i][r])), sums[i][r])
                for i, o in enumerate(part):
                    for r in range(wide):
                        _store(builder, builder.load(sums[i][r]), y_tile, o * BLOCK + r * VECTOR)

    return types.void(y, features, weights, types.int64, types.int64, n), _code(emit)


@intrinsic
def accumulate_weight_gradients(typingctx, gradients, gradients_at, dy, features, rows, n):  # type: ignore[no-untyped-def]
    """gradients[f, o] += sum over pixels of dy[o, :] * features[f, :], for f < rows and o < n. `rows` must be a
    multiple of 4; gradients start at element `gradients_at` of their array."""
    if not isinstance(n, types.IntegerLiteral):
        return None
    outputs = n.literal_value
    tall = 4 if _WIDE else 2  # features per tile

    def emit(builder: ir.IRBuilder, address: Address, args: Any) -> None:
        g_base, d_base, f_base = address(0, args[1]), address(2), address(3)
        for part in _parts(outputs, 4):
            sums = _accumulators(builder, tall * len(part))
            with cgutils.for_range(builder, builder.sdiv(args[4], _int(tall))) as tile:
                row = builder.mul(tile.index, _int(tall))
                f_tile = builder.gep(f_base, [builder.mul(row, _int(BLOCK))])
                g_tile = builder.gep(g_base, [builder.mul(row, _int(outputs))])
                for accumulator in sums:
                    builder.store(ir.Constant(_VEC, [0.0] * VECTOR), accumulator)
                with cgutils.for_range(builder, _int(BLOCK // VECTOR)) as vector:
                    pixel = builder.mul(vector.index, _int(VECTOR))
                    f_at, d_at = builder.gep(f_tile, [pixel]), builder.gep(d_base, [pixel])
                    values = [_load(builder, f_at, t * BLOCK) for t in range(tall)]
                    for i, o in enumerate(part):
                        gradient = _load(builder, d_at, o * BLOCK)
                        for t in range(tall):
                            at = sums[t * len(part) + i]
                            builder.store(_fma(builder, gradient, values[t], builder.load(at)), at)
                total = _sums(builder, [builder.load(accumulator) for accumulator in sums])
                short = ir.VectorType(_FLOAT, len(part))
                for t in range(tall):
                    lanes = [t * len(part) + i for i in range(len(part))]
                    mask = ir.Constant(ir.VectorType(ir.IntType(32), len(part)), lanes)
                    added = builder.shuffle_vector(total, ir.Constant(_VEC, ir.Undefined), mask)
                    at = t * outputs + part.start
                    _store(builder, builder.fadd(_load(builder, g_tile, at, short), added), g_tile, at)

    return types.void(gradients, types.int64, dy, features, types.int64, n), _code(emit)


@intrinsic
def accumulate_phase_gradients(typingctx, low, high, high_at, dy, features, weights, weights_at, count, n):  # type: ignore[no-untyped-def]
    """Adds the gradients by the angles of `count` features, s_k = cos_k (b_k . dy) - sin_k (a_k . dy), to two tables:

    low[k, :] += s_k and high[high_at : high_at + BLOCK] += sum of s_k over k. `count` must be a multiple of 4, or 1 or
    2.
    """
    if not isinstance(n, types.IntegerLiteral):
        return None
    outputs = n.literal_value
    tall = 4 if _WIDE else 2  # features per tile

    def emit_tiles(builder: ir.IRBuilder, tall: int, count: ir.Value, bases: tuple[ir.Value, ...]) -> None:
        l_base, h_base, d_base, f_base, w_base = bases
        wide = _divisor(_REGISTERS // (2 * tall))
        with cgutils.for_range(builder, builder.sdiv(count, _int(tall))) as group:
            k = builder.mul(group.index, _int(tall))
            w_group = builder.gep(w_base, [builder.mul(k, _int(2 * outputs))])
            with cgutils.for_range(builder, _int(BLOCK // (VECTOR * wide))) as tile:
                pixel = builder.mul(tile.index, _int(VECTOR * wide))
                d_tile, h_tile = builder.gep(d_base, [pixel]), builder.gep(h_base, [pixel])
                f_tile = builder.gep(f_base, [builder.add(pixel, builder.mul(k, _int(2 * BLOCK)))])
                l_tile = builder.gep(l_base, [builder.add(pixel, builder.mul(k, _int(BLOCK)))])
                dots = [[ir.Constant(_VEC, [0.0] * VECTOR)] * wide for _ in range(2 * tall)]
                for o in range(outputs):
                    gradients = [_load(builder, d_tile, o * BLOCK + r * VECTOR) for r in range(wide)]
                    for f in range(2 * tall):
                        weight = _splat(builder, w_group, f * outputs + o)
                        dots[f] = [_fma(builder, weight, gradients[r], dots[f][r]) for r in range(wide)]
                for r in range(wide):
                    total = _load(builder, h_tile, r * VECTOR)
                    for t in range(tall):
                        cosine = _load(builder, f_tile, 2 * t * BLOCK + r * VECTOR)
                        sine = _load(builder, f_tile, (2 * t + 1) * BLOCK + r * VECTOR)
                        by_angle = builder.fsub(
                            builder.fmul(cosine, dots[2 * t + 1][r]), builder.fmul(sine, dots[2 * t][r])
                        )
                        at = t * BLOCK + r * VECTOR
                        _store(builder, builder.fadd(_load(builder, l_tile, at), by_angle), l_tile, at)
                        total = builder.fadd(total, by_angle)
                    _store(builder, total, h_tile, r * VECTOR)

    def emit(builder: ir.IRBuilder, address: Address, args: Any) -> None:
        bases = address(0), address(1, args[2]), address(3), address(4), address(5, args[6])
        small = builder.icmp_signed("<", args[7], _int(tall))
        with builder.if_else(small) as (then, otherwise):
            with then:
                emit_tiles(builder, 1, args[7], bases)
            with otherwise:
                emit_tiles(builder, tall, args[7], bases)

    return types.void(low, high, types.int64, dy, features, weights, types.int64, types.int64, n), _code(emit)


@intrinsic
def expand_features(typingctx, cosines, sines, table, count, features):  # type: ignore[no-untyped-def]
    """features[2k], features[2k + 1] = the complex product of feature table[k, 0] and phasor table[k, 1], for k =
    1..count-1 in this order. The caller fills in feature 0. table: (count, 2) int64; cosines, sines: (m, BLOCK)."""

    def emit(builder: ir.IRBuilder, address: Address, args: Any) -> None:
        c_base, s_base, t_base, f_base = (address(i) for i in (0, 1, 2, 4))
        wide = 2  # two vectors per iteration hide the latency of the products
        with cgutils.for_range(builder, _int(BLOCK // (wide * VECTOR))) as tile:
            pixel = builder.mul(tile.index, _int(wide * VECTOR))
            with cgutils.for_range(builder, args[3], start=_int(1)) as k:
                entry = builder.gep(t_base, [builder.mul(k.index, _int(2))])
                parent, factor = builder.load(entry), builder.load(builder.gep(entry, [_int(1)]))
                low = builder.gep(f_base, [builder.add(pixel, builder.mul(parent, _int(2 * BLOCK)))])
                at = builder.add(pixel, builder.mul(factor, _int(BLOCK)))
                high_cos, high_sin = builder.gep(c_base, [at]), builder.gep(s_base, [at])
                out = builder.gep(f_base, [builder.add(pixel, builder.mul(k.index, _int(2 * BLOCK)))])
                for r in range(wide):
                    l_cos, l_sin = _load(builder, low, r * VECTOR), _load(builder, low, BLOCK + r * VECTOR)
                    h_cos, h_sin = _load(builder, high_cos, r * VECTOR), _load(builder, high_sin, r * VECTOR)
                    minus = builder.fneg(builder.fmul(l_sin, h_sin))
                    _store(builder, _fma(builder, l_cos, h_cos, minus), out, r * VECTOR)
                    _store(builder, _fma(builder, l_cos, h_sin, builder.fmul(l_sin, h_cos)), out, BLOCK + r * VECTOR)

    return types.void(cosines, sines, table, types.int64, features), _code(emit)


@intrinsic
def fold_products(typingctx, gradients, table, count, angles):  # type: ignore[no-untyped-def]
    """The gradient by the angles of phasors of features that `expand_features` made: angles[j, :] += the sum of the
    rows of `gradients`, by the angles of features, over those of which phasor j is a factor.

    A feature's gradient goes to its parent and its phasor, for k = count-1..1, so that `gradients` (count, BLOCK) is
    overwritten. numba's own loop over two rows that may be one is not vectorised and takes eight times as long.
    """

    def emit(builder: ir.IRBuilder, address: Address, args: Any) -> None:
        g_base, t_base, a_base = address(0), address(1), address(3)
        wide = _divisor(4)  # independent sums hide the latency of those that go through memory
        with cgutils.for_range(builder, _int(BLOCK // (wide * VECTOR))) as tile:
            pixel = builder.mul(tile.index, _int(wide * VECTOR))
            g_tile, a_tile = builder.gep(g_base, [pixel]), builder.gep(a_base, [pixel])
            with cgutils.for_range(builder, builder.sub(args[2], _int(1))) as step:
                k = builder.sub(builder.sub(args[2], _int(1)), step.index)
                entry = builder.gep(t_base, [builder.mul(k, _int(2))])
                own = builder.gep(g_tile, [builder.mul(k, _int(BLOCK))])
                values = [_load(builder, own, r * VECTOR) for r in range(wide)]
                for base, number in (
                    (g_tile, builder.load(entry)),
                    (a_tile, builder.load(builder.gep(entry, [_int(1)]))),
                ):
                    row = builder.gep(base, [builder.mul(number, _int(BLOCK))])
                    for r, value in enumerate(values):
                        _store(builder, builder.fadd(_load(builder, row, r * VECTOR), value), row, r * VECTOR)

    return types.void(gradients, table, types.int64, angles), _code(emit)


@intrinsic
def fold_gradients(typingctx, dy, features, weights, frequencies, count, angles, n, m):  # type: ignore[no-untyped-def]
    """angles[j, :] += the gradient by the angle of phasor j, given dy, the gradients by the n outputs.

    It is the sum of cos_k (b_k . dy) - sin_k (a_k . dy) over the features k = 1..count-1 of which phasor j is a factor.
    frequencies: (count, m) float32, flat, 1 where phasor j is a factor of feature k, else 0.
    """
    if not isinstance(n, types.IntegerLiteral) or not isinstance(m, types.IntegerLiteral):
        return None
    outputs, inputs = n.literal_value, m.literal_value
    wide = _divisor(min(4, (_REGISTERS + 6) // (outputs + inputs + 2)))

    def emit(builder: ir.IRBuilder, address: Address, args: Any) -> None:
        d_base, f_base, w_base, k_base, a_base = (address(i) for i in (0, 1, 2, 3, 5))
        sums = [_accumulators(builder, wide) for _ in range(inputs)]
        with cgutils.for_range(builder, _int(BLOCK // (wide * VECTOR))) as tile:
            pixel = builder.mul(tile.index, _int(wide * VECTOR))
            d_tile, a_tile = builder.gep(d_base, [pixel]), builder.gep(a_base, [pixel])
            by = [[_load(builder, d_tile, o * BLOCK + r * VECTOR) for r in range(wide)] for o in range(outputs)]
            for j in range(inputs):
                for r in range(wide):
                    builder.store(_load(builder, a_tile, j * BLOCK + r * VECTOR), sums[j][r])
            with cgutils.for_range(builder, args[4], start=_int(1)) as k:
                w_row = builder.gep(w_base, [builder.mul(k.index, _int(2 * outputs))])
                k_row = builder.gep(k_base, [builder.mul(k.index, _int(inputs))])
                f_row = builder.gep(f_base, [builder.add(pixel, builder.mul(k.index, _int(2 * BLOCK)))])
                dots = [[ir.Constant(_VEC, [0.0] * VECTOR)] * wide for _ in range(2)]
                for o in range(outputs):
                    for f in range(2):
                        weight = _splat(builder, w_row, f * outputs + o)
                        dots[f] = [_fma(builder, weight, by[o][r], dots[f][r]) for r in range(wide)]
                by_angle = []
                for r in range(wide):
                    cosine, sine = _load(builder, f_row, r * VECTOR), _load(builder, f_row, BLOCK + r * VECTOR)
                    minus = builder.fneg(builder.fmul(sine, dots[0][r]))
                    by_angle.append(_fma(builder, cosine, dots[1][r], minus))
                for j in range(inputs):
                    held = _splat(builder, k_row, j)
                    for r in range(wide):
                        builder.store(_fma(builder, held, by_angle[r], builder.load(sums[j][r])), sums[j][r])
            for j in range(inputs):
                for r in range(wide):
                    _store(builder, builder.load(sums[j][r]), a_tile, j * BLOCK + r * VECTOR)

    return types.void(dy, features, weights, frequencies, types.int64, angles, n, m), _code(emit)


@intrinsic
def peak_loop(typingctx, out, repeats):  # type: ignore[no-untyped-def]
    """Runs `repeats` x 24 vector multiply-adds (x 12 without AVX-512) on registers alone, to measure the processor's
    peak. For benchmarks."""

    def emit(builder: ir.IRBuilder, address: Address, args: Any) -> None:
        base = address(0)
        start, factor = _load(builder, base, 0), _load(builder, base, VECTOR)
        sums = _accumulators(builder, _REGISTERS)
        for accumulator in sums:
            builder.store(start, accumulator)
        with cgutils.for_range(builder, args[1]):
            for accumulator in sums:
                builder.store(_fma(builder, factor, builder.load(accumulator), start), accumulator)
        total = builder.load(sums[0])
        for accumulator in sums[1:]:
            total = builder.fadd(total, builder.load(accumulator))
        _store(builder, total, base, 0)

    return types.void(out, types.int64), _code(emit)


if DISABLE_JIT:  # with numba disabled kernels run as Python, which cannot call an intrinsic
    from fourcodec.fourier.simd_plain import accumulate_outputs, expand_features, multiply_phasors  # noqa: F401
