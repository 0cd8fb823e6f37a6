"""bin/bench runs, and tells its figures on paper and as JSON. What they are is nobody's business here."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from bench.paper import Paper
from bench.start_up import COMMANDS, measure_start_up
from support.messages import CHECKOUT, child_environment


@pytest.mark.integration
@pytest.mark.slow
@pytest.mark.parametrize("part", ["b", "c", "d"])
def test_a_part_of_the_benchmark_runs_on_a_small_scale(tmp_path: Path, part: str) -> None:
    environment = child_environment()
    environment["PYTHONPATH"] += f":{CHECKOUT / 'tests'}"
    asked = ["--quick", "--store", "sqlite", "--only", part, "--json", str(tmp_path / "figures.json")]
    command = [sys.executable, "-P", "-c", "from bench.run import run; run()", *asked]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "(sqlite)" in ended.stdout
    figures = json.loads((tmp_path / "figures.json").read_text())
    assert figures["results"]
    assert figures["machine"]["cores"] >= 1


@pytest.mark.integration
def test_start_up_is_measured_beside_the_import_of_pydantic(tmp_path: Path) -> None:
    paper = Paper()
    measure_start_up(tmp_path, 1, paper)
    assert len(paper.results) == len(COMMANDS) + 1
    assert all(one["ratio"] > 0 for one in paper.results)
