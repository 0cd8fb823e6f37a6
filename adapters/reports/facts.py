"""The facts of all streams in the order in which they were recorded: how late, told by whom, agreed, corrected."""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

from adapters.reports.columns import JsonRow
from adapters.reports.question import Question, no_such_contract
from adapters.reports.replay import Advance, watched
from adapters.reports.report import REPLAY, Definition, Report, versions
from adapters.reports.screen import count, plain
from adapters.reports.sealed_facts import COLUMNS, SCREEN, SealedFact
from adapters.reports.timeline import known_lines
from adapters.reports.wording import Writing, visible
from adapters.store.ledger import Ledger
from domain.values import Party, instant_text
from projections.timeline import SAID_OF_FACTS, SaidOfFacts, TimelineRow


@dataclass(frozen=True)
class FactFilters:
    """Which facts are wanted; all of them where nothing is given. Instants in microseconds UTC, inclusive.

    `late`: told a day or more after they occurred. `rectified`: corrected or annulled since. `one_sided`: told by one
    party alone. `by`: told by this party. `since`, `until`: occurred in that time.
    """

    late: bool = False
    rectified: bool = False
    one_sided: bool = False
    by: Party | None = None
    since: int | None = None
    until: int | None = None
    source: str | None = None
    contract: str | None = None

    def picks(self, row: TimelineRow) -> bool:
        """Whether a fact is wanted."""
        entry = row.entry
        return (
            (not self.late or row.late)
            and (not self.rectified or bool(row.rectified_by) or row.annulled_by is not None)
            and (not self.one_sided or row.agreed is False)
            and self.by in (None, row.by)
            and (self.since is None or entry.fact.at >= self.since)
            and (self.until is None or entry.fact.at <= self.until)
            and self.source in (None, entry.source)
            and self.contract in (None, entry.contract)
        )

    def as_json(self) -> JsonRow:
        """Those that are asked for, as the manifest has them."""
        given = {one.name: getattr(self, one.name) for one in fields(self)}
        return {
            name: instant_text(value) if name in ("since", "until") else value
            for name, value in given.items()
            if value not in (None, False)
        }


def facts_on_record(
    ledger: Ledger, asked: Question, filters: FactFilters, advance: Advance = lambda _: None
) -> Report[SealedFact]:
    """The facts known on the date asked about that the filters pick; `advance` takes how many are read.

    The log is read twice and never held whole: what is said of a fact is recorded after it. Raises NotOnRecord where
    nothing is recorded under the contract asked about, and StoreError.
    """
    rows = ledger.store.rows(asked.known_on, None)
    said = SaidOfFacts(ledger.entry(row) for row in rows if row.stored_type in SAID_OF_FACTS)
    found = list(_picked(ledger, asked, filters, said, advance))
    if not found and filters.contract is not None and not _is_named(filters.contract, ledger):
        raise no_such_contract(filters.contract)
    made = {
        "report": "facts",
        "ledger": ledger.id,
        "made_from": REPLAY,
        "known_on": instant_text(asked.known_on),
        "filters": filters.as_json(),
        "position": ledger.store.position(asked.known_on),
        "versions": versions(),
    }
    return Report(REPORT, made, found)


def _is_named(contract: str, ledger: Ledger) -> bool:
    """Whether a contract has a stream of its own, or any request names it."""
    own = f"contract-{contract}"
    return own in ledger.store.stream_names(own) or bool(ledger.store.incidents_under(contract))


def _picked(
    ledger: Ledger, asked: Question, filters: FactFilters, said: SaidOfFacts, advance: Advance
) -> Iterator[SealedFact]:
    for sealed in watched(ledger.sealed_entries(asked.known_on), advance):
        row = said.row(sealed.entry)
        if filters.picks(row):
            yield SealedFact(row, sealed, {})


def _heading(report: Report[Any], writing: Writing) -> list[str]:
    lines = [writing.say(REPORT.title), *known_lines(report, writing)]
    if report.manifest["filters"]:
        lines.append(f"{writing.say('only')} {', '.join(_options(report.manifest['filters'], writing))}")
    return [*lines, ""]


def _options(filters: JsonRow, writing: Writing) -> Iterator[str]:
    """The filters as they are typed; instants as the clocks of the zone show them."""
    for name, value in filters.items():
        option = f"--{name.replace('_', '-')}"
        if value is True:
            yield option
        else:
            shown = writing.local(value, seconds=True) if name in ("since", "until") else visible(value)
            yield f"{option} {shown}"


REPORT = Definition(
    name="facts",
    title="Facts on record",
    columns=COLUMNS,
    screen=(count("position"), plain("stream"), *SCREEN),
    empty="Nothing is on record.",
    heading=_heading,
)
