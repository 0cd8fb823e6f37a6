"""Delimited text (CSV) read row by row: what cannot be read is quarantined with its line, while the rest goes on."""

import codecs
import csv
import gzip
import io
import lzma
import zlib
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple, TypeVar, cast

from adapters.errors import UserError

MOST_LINES_OF_A_FIELD = 50

T = TypeVar("T")


class BadTable(UserError, ValueError):
    """The file is not a table of this kind; the message says why."""


class Quarantined(NamedTuple):
    """A row that cannot be used: its line in the file, why, and the row itself."""

    line: int
    reason: str
    row: dict[str, str]


class Header(NamedTuple):
    """The names of the columns, the delimiter of fields, and the encoding of the file."""

    names: Sequence[str]
    delimiter: str
    encoding: str


def read_table(
    path: Path,
    kind: str,
    columns: Sequence[str],
    make: Callable[[int, dict[str, str]], T],
    *,
    delimiter: str = ",",
    encoding: str = "UTF-8",
    on_bytes: Callable[[int], None] | None = None,
) -> Iterator[T | Quarantined]:
    """What `make` makes of each row's line and fields; a row of which it raises ValueError is quarantined.

    The file is plain, .gz or .xz, and has at least the `columns`; `kind` names what it should be. `on_bytes` is
    called with the bytes read so far. Raises BadTable.
    """
    try:
        with path.open("rb") as packed:
            # Bytes that are no text become lone surrogates, so that only their own row is quarantined.
            codec = "utf-8-sig" if codecs.lookup(encoding).name == "utf-8" else encoding  # a byte order mark is no text
            text = io.TextIOWrapper(_unpacked(path, packed), codec, errors="surrogateescape", newline="")
            lines = enumerate(text, 1)
            header = Header(_fields(next(lines, (0, ""))[1], delimiter) or [], delimiter, encoding)
            missing = [column for column in columns if column not in header.names]
            if missing:
                raise BadTable(f"{path} is no {kind}: it has no column {', '.join(missing)}")
            twice = [column for column in columns if header.names.count(column) > 1]
            if twice:
                raise BadTable(f"{path} has more than one column {', '.join(twice)}: which one is meant?")
            for line, record in _records(lines, header):
                if on_bytes and line % 500 == 0:
                    on_bytes(packed.tell())
                yield _made(line, record, header, make)
    except UnicodeError as error:
        raise BadTable(f"{path} cannot be read: it is not {encoding} text ({error})") from None
    except (OSError, EOFError, lzma.LZMAError, zlib.error) as error:
        raise BadTable(f"{path} cannot be read: {error}") from None


def write_quarantine(path: Path, quarantined: Sequence[Quarantined]) -> None:
    """Write quarantined rows as CSV, each after its line and the reason."""
    columns = list(dict.fromkeys(name for row in quarantined for name in row.row))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["line", "reason", *columns])
        for row in quarantined:
            writer.writerow([row.line, row.reason, *(row.row.get(name, "") for name in columns)])


def _unpacked(path: Path, packed: BinaryIO) -> BinaryIO:
    if path.suffix == ".gz":
        return cast(BinaryIO, gzip.GzipFile(fileobj=packed))
    if path.suffix == ".xz":
        return cast(BinaryIO, lzma.LZMAFile(packed))
    return packed


def _records(lines: Iterator[tuple[int, str]], header: Header) -> Iterator[tuple[int, str]]:
    """Each record with the line it ends on. A quoted field may hold line ends; a stray quote costs its own line only.

    So a line whose quotes do not close is joined with the next ones only while that can still give a whole record.
    """
    waiting: deque[tuple[int, str]] = deque()
    while first := waiting.popleft() if waiting else next(lines, None):
        number, record = first
        joined: list[tuple[int, str]] = []
        while record.count('"') % 2 and len(joined) < MOST_LINES_OF_A_FIELD:
            following = waiting.popleft() if waiting else next(lines, None)
            if following is None:
                break
            joined.append(following)
            record += following[1]
        if joined and len(_fields(record, header.delimiter) or ()) != len(header.names):
            waiting.extendleft(reversed(joined))
            number, record = first
        elif joined:
            number = joined[-1][0]
        if record.strip():
            yield number, record


def _fields(record: str, delimiter: str) -> list[str] | None:
    """The fields of one record; None where it is none."""
    if '"' not in record:
        return record.rstrip("\r\n").split(delimiter)
    try:
        rows = list(csv.reader(io.StringIO(record, newline=""), delimiter=delimiter, strict=True))
    except csv.Error:
        return None
    return rows[0] if len(rows) == 1 else None


def _made(line: int, record: str, header: Header, make: Callable[[int, dict[str, str]], T]) -> T | Quarantined:
    fields = _fields(record, header.delimiter)
    if fields is None or len(fields) != len(header.names):
        found = "its quotes do not close" if fields is None else f"it has {len(fields)} fields of {len(header.names)}"
        return Quarantined(line, f"cannot be read: {found}", {"unread": _printable(record.rstrip("\r\n"))})
    row = dict(zip(header.names, fields, strict=True))
    try:
        if not record.isascii() and any("\udc80" <= character <= "\udcff" for character in record):
            raise ValueError(f"cannot be read: not {header.encoding} text")
        return make(line, row)
    except ValueError as error:
        return Quarantined(line, _on_one_line(str(error)), {name: _printable(value) for name, value in row.items()})


def _printable(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


def _on_one_line(reason: str) -> str:
    """A reason quotes cells, which may hold line ends, or what a terminal would obey."""
    return "".join(character if character.isprintable() else ascii(character)[1:-1] for character in reason)
