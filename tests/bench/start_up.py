"""Part (e) of bin/bench: what a command costs before it does anything, as a ratio to `import pydantic`."""

import os
import subprocess
import sys
from pathlib import Path
from statistics import median

from bench.paper import CHECKOUT, Paper, say

PYDANTIC = "python -c 'import pydantic'"
START = f"import sys; sys.path.insert(0, {str(CHECKOUT)!r}); from bin.cli import main; sys.exit(main())"
COMMANDS = (
    "--help",
    "--version",
    "tables",
    "schema",
    "report penalty",
    "report compliance --format json",
    "explain B-13",
)
ABOUT_E = (
    "Processor time of whole processes that take turns; what disturbs the machine disturbs all. The reports are on the",
    "demo's store.",
)


def measure_start_up(folder: Path, turns: int, paper: Paper) -> None:
    """Each command's processor time, and how many times that of importing pydantic."""
    say("start-up")
    _cpu(["-c", START, "demo", "demo"], folder)
    contenders = {PYDANTIC: ["-c", "import pydantic"]}
    contenders |= {f"verbale {typed}": ["-c", START, *typed.split()] for typed in COMMANDS}
    seconds: dict[str, list[float]] = {what: [] for what in contenders}
    for _ in range(turns):
        for what, arguments in contenders.items():
            seconds[what].append(_cpu(arguments, folder))
    yardstick = median(seconds[PYDANTIC])
    paper.about(ABOUT_E)
    rows = []
    for what, values in seconds.items():
        middle, ratio = median(values), median(values) / yardstick
        rows.append((what, f"{middle:.2f}", f"{min(values):.2f} .. {max(values):.2f}", f"{ratio:.1f} x"))
        paper.results.append(
            {"part": "e", "what": what, "unit": "CPU seconds", "median": middle, "values": values, "ratio": ratio}
        )
    paper.table("Start-up", ("", "CPU s", "lowest .. highest", "import pydantic"), rows)


def _cpu(arguments: list[str], folder: Path) -> float:
    """Seconds of processor time of one process."""
    # A user's second command finds its modules compiled: without that, compiling is what would be measured.
    environment = {**os.environ, "VERBALE_STORE": "sqlite:///demo/verbale.db", "PYTHONDONTWRITEBYTECODE": ""}
    process = subprocess.Popen(
        [sys.executable, "-P", *arguments],
        cwd=folder,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise AssertionError(f"{arguments[-1]}: exit status {process.returncode}")
    return used.ru_utime + used.ru_stime
