"""Files of messages that a command is given, and files that it writes."""

import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from adapters.errors import BadQuestion
from adapters.inbox.ingest import Line, read_lines
from adapters.store.url import store_location
from bin.settings import Settings


def existing(files: Iterable[Path]) -> int:
    """How many bytes the files have together, standard input (-) aside. Raises BadQuestion where one is not there."""
    named = [file for file in files if str(file) != "-"]
    for file in named:
        check_input(file)
    return sum(file.stat().st_size for file in named)


def check_input(file: Path) -> None:
    """Raise BadQuestion where there is no such file; it may be anything that can be read, but no folder."""
    if file.is_dir() or not file.exists():
        raise BadQuestion(f"{file} is no file")


def lines_of(files: Iterable[Path]) -> Iterator[Line]:
    """The messages in some files, one after the other."""
    for file in files:
        if str(file) == "-":
            if sys.stdin is None:
                raise BadQuestion("standard input is closed: nothing can be read from it")
            yield from read_lines(sys.stdin.buffer, "standard input")
        else:
            with file.open("rb") as opened:
                yield from read_lines(opened, str(file))


def counting(lines: Iterable[Line], advance: Callable[[int], None]) -> Iterator[Line]:
    """The same lines; `advance` is called with the number of bytes read so far."""
    read = 0
    for line in lines:
        read += len(line.raw) + 1
        advance(read)
        yield line


def check_output(option: str, output: Path | None, chosen: Settings, inputs: Iterable[Path]) -> None:
    """Refuse, before anything is recorded, an output that cannot be written or would overwrite what is read."""
    if output is None:
        return
    if output.is_dir() or not output.absolute().parent.is_dir():
        raise BadQuestion(f"{option} {output} cannot be written: name a file in a folder that exists")
    kept = [*store_location(chosen.store).files, *inputs]
    if any(
        output.absolute() == one.absolute() or (output.exists() and one.exists() and output.samefile(one))
        for one in kept
    ):
        raise BadQuestion(f"{option} {output} would overwrite what is read: name another file")
