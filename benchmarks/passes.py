"""How many passes a level is worth decoding in: bits of a file's latents under context models of 1, 2, 4, 8 passes.

    python benchmarks/passes.py FILE.fnc... > benchmarks/results/passes.tsv

Every model sees as many latents (the twelve nearest of earlier passes within two rows and columns, or as many as there
are) and the same coarser levels, has a network like the codec's for each pass, and is fitted to these very latents by
Adam, in float. So the numbers say what an order of decoding is worth, not what a file would take: weights are not
counted. The latents were fitted together with the codec's four passes, which flatters four.
"""

import argparse
import math
from pathlib import Path

import numpy as np
import torch

import fourcodec

STEPS, RATE, HIDDEN, NEAREST, REACH = 600, 2e-2, 16, 12, 2
# The number of a latent's pass from its row and column.
ORDERS = {
    1: lambda r, c: 0 * r + 0 * c,
    2: lambda r, c: (r + c) % 2,
    4: lambda r, c: np.array([[0, 2], [3, 1]])[r % 2, c % 2],
    8: lambda r, c: 2 * np.array([[0, 2], [3, 1]])[r % 2, c % 2] + (r // 2 + c // 2) % 2,
}
PARENTS = [(dy, dx) for dy in range(-2, 3) for dx in range(-2, 3) if dy * dy + dx * dx < 8]
OWN = sorted(
    ((dy, dx) for dy in range(-REACH, REACH + 1) for dx in range(-REACH, REACH + 1) if (dy, dx) != (0, 0)),
    key=lambda at: (at[0] ** 2 + at[1] ** 2, at),
)


def shifted(plane: np.ndarray, dy: int, dx: int) -> np.ndarray:
    """plane at (r + dy, c + dx), 0 beyond its edge."""
    padded = np.pad(plane, 4)
    return padded[4 + dy : 4 + dy + plane.shape[0], 4 + dx : 4 + dx + plane.shape[1]]


def examples(levels: list[np.ndarray], passes: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Per pass: what is known of each latent (N, inputs) and the latents (N,)."""
    order = ORDERS[passes]
    found: list[list[tuple[np.ndarray, np.ndarray]]] = [[] for _ in range(passes)]
    cell = np.indices((4, 4))
    for number, level in enumerate(levels):
        coarser = []
        for up in (1, 2):
            source = levels[number + up] if number + up < len(levels) else np.zeros((1, 1), np.int16)
            r, c = np.indices(level.shape) >> up
            coarser.append((source, np.minimum(r, source.shape[0] - 1), np.minimum(c, source.shape[1] - 1)))
        known = [shifted(coarser[0][0], dy, dx)[coarser[0][1], coarser[0][2]] for dy, dx in PARENTS]
        known.append(coarser[1][0][coarser[1][1], coarser[1][2]])
        own = {at: shifted(level, *at) for at in OWN}
        at = order(*np.indices(level.shape))
        for p in range(passes):
            # Which neighbours are known may differ between places of one pass: those that all of them have.
            where = [(r, c) for r, c in zip(*(axis[order(*cell) == p] for axis in cell), strict=True)]
            earlier = [
                (dy, dx)
                for dy, dx in OWN
                if all(order(np.int64(r + dy + 8), np.int64(c + dx + 8)) < p for r, c in where)
            ]
            chosen = at == p
            inputs = np.stack([plane[chosen] for plane in known + [own[n] for n in earlier[:NEAREST]]], axis=1)
            found[p].append((inputs, level[chosen]))
    return [
        (np.concatenate([x for x, _ in parts]).astype(np.float32), np.concatenate([y for _, y in parts]))
        for parts in found
    ]


def bits(inputs: np.ndarray, latents: np.ndarray) -> float:
    """Under the best network found."""
    torch.manual_seed(0)
    x, y = torch.tensor(inputs), torch.tensor(latents.astype(np.float32))
    network = torch.nn.Sequential(
        torch.nn.Linear(x.shape[1], HIDDEN), torch.nn.LeakyReLU(0.1),
        torch.nn.Linear(HIDDEN, HIDDEN), torch.nn.LeakyReLU(0.1), torch.nn.Linear(HIDDEN, 2),
    )  # fmt: skip
    linear = torch.nn.Linear(x.shape[1], 2)
    torch.nn.init.zeros_(linear.weight)
    parameters = [*network.parameters(), *linear.parameters()]
    optimiser = torch.optim.Adam(parameters, RATE)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, STEPS)
    best = math.inf
    for _ in range(STEPS):
        optimiser.zero_grad()
        mean, scale = (network(x) + linear(x)).T
        width = torch.exp(scale.clamp(-6, 8))
        low, high = (y - 0.5 - mean) / width, (y + 0.5 - mean) / width
        # Laplace's distribution over [y - 1/2, y + 1/2], by the side of the mean that both ends lie on
        inside = 1 - 0.5 * torch.exp(-high.abs()) - 0.5 * torch.exp(-low.abs())
        outside = 0.5 * torch.exp(-torch.minimum(high.abs(), low.abs())) * -torch.expm1(-1 / width)
        mass = torch.where(low * high < 0, inside, outside)
        loss = -torch.log2(mass.clamp(min=2.0**-16)).sum()
        loss.backward()
        optimiser.step()
        schedule.step()
        best = min(best, float(loss))
    return best


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", type=Path, nargs="+")
    files = parser.parse_args().files
    torch.set_num_threads(1)
    print("file\tin the file\t1 pass\t2 passes\t4 passes\t8 passes\t(bytes of latents)\t1, 2, 8 against 4")
    changes = []
    for path in files:
        file = fourcodec.File(path.read_bytes())
        found = {n: sum(bits(*part) for part in examples(file.integers.levels, n)) / 8 for n in ORDERS}
        change = [found[n] / found[4] - 1 for n in (1, 2, 8)]
        changes.append(change)
        coded = len(file.sections[1].payload)
        numbers = "\t".join(f"{found[n]:.0f}" for n in ORDERS)
        print(f"{path.stem}\t{coded}\t{numbers}\t\t" + ", ".join(f"{value:+.1%}" for value in change), flush=True)
    print("# mean: " + ", ".join(f"{value:+.1%}" for value in np.mean(changes, axis=0)))


if __name__ == "__main__":
    main()
