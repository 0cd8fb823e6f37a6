"""Everything that a person reads has its Italian, in every sentence that the source holds; no fallback is left."""

import json
import re
from collections.abc import Callable, Iterator
from enum import StrEnum
from importlib import import_module
from inspect import getmembers, isclass
from pathlib import Path
from pkgutil import iter_modules
from typing import Any, get_args

import pytest
from cyclopts import App
from cyclopts.help.help import docstring_parse
from support import sentences
from support.sentences import PLACE, ROOT

import adapters.reports
import domain
import projections
from adapters.inbox.messages import Unreadable, examples, read_message
from adapters.live_tables.schema import PUBLIC
from adapters.reports.penalty_notes import OF_A_CONFLICT, OF_ANY_PENALTY
from adapters.reports.report import PICKS_NOTHING, Definition, ReportName
from bin.catalogues import catalogue
from bin.cli import app, load_all, main
from bin.command_list import COMMANDS, GROUPS
from bin.commands.demo import WHAT_NEXT, write_messages
from bin.error_translation import SENTENCES
from bin.help import EVERYWHERE, QUESTIONS_OF_A_READING
from bin.language import ENGLISH, Words
from domain.catalogue import COMMANDS as COMMANDS_ON_THE_WIRE
from domain.catalogue import FACTS
from projections.readings import QUESTIONS

Run = Callable[..., tuple[int, str, str]]
ITALIAN = Words("it")
CATALOGUES = ("", "help", "tables", *SENTENCES.split())

# --- the catalogues ---


@pytest.mark.parametrize("of", CATALOGUES)
def test_a_catalogue_is_read_whole_and_puts_values_where_the_english_has_them(of: str) -> None:
    file = ROOT / "bin" / "locale" / (f"it-{of}.po" if of else "it.po")
    entries = catalogue("it", of)
    assert len(entries) == len(re.findall(r"^msgid", file.read_text(encoding="utf-8"), re.MULTILINE))
    for english, italian in entries.items():
        assert italian
        assert set(PLACE.findall(english)) == set(PLACE.findall(italian)), english


@pytest.mark.parametrize("of", CATALOGUES)
def test_italian_says_what_a_contract_manager_would_say(of: str) -> None:
    for english, italian in catalogue("it", of).items():
        assert not re.search(r"\bcolpa\b|\bdefinitiv|penale dovuta|importo dovuto", italian, re.IGNORECASE), italian
        if "toleran" not in english and "passed" not in english:  # what is passed is a tolerance, never a time
            assert not re.search(r"\bsuperat[oaie]\b", italian), italian


# --- words ---


def enum_words() -> set[str]:
    """Every code word of the domain and of the projections."""
    found: set[str] = set()
    for package in (domain, projections):
        for module in iter_modules(package.__path__):
            for _, member in getmembers(import_module(f"{package.__name__}.{module.name}"), isclass):
                if issubclass(member, StrEnum):
                    found |= {str(word) for word in member}
    return found


def definitions() -> Iterator[Definition[Any]]:
    """Every report and list."""
    for module in iter_modules(adapters.reports.__path__):
        declared = getattr(import_module(f"adapters.reports.{module.name}"), "REPORT", None)
        if declared is not None:
            yield declared


def test_every_code_word_has_its_italian() -> None:
    assert sorted(enum_words() - catalogue("it").keys()) == []
    assert sorted(sentences.finding_codes() - catalogue("it").keys()) == []
    assert sorted(ENGLISH.keys() - catalogue("it").keys()) == []


def fields_within(schema: Any) -> Iterator[str]:
    """The names of all fields of a JSON Schema."""
    if isinstance(schema, dict):
        yield from schema.get("properties", {})
        for inner in schema.values():
            yield from fields_within(inner)
    elif isinstance(schema, list):
        for inner in schema:
            yield from fields_within(inner)


def test_every_fact_and_field_of_a_fact_has_its_italian() -> None:
    facts = {stored_type.rpartition(".")[0] for stored_type in FACTS.types}
    assert sorted(facts - catalogue("it").keys()) == []
    fields = {
        field for command in COMMANDS_ON_THE_WIRE.values() for field in fields_within(command.model_json_schema())
    }
    named = {field.replace("_", " ") for field in fields if not re.search(r"\d", field)}
    assert sorted(named - catalogue("it").keys()) == []


def test_every_heading_title_and_empty_list_has_its_italian() -> None:
    texts = {text for one in definitions() for text in (one.title, one.empty)} | {PICKS_NOTHING, WHAT_NEXT}
    texts |= {*OF_ANY_PENALTY, OF_A_CONFLICT}
    texts |= {column.heading for one in definitions() for column in one.screen} - {"#"}
    assert sorted(texts - catalogue("it").keys()) == []


def test_every_word_that_a_command_or_a_report_says_has_its_italian() -> None:
    known = catalogue("it").keys() | catalogue("it", "help").keys()
    found = set(sentences.words())
    assert len(found) > 100
    assert sorted((where, text) for where, text in found if text not in known) == []


def test_every_meaning_of_a_column_has_its_italian() -> None:
    meanings = {meaning for one in PUBLIC for meaning in (one.meaning, *(column.meaning for column in one.columns))}
    assert sorted(meaning for meaning in meanings if english_in(ITALIAN.meaning(meaning))) == []


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


# --- sentences with values in them: errors, findings, refusals ---

COMPOSED = {
    "source {} {}": "source {} is silent for {} hours, and may be for {}",
    "{} never heard, and {} a silence alarm": "source {} was never heard, and has a silence alarm",
}
"""Sentences of which the source has a part alone: what they become."""


@pytest.mark.parametrize(
    ("of", "found", "at_least"),
    [("errors", sentences.errors, 100), ("findings", sentences.findings, 15), ("refusals", sentences.refusals, 70)],
)
def test_every_sentence_has_its_italian(of: str, found: Callable[[], Iterator[tuple[str, str]]], at_least: int) -> None:
    known = {PLACE.sub("{}", english) for english in catalogue("it", of)}
    every = set(found())
    assert len(every) >= at_least
    assert sorted((where, text) for where, text in every if COMPOSED.get(text, text) not in known) == []


def italian_of(english: str) -> str:
    """The entry of the first catalogue that has it."""
    return next(found[english] for of in SENTENCES.split() if english in (found := catalogue("it", of)))


@pytest.mark.parametrize(
    "english", sorted({one for of in SENTENCES.split() for one in catalogue("it", of) if PLACE.search(one)})
)
def test_a_sentence_is_recognised_with_its_values_in_it(english: str) -> None:
    values = {place: f"value-{number}" for number, place in enumerate(dict.fromkeys(PLACE.findall(english)))}
    said = ITALIAN.sentence(PLACE.sub(lambda place: values[place[0]], english))
    assert said == PLACE.sub(lambda place: values[place[0]], italian_of(english))


@pytest.mark.parametrize(
    ("english", "italian"),
    [
        ("recorded as no_credits; by the facts now known it was guaranteed",
         "registrata come «senza crediti»; secondo i fatti oggi noti era «garantita»"),
        ("names contract c-9, which nobody has signed; names system open, of which no contract was ever told",
         "indica il contratto c-9, che nessuno ha firmato; indica il sistema open, mai dichiarato in alcun contratto"),
        ("a fact cannot be dated before the opening, 2025-12-01T10:10:00+00:00",
         "un fatto non può essere datato prima dell'apertura, 1° dicembre 2025, ore 11:10"),
        ("data.impact: missing; data.wrong: no such field here; and 2 more",
         "data.impact: manca; data.wrong: qui non esiste un campo con questo nome; e altri 2"),
        ("data.impact: Input should be 'high', 'medium' or 'low'",
         "data.impact: dev'essere 'high', 'medium' o 'low'"),
    ],
)  # fmt: skip
def test_values_are_written_as_italian_writes_them(english: str, italian: str) -> None:
    assert ITALIAN.sentence(english) == italian


WRONG: tuple[Any, ...] = (None, 1, -1, 1.5, "x", "", "x" * 300, [], [1], ["x", "x"], {}, {"a": 1}, True)
"""Each is wrong for most fields."""


@pytest.mark.parametrize("message", examples())
def test_whatever_is_wrong_with_a_field_is_said_in_italian(message: str) -> None:
    example = examples()[message]
    changed = [{**example["data"], field: value} for field in example["data"] for value in WRONG]
    changed += [{name: value for name, value in example["data"].items() if name != gone} for gone in example["data"]]
    reasons = {refusal_of({**example, "data": data}) for data in [*changed, {**example["data"], "other": 1}]}
    assert sorted(reason for reason in reasons if english_in(ITALIAN.sentence(reason))) == []


def refusal_of(message: dict[str, Any]) -> str:
    """Why a message cannot be read; "" for one that can."""
    try:
        read_message(json.dumps(message).encode())
    except Unreadable as refused:
        return refused.reason
    return ""


OF_ENGLISH = {
    "the",
    "of",
    "and",
    "was",
    "were",
    "with",
    "which",
    "not",
    "by",
    "is",
    "are",
    "should",
    "be",
    "must",
    "than",
    "or",
    "it",
    "has",
    "have",
    "from",
    "to",
    "as",
    "an",
    "input",
    "string",
    "list",
    "tuple",
    "dictionary",
    "least",
    "most",
    "late",
    "late.",
    "reading",
    "version",
    "versions",
    "settled",
    "provisional",
    "closed",
    "passed",
    "supplier",
    "missing",
    "when",
    "whether",
    "where",
    "none",
}
"""Words that no Italian sentence has."""


def english_in(text: str) -> set[str]:
    """The words of a text that are English; what is quoted or named, as data.by or `to`, is left out."""
    free = re.sub(r"'[^']*'|\"[^\"]*\"|`[^`]*`|\([a-z_, ]+\)", "", text)
    return {word.strip("():;,.«»") for word in free.split()} & OF_ENGLISH


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


# --- whole screens ---

AS_OF = ("--as-of", "2026-01-01")
SCREENS = [
    *(f"report {name} --as-of 2026-01-01" for name in get_args(ReportName)),
    "report queue --as-of 2025-10-31T16:30:00+01:00",
    "report compliance --as-of 2025-10-31T17:30:00+01:00 --contract delta-2025",
    "report penalty --as-of 2025-11-01 --reading rate=words --contract bravo-2025",
    "explain B-09 --as-of 2026-01-01",
    "explain D-03 --as-of 2026-01-01",
    "explain C-04 --as-of 2026-01-01",
    "show alfa-2025 --as-of 2025-06-01",
    "show bravo-2025",
    "timeline incident-B-21",
    "timeline contract-alfa-2025",
    "timeline contract-bravo-2025",
    "timeline credits-charlie-2025",
    "facts",
    "facts --one-sided",
    "report credits --by-package",
    "contracts",
    "calendar alfa-2025 --from 2025-11-24 --to 2025-12-09",
    "calendar propose --years 2026 --subdivision MI",
    "unrouted",
    "sources",
    "waiting list",
    "refused list",
    "refused show 1",
    "status",
    "doctor",
    "readings",
    "tables",
]
IN_THE_DEMO = ("the customer's line was engaged for the first hour", "the customer moves to another supplier")
"""What somebody wrote in English is shown as it was written."""


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The store of the demo, with what else lists show: a request of nobody, messages that wait, and refused ones."""
    folder = tmp_path_factory.mktemp("demo")
    store = f"sqlite:///{folder / 'verbale.db'}"
    write_messages(folder / "messages.jsonl")
    example = examples()["verbale.incident.open.v1"]
    more = [
        {**example, "id": "nobody", "subject": "incident-N-1", "data": {**example["data"], "customer": "nobody"}},
        {**example, "id": "bad", "subject": "incident-N-2", "data": {**example["data"], "impact": "great", "x": 1}},
        {**example, "id": "early", "subject": "incident-N-1", "time": "2150-01-01T00:00:00Z"},
        {**examples()["verbale.incident.take_in_charge.v1"], "id": "waits", "subject": "incident-N-3"},
    ]
    with (folder / "messages.jsonl").open("a", encoding="utf-8") as file:
        file.writelines(f"{json.dumps(message)}\n" for message in more)
    assert main(["ingest", str(folder / "messages.jsonl"), "--store", store]) == 1
    return store


@pytest.mark.parametrize("typed", SCREENS)
def test_no_english_is_left_on_a_screen(run: Run, recorded: str, typed: str) -> None:
    words = typed.split()
    store = () if words[0] in ("readings", "tables") or "propose" in words else ("--store", recorded)
    _, out, err = run(*words, *store, "--language", "it")
    said = out + err
    for text in IN_THE_DEMO:
        said = said.replace(text, "")
    assert len(said) > 20
    assert [line for line in said.splitlines() if english_in(line)] == []


def test_what_was_refused_is_italian_for_people_and_english_for_machines(run: Run, recorded: str) -> None:
    shown = run("refused", "list", "--language", "it", "--store", recorded)[1]
    assert "dev'essere 'high', 'medium' o 'low'; data.x: qui non esiste un campo con questo nome" in shown
    assert "1° gennaio 2150, ore 01:00 è nel futuro" in shown
    rows = json.loads(run("refused", "list", "--format", "json", "--language", "it", "--store", recorded)[1])
    assert any("Input should be 'high', 'medium' or 'low'" in row["reason"] for row in rows)


def test_a_finding_is_italian_for_people_and_english_for_machines(run: Run, recorded: str) -> None:
    asked = ("report", "commitments", *AS_OF, "--store", recorded, "--language", "it")
    shown = run(*asked)[1]
    assert "attività non prevista [O1] price lists non è tra le attività comprese nell'opzione: alfa-2025" in shown
    assert "in ritardo di 15 giorni" in shown
    rows = json.loads(run(*asked, "--format", "json")[1])["rows"]
    texts = {finding["text"] for row in rows for finding in row["findings"]}
    assert "price lists is not among the activities that the option includes" in texts


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("report penalty", "dopo le 11:10 del 02/12/2025"),
        ("report penalty", "8.000,00\u00a0€"),
        ("report penalty", "Importo escluso da IVA (art. 15 c. 1 n. 1 DPR 633/1972)."),
        ("report penalty", "400,00\u00a0€ (5\u202f%)"),
        ("report breach", "10,34\u202f%"),
        ("report credits", "3.600,00\u00a0€"),
        ("report breach", "al 1° gennaio 2026, ore 24:00, per quanto noto al"),
        ("report breach", "lettura letterale"),
        ("explain B-09", "scadenza 15 aprile 2025, ore 16:30"),
        ("explain B-09", "15/04/2025 09:40"),
    ],
)
def test_figures_and_dates_are_written_as_italian_writes_them(run: Run, recorded: str, typed: str, said: str) -> None:
    assert said in run(*typed.split(), *AS_OF, "--store", recorded, "--language", "it")[1]
