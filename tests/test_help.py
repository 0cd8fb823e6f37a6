"""Help: every command and group has one, with examples that can be typed as they stand."""

import shlex
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cyclopts import App

from bin.cli import app, common_options, load, main
from bin.command_list import COMMANDS, GROUPS
from bin.help import examples_of
from projections.readings import QUESTIONS, Reading

Run = Callable[..., tuple[int, str, str]]
EVERY = ["", *GROUPS, *(command.name for command in COMMANDS if command.name not in GROUPS)]


def commands(of: App, typed: tuple[str, ...] = ()) -> Iterator[tuple[str, App]]:
    for name in of:
        if name not in (*of.help_flags, *of.version_flags):
            yield " ".join((*typed, name)), of[name]
            yield from commands(of[name], (*typed, name))


def test_what_is_listed_is_what_can_be_typed() -> None:
    assert {name for name, _ in commands(app)} == set(EVERY) - {""}


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_the_line_in_the_list_is_the_first_of_the_functions_own_description(command: tuple[str, ...]) -> None:
    name, _, summary, _ = command
    (found,) = [one for typed, one in commands(app) if typed == name]
    load(found)
    assert " ".join((found.default_command.__doc__ or "").split("\n\n")[0].split()) == summary


@pytest.mark.parametrize("name", EVERY, ids=lambda name: name or "verbale")
def test_every_help_text_shows_examples_that_can_be_typed(run: Run, name: str) -> None:
    status, out, err = run(*name.split(), "--help")
    assert (status, err) == (0, "")
    examples = examples_of(name)
    assert examples
    for example in examples:
        assert f"  {example}\n" in out
        program, *typed = shlex.split(example.partition(" > ")[0].partition(" < ")[0])
        assert program == "verbale"
        assert " ".join(typed).startswith(name)
        tokens = common_options(typed)
        load(app.parse_commands(tokens)[1][-1])
        app.parse_args(tokens, exit_on_error=False, print_error=False)


def test_completion_is_written_for_the_shell_named(run: Run) -> None:
    status, out, err = run("--install-completion", "--shell", "bash", "--output", "verbale.sh")
    assert (status, err) == (0, "")
    assert "verbale.sh" in out
    script = Path("verbale.sh").read_text(encoding="utf-8")
    for name in ("commitments", "servicenow", "--known-on"):
        assert name in script


def test_the_version_has_a_short_flag_too(run: Run) -> None:
    assert run("-V") == run("--version")


def test_the_questions_of_a_reading_are_those_that_the_contract_leaves_open() -> None:
    assert list(QUESTIONS) == list(Reading.model_fields)
    for field, question in QUESTIONS.items():
        choices = Reading.model_fields[field].annotation.__args__  # type: ignore[union-attr]
        assert tuple(question.answers) == choices
        assert next(iter(question.answers)) == Reading.model_fields[field].default, "the literal answer is the first"


@pytest.mark.parametrize("typed", [("report", "--help"), ("readings",)], ids=" ".join)
def test_the_questions_of_a_reading_are_told_with_clause_and_answers(run: Run, typed: tuple[str, ...]) -> None:
    status, out, _ = run(*typed)
    assert status == 0
    for field, question in QUESTIONS.items():
        assert f"{field} ({question.clause})" in out
        assert all(answer in out for answer in question.answers)


# --- options before and after the command ---


@pytest.mark.parametrize(
    "typed",
    [
        "--store {store} --format json report queue",
        "report queue --format json --store {store}",
        "--format=json report queue --store={store}",
        "--language en report queue --store {store} --format json",
        "report --language=en queue --store {store} --format json",
    ],
)
def test_common_options_may_stand_before_the_command_and_after_it(run: Run, typed: str) -> None:
    assert main(["demo", "demo"]) == 0
    run("tables")
    status, out, err = run(*typed.format(store="sqlite:///demo/verbale.db").split())
    assert (status, err) == (0, "")
    assert '"report": "queue"' in out


def test_the_language_may_stand_anywhere_and_holds_for_one_command(run: Run) -> None:
    for typed in ("--language it unrouted --help", "unrouted --help --language it"):
        assert "Uso: verbale unrouted" in run(*typed.split())[1]
    assert "Usage: verbale unrouted" in run("unrouted", "--help")[1]


@pytest.mark.parametrize("typed", ["--language", "report queue --language", "--store"])
def test_a_common_option_without_its_value_is_wrong_use(run: Run, typed: str) -> None:
    status, out, err = run(*typed.split())
    assert (status, out) == (2, "")
    assert "needs a value" in err


def test_what_stands_after_two_dashes_is_no_option(run: Run) -> None:
    status, _, err = run("ingest", "--", "--language")
    assert status == 2
    assert "--language is no file" in err
