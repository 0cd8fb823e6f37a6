"""The same work done as eventsourcing's own documentation does it: what bin/bench compares Verbale with.

An aggregate with events of its own, an application with a method for each command, the default JSON transcoder, and a
projection that takes one event in each transaction and keeps its position there. No inbox, no seal; and its view only
keeps the instants of an incident: no working time, no verdict, no ratio, no penalty.
"""

from abc import abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from eventsourcing.application import Application
from eventsourcing.dispatch import singledispatchmethod
from eventsourcing.domain import Aggregate, event
from eventsourcing.persistence import InfrastructureFactory, Tracking, TrackingRecorder
from eventsourcing.postgres import PostgresTrackingRecorder
from eventsourcing.projection import Projection
from eventsourcing.sqlite import SQLiteTrackingRecorder
from eventsourcing.utils import Environment
from psycopg.sql import SQL, Identifier

from domain import incident_facts as facts
from domain.facts import Fact

# --- the aggregate and its application ---


class Incident(Aggregate):
    """A request, told by its events."""

    class Opened(Aggregate.Created):
        """It comes in."""

        contract: str | None
        impact: str
        urgency: str
        opened_at: int

    class TakenInCharge(Aggregate.Event):
        """Somebody takes it."""

        at: int

    class InterventionStarted(Aggregate.Event):
        """Work on it begins."""

        at: int

    class Suspended(Aggregate.Event):
        """Its clocks stop."""

        at: int
        cause: str

    class Resumed(Aggregate.Event):
        """They go on."""

        at: int

    class Resolved(Aggregate.Event):
        """It is solved."""

        at: int

    class Noted(Aggregate.Event):
        """Whatever else is told of it."""

        at: int
        what: str

    @event(Opened)
    def __init__(self, contract: str | None, impact: str, urgency: str, opened_at: int) -> None:
        """Open it."""
        self.contract, self.impact, self.urgency, self.opened_at = contract, impact, urgency, opened_at
        self.charged_at: int | None = None
        self.started_at: int | None = None
        self.resolved_at: int | None = None
        self.suspensions: list[int] = []
        self.notes: list[str] = []

    @event(TakenInCharge)
    def take_in_charge(self, at: int) -> None:
        """Take it."""
        self.charged_at = at

    @event(InterventionStarted)
    def start_intervention(self, at: int) -> None:
        """Begin to work on it."""
        self.started_at = at

    @event(Suspended)
    def suspend(self, at: int, cause: str) -> None:
        """Stop its clocks."""
        self.suspensions.append(at)

    @event(Resumed)
    def resume(self, at: int) -> None:
        """Let them go on."""
        self.suspensions.append(at)

    @event(Resolved)
    def resolve(self, at: int) -> None:
        """Solve it."""
        self.resolved_at = at

    @event(Noted)
    def note(self, at: int, what: str) -> None:
        """Tell something else of it."""
        self.notes.append(what)


def tell(told: Sequence[Fact]) -> Incident:
    """The aggregate of which the facts of one incident are told, its events pending."""
    opened, *others = told
    if not isinstance(opened, facts.IncidentOpened):
        raise TypeError("the first fact of an incident opens it")
    incident = Incident(opened.contract, opened.impact.value, opened.urgency.value, opened.at)
    for fact in others:
        _tell_on(incident, fact)
    return incident


def _tell_on(incident: Incident, fact: Fact) -> None:
    match fact:
        case facts.IncidentTakenInCharge():
            incident.take_in_charge(fact.at)
        case facts.InterventionStarted():
            incident.start_intervention(fact.at)
        case facts.ClockSuspended():
            incident.suspend(fact.at, fact.cause.value)
        case facts.ClockResumed():
            incident.resume(fact.at)
        case facts.IncidentResolved():
            incident.resolve(fact.at)
        case _:
            incident.note(fact.at, fact.TYPE)


class HelpDesk(Application[UUID]):
    """The commands of a help desk, each one transaction: load, act, save."""

    def tell_first(self, opened: Fact) -> UUID:
        """Open an incident."""
        incident = tell([opened])
        self.save(incident)
        return incident.id

    def tell_on(self, incident_id: UUID, fact: Fact) -> None:
        """Tell one more thing of an incident."""
        incident: Incident = self.repository.get(incident_id)
        _tell_on(incident, fact)
        self.save(incident)

    def tell_all(self, incidents: Iterable[Sequence[Fact]]) -> None:
        """Tell all of some incidents in one transaction."""
        self.save(*map(tell, incidents))


# --- the projection: one event in each transaction ---

COLUMNS = (
    "id text PRIMARY KEY, contract text, impact text, urgency text, opened_at bigint, charged_at bigint, "
    "started_at bigint, suspended_since bigint, suspended_us bigint NOT NULL, resolved_at bigint, notes bigint NOT NULL"
)
OPENED = (
    "INSERT INTO {} (id, contract, impact, urgency, opened_at, suspended_us, notes) VALUES (?, ?, ?, ?, ?, 0, 0) "
    "ON CONFLICT (id) DO NOTHING"
)
CHARGED = "UPDATE {} SET charged_at = coalesce(charged_at, ?) WHERE id = ?"
STARTED = "UPDATE {} SET started_at = coalesce(started_at, ?) WHERE id = ?"
SUSPENDED = "UPDATE {} SET suspended_since = ? WHERE id = ?"
RESUMED = (
    "UPDATE {} SET suspended_us = suspended_us + coalesce(? - suspended_since, 0), suspended_since = NULL WHERE id = ?"
)
RESOLVED = "UPDATE {} SET resolved_at = ? WHERE id = ?"
NOTED = "UPDATE {} SET notes = notes + 1 WHERE id = ?"


class IncidentsView(TrackingRecorder):
    """A row for each incident, and the position up to which they are told."""

    @abstractmethod
    def write(self, statement: str, values: Sequence[Any], tracking: Tracking) -> None:
        """Change one row and the position, in one transaction."""

    @abstractmethod
    def rows(self) -> int:
        """How many incidents there are."""

    @abstractmethod
    def close(self) -> None:
        """Let go of the connections."""


class SqliteIncidents(SQLiteTrackingRecorder, IncidentsView):
    """The view in a SQLite file."""

    def construct_create_table_statements(self) -> list[str]:
        """The tracking table and the rows."""
        return [*super().construct_create_table_statements(), f"CREATE TABLE IF NOT EXISTS incidents ({COLUMNS})"]

    def write(self, statement: str, values: Sequence[Any], tracking: Tracking) -> None:
        """Change one row and the position, in one transaction."""
        with self.datastore.transaction(commit=True) as c:
            c.execute(statement.format("incidents"), values)
            self._insert_tracking(c, tracking)

    def rows(self) -> int:
        """How many incidents there are."""
        with self.datastore.transaction(commit=False) as c:
            c.execute("SELECT count(*) FROM incidents")
            return int(c.fetchone()[0])

    def close(self) -> None:
        """Let go of the connections."""
        self.datastore.close()


class SqliteIncidentsUnsynced(SqliteIncidents):
    """The same, which does not wait for the disk: it can be built again from the events."""

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        make = self.datastore.pool._create_connection

        def unsynced() -> Any:
            connection = make()
            with connection.cursor() as cursor:
                cursor.execute("PRAGMA synchronous = NORMAL")
            return connection

        self.datastore.pool._create_connection = unsynced  # type: ignore[method-assign]


class PostgresIncidents(PostgresTrackingRecorder, IncidentsView):
    """The view in a PostgreSQL schema."""

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self._table = Identifier(self.datastore.schema, "incidents")
        self._statements: dict[str, Any] = {}
        self.sql_create_statements.append(SQL(f"CREATE TABLE IF NOT EXISTS {{}} ({COLUMNS})").format(self._table))

    def write(self, statement: str, values: Sequence[Any], tracking: Tracking) -> None:
        """Change one row and the position, in one transaction."""
        if statement not in self._statements:
            self._statements[statement] = SQL(statement.replace("?", "%s")).format(self._table)
        with self.datastore.transaction(commit=True) as c:
            c.execute(self._statements[statement], values, prepare=True)
            self._insert_tracking(c, tracking)

    def rows(self) -> int:
        """How many incidents there are."""
        with self.datastore.cursor() as c:
            (found,) = c.execute(SQL("SELECT count(*) AS n FROM {}").format(self._table)).fetchall()
            return int(found["n"])

    def close(self) -> None:
        """Let go of the connections."""
        self.datastore.close()


class Compliance(Projection[IncidentsView]):
    """Keeps the view current."""

    name = "compliance"

    @singledispatchmethod
    def process_event(self, domain_event: Any, tracking: Tracking) -> None:
        """Take one event."""
        raise TypeError(f"no incident tells {domain_event}")

    @process_event.register
    def _opened(self, told: Incident.Opened, tracking: Tracking) -> None:
        row = (str(told.originator_id), told.contract, told.impact, told.urgency, told.opened_at)
        self.view.write(OPENED, row, tracking)

    @process_event.register
    def _taken_in_charge(self, told: Incident.TakenInCharge, tracking: Tracking) -> None:
        self.view.write(CHARGED, (told.at, str(told.originator_id)), tracking)

    @process_event.register
    def _intervention_started(self, told: Incident.InterventionStarted, tracking: Tracking) -> None:
        self.view.write(STARTED, (told.at, str(told.originator_id)), tracking)

    @process_event.register
    def _suspended(self, told: Incident.Suspended, tracking: Tracking) -> None:
        self.view.write(SUSPENDED, (told.at, str(told.originator_id)), tracking)

    @process_event.register
    def _resumed(self, told: Incident.Resumed, tracking: Tracking) -> None:
        self.view.write(RESUMED, (told.at, str(told.originator_id)), tracking)

    @process_event.register
    def _resolved(self, told: Incident.Resolved, tracking: Tracking) -> None:
        self.view.write(RESOLVED, (told.at, str(told.originator_id)), tracking)

    @process_event.register
    def _noted(self, told: Incident.Noted, tracking: Tracking) -> None:
        self.view.write(NOTED, (str(told.originator_id),), tracking)


VIEWS: Mapping[str, type[Any]] = {
    "sqlite": SqliteIncidents,
    "sqlite unsynced": SqliteIncidentsUnsynced,
    "postgres": PostgresIncidents,
}


def projection(view: str, environment: Mapping[str, str]) -> Compliance:
    """A projection over one of the views, whose table is made where there is none."""
    factory = InfrastructureFactory[Any].construct(Environment(Compliance.name, dict(environment)))
    return Compliance(factory.tracking_recorder(VIEWS[view]))


def catch_up(desk: HelpDesk, into: Compliance, page: int = 500) -> int:
    """Take every event after the view's position, in pages, each event in a transaction; how many."""
    done = into.view.max_tracking_id(desk.name) or 0
    taken = 0
    while notifications := desk.recorder.select_notifications(done + 1, page):
        for notification in notifications:
            told = desk.mapper.to_domain_event(notification)
            into.process_event(told, Tracking(desk.name, notification.id))
        done, taken = notifications[-1].id, taken + len(notifications)
    return taken
