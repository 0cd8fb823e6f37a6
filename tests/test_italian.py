"""Everything that a person reads in help and errors has its Italian; a sentence is recognised with its values in it."""

import ast
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cyclopts import App
from cyclopts.help.help import docstring_parse

from bin.cli import app, load_all
from bin.command_list import COMMANDS, GROUPS
from bin.error_translation import translated
from bin.help import EVERYWHERE, QUESTIONS_OF_A_READING
from bin.language import catalogue
from projections.readings import QUESTIONS

ROOT = Path(__file__).parent.parent
Run = Callable[..., tuple[int, str, str]]
CATALOGUES = ("", "help", "errors")
PLACE = re.compile(r"\{[^{}]*\}")

# --- the catalogues ---


@pytest.mark.parametrize("of", CATALOGUES)
def test_a_catalogue_is_read_whole_and_puts_values_where_the_english_has_them(of: str) -> None:
    file = ROOT / "bin" / "locale" / (f"it-{of}.po" if of else "it.po")
    entries = catalogue("it", of)
    assert len(entries) == len(re.findall(r"^msgid", file.read_text(encoding="utf-8"), re.MULTILINE))
    for english, italian in entries.items():
        assert italian
        assert set(PLACE.findall(english)) == set(PLACE.findall(italian)), english


@pytest.mark.parametrize("of", ["help", "errors"])
def test_italian_says_what_a_contract_manager_would_say(of: str) -> None:
    for italian in catalogue("it", of).values():
        assert not re.search(r"\bcolpa\b|\bin ritardo\b|\bsuperat[oa]\b(?! la)", italian), italian


# --- help ---


def shown(of: App) -> Iterator[str]:
    """Every text that the help of an app and of its commands shows."""
    parsed = docstring_parse(of.help, "plaintext")
    yield from [parsed.short_description or "", *(parsed.long_description or "").split("\n\n")]
    if of.default_command:
        yield from (
            one.parameter.help or "" for one in of.assemble_argument_collection(parse_docstring=True) if one.show
        )
    for name in of:
        if name not in (*of.help_flags, *of.version_flags):
            yield from shown(of[name])


def test_every_text_of_help_has_its_italian() -> None:
    texts = {command.summary for command in COMMANDS} | set(GROUPS.values())
    load_all(app)
    texts |= {" ".join(text.split()) for text in shown(app)} - {""}
    texts |= {EVERYWHERE, QUESTIONS_OF_A_READING, "Examples:", "Usage:", "COMMAND", "[OPTIONS]", "[ARGS]"}
    texts |= {"Commands", "Arguments", "Parameters", "Store", "choices", "default", "required"}
    texts |= {"Display this message and exit.", "Display application version."}
    texts |= {text for question in QUESTIONS.values() for text in (question.asks, *question.answers.values())}
    assert sorted(texts - catalogue("it", "help").keys()) == []


def test_help_is_italian_throughout(run: Run) -> None:
    status, out, err = run("report", "breach", "--help", "--language", "it")
    assert (status, err) == (0, "")
    for text in (
        "Uso: verbale report breach [OPZIONI]",
        "Ogni finestra di ogni contratto",
        "Esempi:",
        "[scelte: table",
    ):
        assert text in out


# --- errors ---


def user_errors() -> set[str]:
    """The names of all classes of errors that a user can put right."""
    found = {"UserError", "UnknownReading"}
    classes = [node for tree in trees().values() for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    while more := {one.name for one in classes if any(ast.unparse(base) in found for base in one.bases)} - found:
        found |= more
    return found - {"Stopped"}  # carries a position, and is said in other words where it ends


def trees() -> dict[str, ast.Module]:
    files = [file for package in ("projections", "adapters", "bin") for file in (ROOT / package).rglob("*.py")]
    return {str(file.relative_to(ROOT)): ast.parse(file.read_text(encoding="utf-8")) for file in files}


def pattern(node: ast.expr) -> str:
    """A sentence of the source with its places emptied."""
    match node:
        case ast.Constant(str() as text):
            return text
        case ast.JoinedStr(parts):
            return re.sub(r"(\{\})+", "{}", "".join(pattern(part) for part in parts))
        case ast.BinOp(left, ast.Add(), right):
            return pattern(left) + pattern(right)
        case _:
            return "{}"


def sentences() -> Iterator[tuple[str, str]]:
    """Every sentence of an error: where it is, and its pattern."""
    errors = user_errors()
    for file, tree in trees().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in errors and node.args:
                yield f"{file}:{node.lineno}", pattern(node.args[0])


def test_every_sentence_of_an_error_has_its_italian() -> None:
    known = {PLACE.sub("{}", english) for english in catalogue("it", "errors")}
    of_words = [(where, text) for where, text in sentences() if re.search("[a-z]{2}", text) and " " in text]
    assert len(of_words) > 100
    assert [(where, text) for where, text in of_words if text not in known] == []


@pytest.mark.parametrize("english", [entry for entry in catalogue("it", "errors") if "{" in entry])
def test_a_sentence_is_recognised_with_its_values_in_it(english: str) -> None:
    values = {place: f"value-{number}" for number, place in enumerate(dict.fromkeys(PLACE.findall(english)))}
    said = translated(PLACE.sub(lambda place: values[place[0]], english), "it")
    assert said == PLACE.sub(lambda place: values[place[0]], catalogue("it", "errors")[english])


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ("report breach --store sqlite:///none.db", "in none.db non c'è un archivio"),
        ("report breach --as-of yesterday --store {store}", "--as-of yesterday: non è un istante"),
        ("report breach --readng x", "Opzione sconosciuta: --readng. Si intendeva --reading?"),
        ("nonsense", 'Comando sconosciuto "nonsense". Comandi disponibili: contract'),
        ("explain", 'Il comando "explain" vuole INCIDENT.'),
        ("report breach --format xml", 'Valore non valido "xml" per --format. Si scelga tra: "table"'),
        ("ingest nofile", "nofile non è un file"),
        ("report breach --reading rate=x --store {store}", "rate=x non è una risposta; rate è figures|words"),
    ],
)
def test_errors_are_italian_with_what_was_typed_in_them(run: Run, typed: str, words: str) -> None:
    Path("m.jsonl").touch()
    run("ingest", "m.jsonl")
    status, out, err = run(*typed.format(store="sqlite:///verbale.db").split(), "--language", "it")
    assert (status, out) == (2, "")
    assert words in err
    assert run(*typed.format(store="sqlite:///verbale.db").split())[2] != err
