"""A NATS server of one's own on the loopback, for a trial and for the tests."""

import json
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from adapters.brokers.address import BrokerError
from adapters.errors import MissingExtra

STARTED_WITHIN = 20.0
PROGRAM = "nats-server"
ANY_PORT = -1


@dataclass
class NatsServer:
    """A server with JetStream that keeps its streams in `folder`; `port` is known once it has started."""

    folder: Path
    port: int = ANY_PORT
    options: Sequence[str] = ()
    monitoring: int = ANY_PORT
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def url(self) -> str:
        """Its address."""
        return f"nats://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int | None:
        """Its process, while it runs."""
        return self._process.pid if self._process is not None else None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start it, on the port it had if it ran before. Raises MissingExtra, BrokerError."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix="verbale-nats-") as ports, (self.folder / "log").open("ab") as log:
            command = [_program(), "-a", "127.0.0.1", "-p", str(self.port), "-m", str(self.monitoring), "-js"]
            command += ["-sd", str(self.folder), "--ports_file_dir", ports, *self.options]
            # In a session of its own: an interrupt at the terminal reaches us first, and we stop the server.
            self._process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
            try:
                self._wait(Path(ports))
            except BaseException:
                self.kill()
                raise

    def wait_until_it_ends(self) -> None:
        """Return when it has ended by itself."""
        if self._process is not None:
            self._process.wait()

    def stop(self) -> None:
        """Stop it; what it keeps stays."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it as a crash would."""
        self._end(signal.SIGKILL)

    def _end(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait()
            self._process = None

    def _wait(self, ports: Path) -> None:
        assert self._process is not None
        until = time.monotonic() + STARTED_WITHIN
        while time.monotonic() < until and self._process.poll() is None:
            if self._found(ports) and self._healthy():
                return
            time.sleep(0.02)
        last = (self.folder / "log").read_text(errors="replace").splitlines()[-1:]
        raise BrokerError(f"the NATS server does not start: {last[0] if last else 'it says nothing'}")

    def _found(self, ports: Path) -> bool:
        """Whether it has written its ports to a file."""
        try:
            (file,) = ports.glob("*.ports")
            found = json.loads(file.read_text())
        except ValueError:  # no file yet, or not written to its end
            return False
        self.port, self.monitoring = (int(found[what][0].rsplit(":", 1)[1]) for what in ("nats", "monitoring"))
        return True

    def _healthy(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.monitoring}/healthz?js-enabled-only=true", timeout=2):
                return True
        except OSError:
            return False


def _program() -> str:
    beside = Path(sys.executable).parent / PROGRAM
    found = str(beside) if beside.exists() else shutil.which(PROGRAM)
    if found is None:
        raise MissingExtra("nats", PROGRAM)
    return found
