"""The messages that were refused and are not recorded since."""

from adapters.reports.columns import Column, JsonRow, instant, integer, text
from adapters.reports.report import Definition
from adapters.reports.screen import ScreenColumn, at, count, plain
from adapters.reports.wording import Writing, visible
from adapters.store.records import RefusedRow

NO_SOURCE = ""
"""The source of what names none that can be read."""

COLUMNS: tuple[Column[RefusedRow], ...] = (
    integer("number", "its number, by which commands name it", lambda row: row.number),
    instant("refused_at", "when it was last refused", lambda row: row.refused_at),
    integer("times", "how often it was refused", lambda row: row.times),
    text("source", "its source; empty where none can be read", lambda row: (row.message.identity or (NO_SOURCE,))[0]),
    text("id", "its id", lambda row: row.message.identity[1] if row.message.identity else None, optional=True),
    text("clause", "the clause by which it is refused", lambda row: row.message.clause),
    text("field", "the field that is wrong", lambda row: row.message.field or None, optional=True),
    text("reason", "what is wrong", lambda row: row.message.reason),
)


def foreign(name: str, heading: str | None = None) -> ScreenColumn:
    """A text that others wrote; "-" for none."""
    return ScreenColumn(heading or name, lambda row, _: "-" if row[name] is None else visible(str(row[name])))


def _source(row: JsonRow, writing: Writing) -> str:
    return visible(row["source"]) or writing.say("(none that can be read)")


SOURCE = ScreenColumn("source", _source)
"""The source of a message, or that none can be read."""

REPORT = Definition(
    name="refused",
    title="Refused messages",
    columns=COLUMNS,
    screen=(
        plain("number", "#", number=True),
        at("refused_at", "refused at"),
        count("times"),
        SOURCE,
        foreign("id"),
        foreign("clause"),
        foreign("field"),
        ScreenColumn("reason", lambda row, writing: visible(writing.say.sentence(row["reason"]))),
    ),
    empty="No message is refused.",
)
