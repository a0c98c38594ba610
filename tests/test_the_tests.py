"""What no test relies on: the clock, chance, and how large the machine is."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
CLOCK = {"sleep", "perf_counter", "monotonic", "time", "thread_time", "process_time"}
CLOCK |= {f"{name}_ns" for name in CLOCK - {"sleep"}}
MACHINE = {"cpu_count", "process_cpu_count", "sched_getaffinity", "getloadavg", "disk_usage", "urandom"}
NEEDS_A_SEED = {"default_rng", "Random", "RandomState"}
IN_TEXT = re.compile(rf"\btime\.({'|'.join(sorted(CLOCK))})\(|default_rng\(\)|\b(random\.)?Random\(\)")

# file: what it uses, and why no test depends on it
ALLOWED = {
    "support/stub_codec.py": ({"time.perf_counter"}, "a codec says how long it took; no test looks at the number"),
    "fuzz/checked.py": ({"time.monotonic"}, "a program for `make fuzz`"),
    "fuzz/folders.py": ({"time.monotonic"}, "a program for `make fuzz-folders`"),
    "fuzz/run.py": ({"time.monotonic"}, "a program for `make fuzz`"),
}


def uses(source: str) -> Iterator[str]:
    """What a module uses of these, programs that it holds as texts among it."""
    tree = ast.parse(source)
    modules = {
        alias.asname or alias.name: alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import)
        for alias in node.names
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            owner = modules.get(ast.unparse(node.value), ast.unparse(node.value))
            numpy_random = re.fullmatch(r"(np|numpy)\.random", owner) and node.attr not in ("default_rng", "Generator")
            plain_random = owner == "random" in modules.values() and node.attr != "Random"
            if (owner == "time" and node.attr in CLOCK) or node.attr in MACHINE or numpy_random or plain_random:
                yield f"{owner}.{node.attr}"
        elif isinstance(node, ast.ImportFrom):
            names = {alias.name for alias in node.names}
            forbidden = {"time": CLOCK, "random": names - {"Random"}, "os": MACHINE, "shutil": MACHINE}
            yield from (f"{node.module}.{name}" for name in names & forbidden.get(node.module or "", set()))
        elif isinstance(node, ast.Call):
            name = ast.unparse(node.func).rpartition(".")[2]
            seeds = [ast.unparse(argument) for argument in node.args] + [word.arg for word in node.keywords]
            if name in NEEDS_A_SEED and seeds in ([], ["None"]):
                yield f"{name}()"
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from (found[0].rstrip("()") for found in IN_TEXT.finditer(node.value))


@pytest.mark.parametrize("path", sorted(TESTS.rglob("*.py")), ids=lambda path: path.relative_to(TESTS).as_posix())
def test_no_test_looks_at_the_clock_rolls_dice_or_counts_cores(path: Path) -> None:
    if path == Path(__file__):
        return  # its texts are examples
    allowed, _ = ALLOWED.get(path.relative_to(TESTS).as_posix(), (set(), ""))
    assert set(uses(path.read_text(encoding="utf-8"))) == allowed  # and nothing is allowed that is not used


@pytest.mark.parametrize(
    "source",
    [
        "import time\ntime.sleep(1)",
        "import time as t\nt.perf_counter()",
        "from time import monotonic",
        "script = 'import time; time.sleep(0.5)'",
        "import random\nrandom.uniform(0, 1)",
        "from random import shuffle",
        "import random\nrandom.Random()",
        "import numpy as np\nnp.random.default_rng()",
        "import numpy as np\nnp.random.default_rng(None)",
        "from numpy.random import default_rng\ndefault_rng()",
        "import numpy as np\nnp.random.rand(3)",
        "script = 'np.random.default_rng().random()'",
        "import os\nos.cpu_count()",
        "import shutil\nshutil.disk_usage('/')",
    ],
)
def test_each_of_these_is_noticed(source: str) -> None:
    assert list(uses(source))


@pytest.mark.parametrize(
    "source",
    [
        "import numpy as np\nrandom = np.random.default_rng(0)\nrandom.normal(size=3)",
        "import random\nrandom.Random(11).random()",
        "def pick(random):\n    return random.choice((1, 2))",
        "monkeypatch.setattr('fourcodec.fnet.fit.fit.time.monotonic', clock)",
    ],
)
def test_seeded_chance_and_a_clock_of_the_tests_own_are_no_offence(source: str) -> None:
    assert not list(uses(source))
