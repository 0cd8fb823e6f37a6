"""Who has written, in SQL: a valid log may still lack messages."""

from adapters.store.records import Batch, Gap, SourceHeard
from adapters.store.sql import C, SqlStore

SOURCES_SO_FAR = """
    INSERT INTO sources (source, first_heard, last_heard, heard, done, duplicate, refused)
    SELECT source, min(at), max(at), sum(times), sum(done), sum(duplicate), sum(refused) FROM (
        SELECT i.source, s.recorded_at AS at, 1 AS times, CASE WHEN i.leaf IS NULL THEN 0 ELSE 1 END AS done,
            CASE WHEN i.leaf IS NULL THEN 1 ELSE 0 END AS duplicate, 0 AS refused
            FROM inbox i LEFT JOIN seal s ON s.leaf = i.leaf
        UNION ALL SELECT coalesce(source, ''), refused_at, times, 0, 0, times FROM refused
        UNION ALL SELECT source, since, 1, 0, 0, 0 FROM waiting) AS kept
    GROUP BY source HAVING max(at) IS NOT NULL"""
"""What a store of format 1 still knows of who has written; duplicates that it answered from its inbox are forgotten."""

_COUNTED = ("heard", "done", "duplicate", "refused")
_HEARD = f"source, first_heard, last_heard, {', '.join(_COUNTED)}"


class SqlSources(SqlStore[C]):
    """The tables sources and sequences."""

    def _record_sources(self, c: C, batch: Batch, now: int) -> None:
        sources = sorted({source for source, _ in batch.heard})
        counts = [(source, now, now, *(batch.heard[source, word] for word in _COUNTED)) for source in sources]
        added = ", ".join(f"{word} = sources.{word} + excluded.{word}" for word in _COUNTED)
        self._each(
            c,
            f"INSERT INTO sources ({_HEARD}) VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (source) DO UPDATE SET "
            f"last_heard = CASE WHEN excluded.heard > 0 THEN excluded.last_heard ELSE sources.last_heard END, {added}",
            counts,
        )
        self._insert(c, "sequences", "source, number", sorted(batch.sequences), "ON CONFLICT DO NOTHING")

    def sources(self) -> list[SourceHeard]:
        """What has been heard of each source, by name; "" is what named no source that could be read."""
        waiting = "(SELECT count(*) FROM waiting w WHERE w.source = s.source)"
        found = self._fetch_newer(f"SELECT {_HEARD}, {waiting} FROM sources s ORDER BY source")
        return list(map(SourceHeard._make, found))

    def gaps(self, source: str) -> list[Gap]:
        """The sequence numbers between the first and the last heard of a source that have not been heard."""
        found = self._fetch_newer(
            "SELECT number + 1, following - 1 FROM (SELECT number, lead(number) OVER (ORDER BY number) AS following "
            "FROM sequences WHERE source = ?) AS heard WHERE following > number + 1 ORDER BY number",
            (source,),
        )
        return [Gap(source, *row) for row in found]
