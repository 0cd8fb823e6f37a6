"""The documents are true: what they name exists, and what exists is named."""

import re
from collections.abc import Iterator
from functools import reduce
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from cyclopts import App

from bin.cli import app, main
from bin.message_reference import message_reference
from bin.table_reference import table_reference

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
CLAUSES = (ROOT / "docs" / "clauses.md").read_text(encoding="utf-8")
CONTRACT_CLAUSES = {"G1", "G2", "G3", "O1", "M1", "A1", "A2", "A3", "A4", "A5", "A6", "P1", "P2", "S1"}
CONTRACT_CLAUSES |= {"H1", "H2", "H3", "H4"}


def clause_rows() -> dict[str, tuple[str, str]]:
    """Clause id -> the cells of its code and of its tests."""
    found = {}
    for line in CLAUSES.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 4 and re.fullmatch(r"[A-Z]\d", cells[0]):
            found[cells[0]] = (cells[2], cells[3])
    return found


def names_in(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


PLACES = re.compile(r"`([\w./-]+(?:::[\w.]+)?)`")
"""Paths, and names within them, as documents write them."""


def exists(name: str) -> bool:
    """Whether a path exists and, where a name within it follows, defines that."""
    path, _, attributes = name.partition("::")
    if not attributes:
        return (ROOT / path).exists()
    found: Any = import_module(path.removesuffix(".py").replace("/", "."))
    for attribute in attributes.split("."):
        found = getattr(found, attribute, None)
    return found is not None


def commands(of: App, typed: tuple[str, ...] = ()) -> Iterator[str]:
    for name in of:
        if name.startswith("-"):
            continue
        yield " ".join((*typed, name))
        yield from commands(of[name], (*typed, name))


@pytest.mark.parametrize(
    "document",
    ["CONTRIBUTING.md", "README.md", *sorted(str(f.relative_to(ROOT)) for f in (ROOT / "docs").glob("*.md"))],
)
def test_a_document_names_only_what_exists(document: str) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    named = [
        name
        for name in PLACES.findall(text)
        if name.startswith(("domain/", "projections/", "adapters/", "bin/", "docs/", "tests/", ".ci/"))
    ]
    assert [name for name in named if not exists(name)] == []
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text)
    assert [link for link in links if not (ROOT / document).parent.joinpath(link).exists()] == []


def test_the_architecture_follows_a_message_through_every_floor() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    steps = [line for line in text.splitlines() if re.match(r"\d+\. ", line)]
    named = PLACES.findall(text.partition("## One message")[2].partition("## What of")[0])
    assert len(steps) >= 10
    for room in ("bin/commands/", "adapters/inbox/", "adapters/store/", "adapters/live_tables/", "adapters/reports/"):
        assert any(name.startswith(room) for name in named), room
    for floor in ("domain/", "projections/"):
        assert any(name.startswith(floor) and "::" in name for name in named), floor


def test_every_room_is_in_the_architecture() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    rooms = [
        file.parent.relative_to(ROOT)
        for file in ROOT.glob("*/__init__.py")
        if file.parent.name in ("domain", "projections")
    ]
    rooms += [
        file.parent.relative_to(ROOT) for over in ("adapters", "bin") for file in (ROOT / over).glob("*/__init__.py")
    ]
    assert [str(room) for room in rooms if f"`{room}/`" not in text] == []


@pytest.mark.parametrize("kind", ["a fact", "a report", "a column", "a broker", "a format"])
def test_contributing_says_which_files_to_touch(kind: str) -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    section = text.partition(f"### Add {kind}")[2].partition("###")[0]
    steps = [line for line in section.splitlines() if re.match(r"\d+\. ", line)]
    assert len(steps) >= 3
    assert all(PLACES.search(step) for step in steps)


def test_the_words_lead_to_where_they_live() -> None:
    rows = [
        line for line in (ROOT / "docs" / "words.md").read_text(encoding="utf-8").splitlines() if line.startswith("| ")
    ]
    words = [row for row in rows if not row.startswith(("| word", "| ---"))]
    assert len(words) > 40
    assert all(PLACES.search(row) for row in words)


def test_every_clause_of_the_contract_is_mapped() -> None:
    assert set(clause_rows()) >= CONTRACT_CLAUSES


@pytest.mark.parametrize("clause", sorted(clause_rows()))
def test_a_clause_leads_to_code_and_to_a_test_that_exist(clause: str) -> None:
    code, tests = clause_rows()[clause]
    if code.startswith("to come"):
        return
    assert names_in(code)
    assert names_in(tests)
    for name in names_in(code):
        module, _, attributes = name.partition("::")
        found = import_module(module.removesuffix(".py").replace("/", "."))
        for attribute in attributes.split("."):
            found = getattr(found, attribute)
    for name in names_in(tests):
        file, _, test = name.partition("::")
        assert f"def {test}(" in (ROOT / "tests" / file).read_text(encoding="utf-8"), name


def test_every_clause_that_code_cites_is_mapped() -> None:
    sources = [file for package in ("domain", "projections", "adapters") for file in (ROOT / package).rglob("*.py")]
    cited = {clause for file in sources for clause in re.findall(r'"([A-Z]\d)"', file.read_text(encoding="utf-8"))}
    assert cited
    assert cited <= set(clause_rows())


def test_the_message_reference_is_what_the_program_prints() -> None:
    written = (ROOT / "docs" / "messages.md").read_text(encoding="utf-8")
    assert written == message_reference(), "make it again: bin/verbale schema --markdown > docs/messages.md"


def test_the_table_reference_is_what_the_program_prints() -> None:
    written = (ROOT / "docs" / "tables.md").read_text(encoding="utf-8")
    assert written == table_reference(), "make it again: bin/verbale tables --markdown > docs/tables.md"


def test_every_command_is_in_the_readme_and_has_help() -> None:
    listed = list(commands(app))
    assert len(listed) > 12
    for typed in listed:
        group, _, name = typed.rpartition(" ")
        shown = typed if group != "report" else f"`{name}`"
        assert shown in README or typed in README, typed
        assert reduce(lambda within, part: within[part], typed.split(), app).help, typed


def test_every_word_of_the_glossary_is_in_the_code() -> None:
    glossary = README.partition("## Words")[2].partition("## Set-up")[0]
    code = "".join(file.read_text(encoding="utf-8") for file in (ROOT / "domain").glob("*.py"))
    for line in glossary.splitlines():
        if line.startswith("| ") and "`" in line and "(to come)" not in line:
            for name in names_in(line):
                for part in name.split("."):
                    assert re.search(rf"\b{part}\b", code), name


def test_the_first_screen_of_the_readme_is_what_the_demo_prints(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["demo"]) == 0
    printed = capsys.readouterr().out
    session = README.partition("```console\n")[2].partition("```")[0]
    for line in session.splitlines()[1:]:
        if line != "...":
            assert line.removesuffix("...").rstrip() in printed


def test_the_changelog_has_a_place_for_what_comes() -> None:
    assert "## [Unreleased]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
