"""What is installed only where it is asked for: declared, and told in a sentence where it is missing."""

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import packages_distributions, requires
from pathlib import Path

import pytest

from bin.extras import EXTRAS, extra_of

pytestmark = pytest.mark.integration

ROOT = Path(__file__).parent.parent
OURS = ("domain", "projections", "adapters", "bin")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def name_of(requirement: str) -> str:
    """The distribution that a requirement is about, as the index spells it."""
    return re.split(r"[\[<>=!;~ ]", requirement)[0].lower().replace("_", "-")


CORE = {name_of(one) for one in PROJECT["dependencies"]}
OF_EXTRA = {
    extra: {name_of(one) for one in wanted}
    for extra, wanted in PROJECT["optional-dependencies"].items()
    if extra != "all"
}


def imports() -> Iterator[tuple[str, str]]:
    """Every import from another distribution: module of ours, top-level name imported."""
    for package in OURS:
        for file in (ROOT / package).rglob("*.py"):
            module = ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
                names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
                for top in {name.partition(".")[0] for name in names}:
                    if top not in sys.stdlib_module_names and top not in OURS:
                        yield module, top


def test_everything_imported_is_declared_where_it_is_needed() -> None:
    distributions = packages_distributions()
    undeclared = []
    for module, top in imports():
        allowed = CORE | OF_EXTRA.get(extra_of(module) or "", set())
        if not {name.lower().replace("_", "-") for name in distributions[top]} & allowed:
            undeclared.append((module, top))
    assert undeclared == []


def test_what_is_declared_for_an_extra_is_needed_by_it_alone() -> None:
    for extra, wanted in OF_EXTRA.items():
        assert extra in EXTRAS.values()
        assert wanted.isdisjoint(CORE), extra
    (everything,) = PROJECT["optional-dependencies"]["all"]
    assert everything == f"verbale[{','.join(sorted(OF_EXTRA))}]"


def pins(file: str) -> Iterator[tuple[str, str]]:
    for line in (ROOT / file).read_text(encoding="utf-8").splitlines():
        if line.startswith("-r "):
            yield from pins(line.removeprefix("-r "))
        elif line and not line.startswith("#"):
            name, equals, version = line.partition("==")
            assert equals, line
            yield name, version


@pytest.mark.parametrize(
    ("file", "wanted"),
    [("requirements.txt", CORE), ("requirements-app.txt", CORE.union(*OF_EXTRA.values()))],
)
def test_the_pins_are_complete_so_that_nothing_is_left_to_resolve(file: str, wanted: set[str]) -> None:
    pinned = dict(pins(file))
    assert wanted <= pinned.keys()
    for name in pinned:
        for requirement in requires(name) or []:
            condition = requirement.partition(";")[2]
            if "extra" not in condition and not re.search("win32|python_(full_)?version|platform", condition):
                assert name_of(requirement) in pinned, f"{name} needs {requirement}"


HIDDEN = """
import os, sys
sys.path.insert(0, sys.argv.pop(1))
hidden = sys.argv.pop(1).split(",")

class Hide:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in hidden:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Hide())
os.environ["PATH"] = ""
import shutil
from pathlib import Path
sys.executable = "/nowhere/python"
from bin.cli import main
sys.exit(main())
"""


@pytest.mark.parametrize(
    ("typed", "variables", "hidden", "extra"),
    [
        ("consume", {}, "fastapi", "http"),
        ("consume", {}, "uvicorn", "http"),
        ("consume", {"BROKER": "nats://127.0.0.1:1", "LISTEN": "none"}, "nats", "nats"),
        ("consume", {"BROKER": "nats://127.0.0.1:1", "LISTEN": "none"}, "faststream", "nats"),
        ("publish m.jsonl", {"BROKER": "amqp://127.0.0.1:1"}, "aio_pika", "rabbitmq"),
        ("broker setup", {"BROKER": "redis://127.0.0.1:1"}, "redis", "redis"),
        ("broker setup", {"BROKER": "kafka://127.0.0.1:1"}, "aiokafka", "kafka"),
        ("report queue", {"STORE": "postgresql://a@127.0.0.1:1/b"}, "psycopg", "postgresql"),
        ("schema --into folder", {}, "fastapi", "http"),
        ("broker folder", {}, "nothing", "nats"),
    ],
)
def test_a_part_that_is_not_installed_is_told_in_a_sentence_that_says_what_to_install(
    tmp_path: Path, typed: str, variables: dict[str, str], hidden: str, extra: str
) -> None:
    (tmp_path / "m.jsonl").write_text("{}\n", encoding="utf-8")
    command = [sys.executable, "-P", "-c", HIDDEN, str(ROOT), hidden, *typed.split()]
    environment = {f"VERBALE_{name}": value for name, value in variables.items()}
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1
    assert f"pip install 'verbale[{extra}]'" in done.stderr
    assert not (tmp_path / "verbale.db").exists()


@pytest.mark.parametrize("typed", [*(["consume", "--help"], ["broker", "--help"]), ["publish", "--help"]], ids=" ".join)
def test_help_needs_no_extra(tmp_path: Path, typed: list[str]) -> None:
    every = "fastapi,uvicorn,starlette,limits,nats,faststream,aio_pika,redis,aiokafka,psycopg,psycopg_pool"
    command = [sys.executable, "-P", "-c", HIDDEN, str(ROOT), every, *typed]
    done = subprocess.run(command, cwd=tmp_path, env={}, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
