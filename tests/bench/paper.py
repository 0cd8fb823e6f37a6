"""What bin/bench measured, on paper: tables for people, the same figures for programs, and the machine they are of."""

import os
import platform
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from rich import box
from rich.table import Table

from bin.commands.console import console

CHECKOUT = Path(__file__).resolve().parent.parent.parent


class Figures(NamedTuple):
    """What was measured of one contender, turn by turn.

    `cpu`: microseconds of processor time for each fact; a server's own is not in it, and no wait for a disk.
    """

    what: str
    values: list[float]
    cpu: list[float]

    @property
    def median(self) -> float:
        """The value that stands for them."""
        return median(self.values)


def say(text: str) -> None:
    """Tell how far it is, where somebody looks."""
    if sys.stderr.isatty():
        print(f"bench: {text}", file=sys.stderr)


class Paper:
    """Tables as they are measured; `results` has the same, and every single value."""

    def __init__(self) -> None:
        self.results: list[dict[str, Any]] = []
        self._console = console()
        self._said: list[Sequence[str]] = []

    def line(self, text: str = "") -> None:
        """A line."""
        self._console.print(text)

    def about(self, lines: Sequence[str]) -> None:
        """What the tables that follow compare, said once."""
        if lines not in self._said:
            self._said.append(lines)
            for line in (*lines, ""):
                self.line(line)

    def table(self, title: str, headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
        """A table whose first column is words, the others numbers."""
        made = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
        for index, heading in enumerate(headings):
            made.add_column(heading, justify="right" if index else "left", no_wrap=True)
        for row in rows:
            made.add_row(*row)
        self.line(title)
        self._console.print(made)
        self.line()

    def rates(self, part: str, kind: str, title: str, figures: Sequence[Figures], ours: Sequence[str]) -> None:
        """The rates of some contenders, and how many times as fast ours are."""
        medians = {each.what: each.median for each in figures}
        rows = []
        for each in figures:
            ratios = {name: medians[name] / each.median for name in ours}
            shown = [times(ratios[name]) if name != each.what else "-" for name in ours]
            low, high, cpu = min(each.values), max(each.values), median(each.cpu)
            rows.append((each.what, f"{each.median:,.0f}", f"{low:,.0f} .. {high:,.0f}", f"{cpu:.1f}", *shown))
            self.results.append(
                {
                    "part": part,
                    "store": kind,
                    "of": title,
                    "what": each.what,
                    "unit": "facts per second",
                    "median": each.median,
                    "values": each.values,
                    "cpu_us_per_fact": cpu,
                    "ratios": ratios,
                }
            )
        short = [f"{name.removeprefix('Verbale: ')} is" for name in ours]
        self.table(f"{title} ({kind})", ("", "facts/s", "lowest .. highest", "CPU us/fact", *short), rows)


def times(ratio: float) -> str:
    """How many times as fast."""
    return f"{ratio:.1f} x" if ratio >= 10 else f"{ratio:.2f} x"


# --- the machine ------------------------------------------------------------------------------------------------


def machine(folder: Path) -> dict[str, Any]:
    """What the figures were measured on."""
    packages = ("eventsourcing", "psycopg", "psycopg-binary", "pydantic", "pydantic-core")
    return {
        "cores": os.cpu_count(),
        "processor": _processor(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "versions": {name: version(name) for name in packages},
        "revision": _revision(),
        "fdatasync_us": round(_sync_time(folder) * 1e6),
        "load_before": os.getloadavg()[0],
    }


def _processor() -> str:
    with_name = (line for line in _text(Path("/proc/cpuinfo")).splitlines() if line.startswith("model name"))
    return next(with_name, "").partition(":")[2].strip()


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""


def _revision() -> str | None:
    def git(*words: str) -> str:
        return subprocess.run(["git", "-C", CHECKOUT, *words], capture_output=True, text=True, check=True).stdout

    try:
        changed = git("status", "--porcelain", "--untracked-files=no").strip()
        return git("rev-parse", "--short", "HEAD").strip() + (", with changes" if changed else "")
    except (OSError, subprocess.CalledProcessError):
        return None


def _sync_time(folder: Path) -> float:
    """Seconds until a page is on disk: what a commit costs at the least."""
    taken = []
    with (folder / "probe").open("wb") as file:
        for _ in range(30):
            start = time.perf_counter()
            file.write(b"\0" * 4096)
            file.flush()
            os.fdatasync(file.fileno())
            taken.append(time.perf_counter() - start)
    return median(taken)
