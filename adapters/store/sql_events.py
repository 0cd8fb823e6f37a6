"""Facts and their seals in SQL."""

from collections.abc import Generator, Iterator, Sequence
from typing import Any

from eventsourcing.persistence import StoredEvent

from adapters.store.leaf import Origin, leaf_hash
from adapters.store.records import Batch, Row, SealedRow
from adapters.store.sql import C, SqlStore

PAGE = 2000
FOREVER = 2**62
_EVENT = "originator_id, originator_version, topic, state"
_SEAL = "leaf, position, recorded_at, contract, source, message, actor, leaf_hash"
_BY_STREAM = "e.originator_id, e.originator_version"


class SqlEvents(SqlStore[C]):
    """The tables stored_events and seal."""

    # --- writing ---

    def _record_facts(
        self, c: C, batch: Batch, stored_events: Sequence[StoredEvent], positions: Sequence[int], recorded_at: int
    ) -> None:
        events = [
            (number, str(event.originator_id), event.originator_version, event.topic, event.state)
            for number, event in zip(positions, stored_events, strict=True)
        ]
        self._insert(c, "stored_events", f"{self.KEY}, {_EVENT}", events)
        self._insert(c, "seal", _SEAL, self._seals(batch, stored_events, positions, recorded_at))

    def _seals(
        self, batch: Batch, stored_events: Sequence[StoredEvent], positions: Sequence[int], recorded_at: int
    ) -> list[tuple[Any, ...]]:
        seals: list[tuple[Any, ...]] = []
        numbered = enumerate(zip(batch.facts, stored_events, positions, strict=True), batch.first_leaf)
        for leaf, (new, stored, position) in numbered:
            origin = new.origin
            hashed = leaf_hash(
                origin,
                ledger=self.ledger_id,
                stream=new.stream,
                version=new.version,
                stored_type=stored.topic,
                state=stored.state,
                at=new.fact.at,
                position=position,
                leaf=leaf,
                recorded_at=recorded_at,
            )
            came_from = (origin.contract, origin.source, origin.message, origin.actor)
            seals.append((leaf, position, recorded_at, *came_from, hashed))
        return seals

    # --- reading ---

    def recorded_until(self) -> int:
        """The instant at which the last fact was recorded; 0 where there is none."""
        found = self._fetch("SELECT recorded_at FROM seal ORDER BY leaf DESC LIMIT 1")
        return int(found[0][0]) if found else 0

    def position(self, known_on: int | None = None) -> int:
        """The last position recorded (by `known_on`); 0 where there is none."""
        # Instants of recording never decrease, so the last of them by `known_on` ends a prefix of the log.
        found = self._fetch(
            "SELECT position FROM seal WHERE recorded_at <= ? ORDER BY leaf DESC LIMIT 1",
            (FOREVER if known_on is None else known_on,),
        )
        return int(found[0][0]) if found else 0

    def page(self, after: int, limit: int) -> list[Row]:
        """The facts recorded after a position, in order of position, at most `limit`."""
        return self._rows(f"e.{self.KEY} > ?", f"e.{self.KEY}", [after], limit)

    def sealed_at(self, position: int) -> tuple[int, str] | None:
        """When the fact at a position was recorded, and its leaf hash in hex; None where there is none."""
        found = self._fetch("SELECT recorded_at, leaf_hash FROM seal WHERE position = ?", (position,))
        return (int(found[0][0]), bytes(found[0][1]).hex()) if found else None

    def rows(self, known_on: int | None, incident: str | None) -> Generator[Row, None, None]:
        """Facts by position, recorded by `known_on`; with `incident`, of no other incident."""
        key, until = f"e.{self.KEY}", self.position(known_on)
        if incident is not None:  # these are few: looked up by name, rather than sought in the whole log
            where = f"(e.originator_id = ? OR e.originator_id < 'incident-') AND {key} <= ?"
            yield from self._rows(where, key, [f"incident-{incident}", until])
            return
        after = 0
        while found := self._rows(f"{key} > ? AND {key} <= ?", key, [after, until], PAGE):
            yield from found
            after = found[-1].position

    def rows_by_stream(self, kind: str, until: int) -> Generator[Row, None, None]:
        """The facts up to a position of the streams whose name starts with `kind`, by stream and version."""
        where = f"(e.originator_id, e.originator_version) > (?, ?) AND e.originator_id < ? AND e.{self.KEY} <= ?"
        after: tuple[str, int] = (kind, 0)
        while found := self._rows(where, _BY_STREAM, [*after, _end_of(kind), until], PAGE):
            yield from found
            after = found[-1].stream, found[-1].version

    def stream_rows(self, streams: Sequence[str]) -> Iterator[Row]:
        """The facts of some streams, each in order of version."""
        if streams:
            yield from self._rows(f"e.originator_id {self.AMONG}", _BY_STREAM, self._values(streams))

    def _rows(self, where: str, order: str, parameters: Sequence[Any], limit: int | None = None) -> list[Row]:
        query = (
            f"SELECT e.{self.KEY}, e.originator_id, e.originator_version, s.recorded_at, e.topic, e.state, s.source, "
            f"s.contract FROM stored_events e {self.ITS_SEAL} WHERE {where} ORDER BY {order}"
        )
        if limit is not None:
            query, parameters = f"{query} LIMIT ?", [*parameters, limit]
        return list(map(Row._make, self._fetch(query, parameters)))

    def stream_names(self, prefix: str) -> list[str]:
        """The streams whose name starts with `prefix`."""
        query = "SELECT DISTINCT originator_id FROM stored_events WHERE originator_id >= ? AND originator_id < ?"
        return [row[0] for row in self._fetch(query, (prefix, _end_of(prefix)))]

    def incidents_under(self, contract: str) -> list[str]:
        """The streams of requests of which some fact was recorded under a contract."""
        query = (
            f"SELECT DISTINCT e.originator_id FROM seal s JOIN stored_events e ON e.{self.KEY} = s.position "
            "WHERE s.contract = ? AND e.originator_id >= 'incident-' AND e.originator_id < 'incident.'"
        )
        return [row[0] for row in self._fetch(query, (contract,))]

    def sealed_rows(self, stream: str) -> Iterator[SealedRow]:
        """The facts of one stream with their seals, in order of version."""
        yield from self._sealed("e.originator_id = ? ORDER BY e.originator_version", (stream,))

    def sealed_log(self, known_on: int | None) -> Generator[SealedRow, None, None]:
        """Facts with their seals by position, recorded by `known_on`."""
        key, after, until = f"e.{self.KEY}", 0, self.position(known_on)
        while found := self._sealed(f"{key} > ? AND {key} <= ? ORDER BY {key} LIMIT ?", (after, until, PAGE)):
            yield from found
            after = found[-1].row.position

    def _sealed(self, rest: str, parameters: Sequence[Any]) -> list[SealedRow]:
        rows = self._fetch(
            f"SELECT e.{self.KEY}, e.originator_id, e.originator_version, s.recorded_at, e.topic, e.state, s.leaf, "
            "s.leaf_hash, s.contract, s.source, s.message, s.actor FROM stored_events e "
            f"JOIN seal s ON s.position = e.{self.KEY} WHERE {rest}",
            parameters,
        )
        sealed: list[SealedRow] = []
        for position, stream, version, recorded_at, stored_type, state, leaf, hashed, *came_from in rows:
            origin = Origin(*came_from)
            found = Row(position, stream, version, recorded_at, stored_type, state, origin.source, origin.contract)
            sealed.append(SealedRow(found, leaf, hashed, origin))
        return sealed


def _end_of(prefix: str) -> str:
    """What comes after every name that starts with `prefix`, in the order of bytes."""
    return prefix[:-1] + chr(ord(prefix[-1]) + 1)
