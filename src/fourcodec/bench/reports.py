"""The outputs of a run, made from the item log with one picture in memory at a time; written whole or not at all."""

import csv
import io
import json
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, repeat
from pathlib import Path
from typing import IO, Any

from fourcodec import files
from fourcodec.batch.engine import shown
from fourcodec.bench import plots as plotting
from fourcodec.bench.aggregate import Aggregate, by_image
from fourcodec.bench.bdrate import BdRate
from fourcodec.bench.itemlog import ItemLog
from fourcodec.bench.page import page
from fourcodec.bench.rows import COLUMNS, Row
from fourcodec.bench.settings import BenchSettings
from fourcodec.bench.showcase import exhibits
from fourcodec.bench.tables import Progress, Table, setup, tables, verdict
from fourcodec.errors import printable

# The outputs of a run, beside settings.json, the item log and the files.
OUTPUTS = (
    *("results.csv", "results.json", "summary.md", "report.html"),
    *(f"{plotting.name_of(metric)}.{suffix}" for metric in plotting.METRICS for suffix in ("svg", "png")),
)


@dataclass(frozen=True)
class Circumstances:
    """The settings, command, versions and machine of a run."""

    settings: BenchSettings
    command: str
    versions: Mapping[str, str]
    machine: Mapping[str, str | int]
    git_revision: str | None

    def as_json(self) -> dict[str, Any]:
        """The circumstances as JSON types, for results.json."""
        return {
            "command": self.command,
            "seed": self.settings.seed,
            "git_revision": self.git_revision,
            "settings": self._settings(),
            "versions": dict(self.versions),
            "machine": dict(self.machine),
        }

    def as_facts(self) -> dict[str, str]:
        """The circumstances as lines of text, by name."""
        return {
            "command": printable(self.command),
            "settings": ", ".join(f"{name} {printable(shown(value))}" for name, value in self._settings().items()),
            "git revision": self.git_revision or "not run from a working tree",
            "versions": ", ".join(f"{name} {version}" for name, version in self.versions.items()),
            "machine": ", ".join(f"{name} {value}" for name, value in self.machine.items()),
        }

    def _settings(self) -> dict[str, Any]:
        """The settings that were given; the folder by its name only, since results may be published."""
        settings = {name: value for name, value in self.settings.as_json().items() if value is not None}
        return {**settings, "folder": Path(self.settings.folder).name}


def write_all(folder: Path, log: ItemLog, circumstances: Circumstances, progress: Progress) -> Aggregate:
    """Writes every output into `folder` and returns the means."""
    aggregate = write_results(folder, log, circumstances, progress)
    answer, said, made = verdict(aggregate, progress), tables(aggregate), setup(aggregate)
    drawn = plotting.plots(aggregate)
    for plot in drawn:
        files.write(
            folder / f"{plot.name}.svg", plot.svg.encode("utf-8", "backslashreplace"), overwrite=True, within=folder
        )
        files.write(folder / f"{plot.name}.png", plot.png, overwrite=True, within=folder)
    files.write(
        folder / "summary.md",
        markdown(answer, said, made, circumstances).encode("utf-8", "backslashreplace"),
        overwrite=True,
        within=folder,
    )
    html = page(answer, said, drawn, exhibits(aggregate, log), made, circumstances.as_facts())
    files.write(folder / "report.html", html.encode("utf-8", "backslashreplace"), overwrite=True, within=folder)
    return aggregate


def write_results(folder: Path, log: ItemLog, circumstances: Circumstances, progress: Progress) -> Aggregate:
    """Writes results.csv and results.json in one pass over the log, and returns the means."""
    aggregate = Aggregate(circumstances.settings)
    with (
        _replacing(folder / "results.csv") as table,
        _replacing(folder / "results.json") as document,
        tempfile.TemporaryFile("w+", dir=folder, encoding="utf-8") as rates,
    ):
        writer = csv.writer(table, lineterminator="\n")
        writer.writerow(COLUMNS)
        document.write(json.dumps(circumstances.as_json(), indent=1).removesuffix("\n}") + ',\n "rows": [')
        before_row, before_rate = (chain(["\n  "], repeat(",\n  ")) for _ in range(2))
        for results in by_image(log):
            skipped = [Row(results.image, "", note=f"skipped: {results.problem}")] if results.problem else []
            for row in skipped or results.rows:
                writer.writerow(row.as_csv())
                document.write(next(before_row) + json.dumps(row.as_json()))
            for (codec, reference), rate in aggregate.add(results).items():
                rates.write(next(before_rate) + json.dumps(_bd_json(results.image, codec, reference, rate)))
        document.write('\n ],\n "bd_rates": [')
        rates.seek(0)
        while chunk := rates.read(1 << 16):
            document.write(chunk)
        summary = json.dumps(summary_json(aggregate, progress))
        document.write(f'\n ],\n "summary": {summary}\n}}\n')
    return aggregate


def summary_json(aggregate: Aggregate, progress: Progress) -> dict[str, Any]:
    """The means as JSON types, for `bench --json` and results.json."""
    return {
        "images": aggregate.images,
        "complete": progress.complete,
        "jpeg_sources": aggregate.jpeg_sources,
        "skipped": aggregate.skipped.count,
        "failed": aggregate.failed.count,
        "ours": {setting: {"files": average.files, **average.as_json()} for setting, average in aggregate.ours.items()},
        "matches": [
            {"setting": setting, "codec": codec, "match": match, **stats.as_json()}
            for (setting, codec, match), stats in aggregate.matches.items()
        ],
        "bd_rates": [
            {"codec": codec, "reference": reference, "percent": average.percent.value, "images": average.percent.count}
            for (codec, reference), average in aggregate.bd_rates.items()
        ],
        "seen_bd_rates": [
            {"codec": codec, "reference": reference, "metric": metric, "percent": average.percent.value}
            for (codec, reference, metric), average in aggregate.seen_bd_rates.items()
        ],
    }


def markdown(answer: list[str], said: list[Table], made: list[str], circumstances: Circumstances) -> str:
    """The text of summary.md."""
    parts = ["# fourcodec bench", "\n".join(f"- {line}" for line in answer)]
    for table in said:
        parts.append(f"## {table.title}")
        if table.remark:
            parts.append(table.remark)
        parts.append(_markdown_table(table))
    parts += ["## How it was measured", *made, "## Made with"]
    parts.append("\n".join(f"- {name}: {value}" for name, value in circumstances.as_facts().items()))
    return "\n\n".join(parts) + "\n"


def _markdown_table(table: Table) -> str:
    rule = tuple("---" if place == 0 else "---:" for place in range(len(table.columns)))
    rows = (table.columns, rule, *(row.values() for row in table.rows))
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows)


def _bd_json(image: str, codec: str, reference: str, rate: BdRate) -> dict[str, Any]:
    values = {"image": image, "codec": codec, "reference": reference}
    if rate.percent is None:
        return {**values, "percent": None, "why_not": rate.why_not}
    return {**values, "percent": round(rate.percent, 4), "overlap": round(rate.overlap, 4)}


@contextmanager
def _replacing(path: Path) -> Iterator[IO[str]]:
    """A new text file that replaces `path` when it is complete; files.write would need all of it in memory."""
    with files.replacing(path, overwrite=True, within=path.parent) as raw:
        buffered = io.BufferedWriter(raw)
        # surrogateescape: names of pictures may be any bytes
        text = io.TextIOWrapper(buffered, encoding="utf-8", errors="surrogateescape", newline="")
        yield text
        text.detach()
        buffered.detach()  # both flush, and leave it to files to close the file
