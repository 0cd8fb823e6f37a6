"""Each report is declared once: its columns, what live tables hold of them, and what people read around its rows."""

from importlib.resources import files
from io import BytesIO
from pathlib import Path
from pkgutil import iter_modules
from typing import Any, get_args

import pytest
from babel.messages.pofile import read_po
from support.examples import CONTRACT
from support.messages import INCIDENT, contract_in_force, message, opening
from support.offices import KINDS, Office, office

import adapters.reports
from adapters.reports.penalty import PENALTIES
from adapters.reports.report import Definition, ReportName, definition

NAMES = get_args(ReportName)
DECLARED = [name for _, name, _ in iter_modules(adapters.reports.__path__)]


def declarations() -> list[Definition[Any]]:
    """Every report, also those that no live table keeps."""
    modules = (__import__(f"adapters.reports.{name}", fromlist=["REPORT"]) for name in DECLARED)
    return [module.REPORT for module in modules if hasattr(module, "REPORT")]


@pytest.mark.parametrize("name", NAMES)
def test_a_report_has_a_live_table_and_its_columns_are_called_the_same_there(name: ReportName) -> None:
    report = definition(name)
    kept = {column.name for table in report.tables for column in table.columns}
    missing = {column.name for column in report.csv_columns} - kept
    assert report.tables
    assert missing == set(report.measured)
    assert all(report.measured.values())


def test_only_figures_that_move_with_no_fact_are_measured_when_asked() -> None:
    measured = {(name, column) for name in NAMES for column in definition(name).measured}
    assert measured == {("breach", "evidence_late"), ("queue", "rank")}


@pytest.mark.parametrize("report", declarations(), ids=lambda report: report.name)
def test_a_report_declares_each_column_once_and_says_what_it_means(report: Definition[Any]) -> None:
    for columns in (report.columns, report.csv_columns, *(table.columns for table in report.tables)):
        names = [column.name for column in columns]
        assert len(set(names)) == len(names)
        assert all(column.meaning for column in columns)


def test_every_heading_title_and_empty_state_is_in_the_italian_catalogue() -> None:
    text = files("bin").joinpath("locale", "it.po").read_bytes()
    known = {message.id for message in read_po(BytesIO(text)) if message.string}
    found = {column.heading for report in declarations() for column in report.screen if column.heading != "#"}
    found |= {sentence for report in declarations() for sentence in (report.title, report.empty)}
    assert found <= known


@pytest.fixture(params=KINDS)
def here(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    with office(request.param, tmp_path) as found:
        found.tell(*contract_in_force(), opening(time="2026-11-02T08:00:00Z", system="erp"))
        found.tell(message("incident.take_in_charge", f"incident-{INCIDENT}", "2026-11-02T11:00:00Z"))
        yield found


def test_what_a_store_works_out_is_what_the_report_shows(here: Office) -> None:
    """Euro beside cents, "1/10" beside numerator and denominator, the stream of a row: as CSV has them."""
    here.projector().rebuild()
    live = here.reporting.live
    (penalty,) = here.reporting.run(f"SELECT maximum_penalty, rate, evidence_stream FROM {live.name(PENALTIES)}")
    assert [str(penalty[0])[:4], *penalty[1:]] == ["50.0", "1/10", f"contract-{CONTRACT}"]
    for name in NAMES:
        for table in definition(name).tables:
            shown = [column for column in table.columns if column.from_columns and column.kind != "hours"]
            names = [column.name for column in shown]
            found = here.reporting.run(f"SELECT {', '.join(names)} FROM {live.name(table)}") if shown else []
            for values, stored in zip(found, live.rows(table), strict=True) if shown else ():
                for column, value in zip(shown, values, strict=True):
                    parts = [stored[part] for part in column.from_columns]
                    assert _as_text(column.kind, value) == _worked_out(column.kind, column.before, parts), column.name


def _as_text(kind: str, value: Any) -> str | None:
    return None if value is None else f"{value:.2f}" if kind == "euro" else str(value)


def _worked_out(kind: str, before: str, parts: list[Any]) -> str | None:
    if None in parts or (kind == "share" and parts[1] == 0):
        return None
    match kind:
        case "euro":
            return f"{parts[0] // 100}.{parts[0] % 100:02}"
        case "share":
            return f"{parts[0]}/{parts[1]}"
        case _:
            return f"{before}{parts[0]}"
