"""bin/verbale from a checkout: what it installs and when; an interrupted set-up is never taken for a whole one."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
pytestmark = [pytest.mark.integration, pytest.mark.slow]

PROGRAM = """
import os, sys
from bin.extras import install_in_the_checkout

def main():
    import part_core
    if "brokers" in sys.argv:
        try:
            import part_app
        except ImportError:
            print("half of an answer", file=sys.stderr)
            install_in_the_checkout(sys.argv[1:])
    print(os.environ["VERBALE_LEVEL"], *sys.argv[1:])
"""


def write_wheel(folder: Path, name: str, version: str) -> None:
    """A wheel of one empty module."""
    info = f"{name}-{version}.dist-info"
    files = {
        f"{name}.py": "",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{file},,\n" for file in (*files, f"{info}/RECORD"))
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as wheel:
        for file, text in {**files, f"{info}/RECORD": record}.items():
            wheel.writestr(file, text)


class Checkout:
    """A checkout with pins of its own, which nothing but a folder of wheels provides."""

    def __init__(self, folder: Path) -> None:
        self.root, self.wheels, self.home = folder / "a checkout", folder / "wheels", folder / "home"
        for made in (self.root / "bin", self.root / "adapters", self.wheels, self.home):
            made.mkdir(parents=True)
        for file in ("bin/verbale", "bin/environment.sh", "bin/extras.py", "adapters/errors.py"):
            shutil.copy(ROOT / file, self.root / file)
        for package in ("bin", "adapters"):
            (self.root / package / "__init__.py").touch()
        (self.root / "bin" / "cli.py").write_text(PROGRAM, encoding="utf-8")
        for level, before in (("core", None), ("app", "requirements.txt"), ("dev", "requirements-app.txt")):
            write_wheel(self.wheels, f"part_{level}", "1.0")
            pins = ([f"-r {before}"] if before else []) + [f"part_{level}==1.0"]
            self.pins(level).write_text("\n".join(pins) + "\n", encoding="utf-8")

    def pins(self, level: str) -> Path:
        return self.root / ("requirements.txt" if level == "core" else f"requirements-{level}.txt")

    def run(self, *typed: str, **variables: str) -> "subprocess.CompletedProcess[str]":
        return self.bash(str(self.root / "bin" / "verbale"), *typed, **variables)

    def ready(self, level: str) -> "subprocess.CompletedProcess[str]":
        script = f"set -euo pipefail; root='{self.root}'; source '{self.root}/bin/environment.sh'; ready {level}"
        return self.bash("bash", "-c", script)

    def bash(self, *command: str, **variables: str) -> "subprocess.CompletedProcess[str]":
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "VERBALE_PYTHON": os.path.realpath(getattr(sys, "_base_executable", sys.executable)),
            "PIP_CONFIG_FILE": os.devnull,
            "PIP_NO_INDEX": "1",
            "PIP_FIND_LINKS": str(self.wheels),
        }
        return subprocess.run(
            command, cwd=self.home, env={**environment, **variables}, capture_output=True, text=True, check=False
        )

    def installed(self) -> set[str]:
        found = (self.root / ".venv").glob("lib/python*/site-packages/part_*.py")
        return {file.stem.removeprefix("part_") for file in found}


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def test_the_first_run_installs_the_core_and_the_next_nothing(checkout: Checkout) -> None:
    first = checkout.run("report", "queue")
    assert (first.returncode, first.stdout) == (0, "core report queue\n")
    assert "installing the pinned packages" in first.stderr
    assert checkout.installed() == {"core"}
    shutil.rmtree(checkout.wheels)
    again = checkout.run("report", "queue", PIP_FIND_LINKS="")
    assert (again.returncode, again.stdout, again.stderr) == (0, "core report queue\n", "")


def test_what_a_command_needs_besides_is_installed_when_it_does_and_the_command_begins_again(
    checkout: Checkout,
) -> None:
    asked = checkout.run("brokers", "with spaces")
    assert (asked.returncode, asked.stdout) == (0, "app brokers with spaces\n")
    assert "installing what brokers, HTTP and PostgreSQL need" in asked.stderr
    assert asked.stderr.count("setting up .venv") == 1
    assert checkout.installed() == {"core", "app"}
    again = checkout.run("brokers")
    assert (again.stdout, again.stderr) == ("app brokers\n", "")


def test_the_test_tools_are_added_to_what_is_there(checkout: Checkout) -> None:
    assert checkout.run("report").returncode == 0
    added = checkout.ready("dev")
    assert added.returncode == 0
    assert "setting up" not in added.stderr
    assert checkout.installed() == {"core", "app", "dev"}
    for level in ("core", "app", "dev"):
        assert checkout.ready(level).stderr == ""


def test_where_the_rest_cannot_be_had_what_is_there_goes_on_working(checkout: Checkout) -> None:
    wheel = checkout.wheels / "part_app-1.0-py3-none-any.whl"
    wheel.rename(checkout.home / wheel.name)
    assert checkout.run("report").returncode == 0
    failed = checkout.run("brokers")
    assert (failed.returncode, failed.stdout) == (1, "")
    assert "could not install what brokers, HTTP and PostgreSQL need" in failed.stderr
    stamps = [file.name for file in (checkout.root / ".venv").glob("*.stamp")]
    assert stamps == ["core.stamp"], "what was interrupted is not taken for whole, nor what is whole for interrupted"
    again = checkout.run("report")
    assert (again.returncode, again.stderr) == (0, "")
    (checkout.home / wheel.name).rename(wheel)
    done = checkout.run("brokers")
    assert (done.returncode, done.stdout) == (0, "app brokers\n")
    assert "setting up .venv" not in done.stderr


def test_a_set_up_that_was_killed_is_done_again_from_nothing(checkout: Checkout) -> None:
    assert checkout.run("report").returncode == 0
    for left in ("adding", "left over"):
        (checkout.root / ".venv" / left).touch()
    assert checkout.run("report").stderr == "", "what is whole serves"
    done = checkout.run("brokers")
    assert (done.returncode, done.stdout) == (0, "app brokers\n")
    assert "setting up .venv" in done.stderr
    assert not (checkout.root / ".venv" / "left over").exists()


def test_other_pins_are_installed_anew(checkout: Checkout) -> None:
    assert checkout.run("brokers").returncode == 0
    write_wheel(checkout.wheels, "part_app", "2.0")
    checkout.pins("app").write_text("-r requirements.txt\npart_app==2.0\n", encoding="utf-8")
    assert "setting up .venv" in checkout.run("report").stderr
    assert checkout.run("report").stderr == ""
    assert list((checkout.root / ".venv").glob("lib/python*/site-packages/part_app-2.0.dist-info"))
