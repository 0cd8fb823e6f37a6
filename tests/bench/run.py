"""Verbale beside the library it stands on and beside the bare stores, in one run: bin/bench.

Contenders of a contest take turns, many times, so that what disturbs the machine disturbs all of them.
What counts is the ratio of their medians: the figures themselves are those of the machine and of the hour.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from bench.append import measure_append
from bench.brokers import measure_consuming
from bench.busy import measure_busy
from bench.paper import Paper, machine
from bench.rebuild import measure_rebuild
from bench.sizes import QUICK, Sizes
from bench.start_up import measure_start_up
from bench.stores import Store, store


def measure(at: Store, sizes: Sizes, only: str | None, paper: Paper, *, profile: bool) -> None:
    """Every part wanted, on one store."""
    paper.line(at.version)
    paper.line()
    if only in (None, "a"):
        measure_rebuild(at, sizes, paper, profile=profile)
    if only in (None, "b"):
        measure_append(at, sizes, paper)
    if only in (None, "c"):
        measure_busy(at, sizes, paper)
    if only in (None, "d"):
        measure_consuming(at, sizes, paper)


def arguments(words: Sequence[str] | None = None) -> argparse.Namespace:
    """What is asked for."""
    parser = argparse.ArgumentParser(prog="bin/bench", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="smaller sizes: does it run at all?")
    parser.add_argument("--store", choices=("sqlite", "postgres"), help="one store instead of both")
    what = "one part: (a) rebuild, (b) append, (c) one fact on a busy contract, "
    what += "(d) messages from a broker, (e) start-up"
    parser.add_argument("--only", choices=("a", "b", "c", "d", "e"), help=what)
    parser.add_argument("--profile", action="store_true", help="where the time of (a) goes")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write the figures there too")
    return parser.parse_args(words)


def main() -> None:
    """Measure, and show the figures."""
    asked = arguments()
    sizes = QUICK if asked.quick else Sizes()
    kinds = [asked.store] if asked.store else ["sqlite", "postgres"]
    paper = Paper()
    versions = {}
    start = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="verbale-bench-") as folder:
        on = machine(Path(folder))
        described = [f"{on['cores']} cores", on["processor"], f"Python {on['python']}"]
        described += [f"{name} {number}" for name, number in on["versions"].items()]
        described += [f"fdatasync {on['fdatasync_us']} us", f"load {on['load_before']:.1f}"]
        paper.line(", ".join(filter(None, described)))
        taken = f"{sizes.rebuilds} rebuilds, of {sizes.turns} turns of appending, of {sizes.facts_told} facts told"
        paper.line(f"Medians of {taken}; contenders take turns, and ratios are of medians.")
        paper.line()
        if asked.only in (None, "e"):
            measure_start_up(Path(folder), sizes.turns, paper)
        for kind in kinds if asked.only != "e" else []:
            with store(kind, Path(folder)) as at:
                versions[kind] = at.version
                measure(at, sizes, asked.only, paper, profile=asked.profile)
    took = time.perf_counter() - start
    paper.line(f"{took:.0f} s in all")
    if asked.json:
        said = {"machine": on, "stores": versions, "sizes": vars(sizes), "seconds": took, "results": paper.results}
        asked.json.write_text(json.dumps(said, indent=2) + "\n")


def run() -> None:
    """What bin/bench starts."""
    try:
        main()
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:  # the reader has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
