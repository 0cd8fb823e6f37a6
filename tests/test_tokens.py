"""Tokens: printed once, kept as digests, listed, revoked; what producers may write with them is in test_web.py."""

import json
import re
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from support.messages import Clock
from support.servers import open_any

from adapters.reports.tokens import SHOWN_DIGITS
from adapters.store.url import store_url
from bin.settings import settings
from bin.tokens import PREFIX, digest_of
from domain.values import instant_text

Run = Callable[..., tuple[int, str, str]]
SOURCE = "helpdesk:acme"


@pytest.fixture
def store(run: Run, place: Path | str, monkeypatch: pytest.MonkeyPatch) -> Path | str:
    """The commands find the store, on every kind of store."""
    monkeypatch.setenv("VERBALE_STORE", str(place) if isinstance(place, str) else store_url(place))
    return place


def listed(run: Run) -> list[dict[str, Any]]:
    """What `verbale token list` says."""
    status, out, err = run("token", "list", "--format", "json")
    assert (status, err) == (0, "")
    found: list[dict[str, Any]] = json.loads(out)
    return found


def issued(run: Run, source: str = SOURCE) -> str:
    """A new token."""
    status, out, _ = run("token", "issue", source)
    assert status == 0
    return out.strip()


def test_a_token_is_printed_once_and_only_its_digest_is_kept(run: Run, store: Path | str) -> None:
    status, out, err = run("token", "issue", SOURCE)
    token = out.strip()
    assert status == 0
    assert re.fullmatch(r"vbl_[A-Za-z0-9_-]{43}", token)
    assert "it will not be shown again" in err
    assert token not in err
    with closing(open_any(store, now=Clock())) as ledger:
        (kept,) = ledger.store.tokens()
    assert (kept.digest, kept.source, kept.revoked_at) == (digest_of(token), SOURCE, None)
    said = {"source": SOURCE, "digest": kept.digest.hex()[:SHOWN_DIGITS], "issued_at": instant_text(kept.issued_at)}
    assert listed(run) == [{**said, "revoked_at": None}]


def test_every_token_is_another_one_also_of_one_source(run: Run, store: Path | str) -> None:
    assert len({issued(run) for _ in range(3)}) == 3
    assert [row["source"] for row in listed(run)] == [SOURCE] * 3


def test_a_token_is_revoked_by_the_start_of_its_digest_and_stays_on_the_list(run: Run, store: Path | str) -> None:
    digest = digest_of(issued(run)).hex()
    issued(run, "another")
    status, out, err = run("token", "revoke", digest[:6])
    assert (status, out, err) == (0, f"revoked: {digest[:8]}, which wrote as {SOURCE}\n", "")
    revoked = {row["source"]: row["revoked_at"] is not None for row in listed(run)}
    assert revoked == {SOURCE: True, "another": False}

    status, _, err = run("token", "revoke", digest)
    assert status == 2
    assert f"the token {digest[:8]} was revoked at" in err


def test_a_digest_that_no_token_has_is_not_on_record(run: Run, store: Path | str) -> None:
    issued(run)
    status, _, err = run("token", "revoke", "0" * 64)
    assert status == 1
    assert "verbale token list shows them" in err


def test_a_digest_that_is_none_or_too_short_is_said_so(run: Run, store: Path | str) -> None:
    token = issued(run)
    for given in (token, "abc", "ABCD", ""):
        status, _, err = run("token", "revoke", given)
        assert status == 2
        assert "4 hexadecimal digits or more" in err


def test_what_cannot_be_a_source_gets_no_token(run: Run, store: Path | str) -> None:
    for source in ("", "a\nb", "x" * 501):
        status, out, err = run("token", "issue", source)
        assert (status, out) == (2, "")
        assert "cannot be the source of a message" in err


def test_a_list_for_people_speaks_italian_too(run: Run, store: Path | str) -> None:
    issued(run)
    assert "issued at" in run("token", "list")[1]
    assert "rilasciato il" in run("token", "list", "--language", "it")[1]
    assert PREFIX not in run("token", "list")[1]


@pytest.mark.parametrize(
    ("listen", "address"),
    [
        ("127.0.0.1:8350", ("127.0.0.1", 8350)),
        ("[::1]:80", ("::1", 80)),
        ("127.0.0.1:0", ("127.0.0.1", 0)),
        ("verbale.example:65535", ("verbale.example", 65535)),
        ("none", None),
    ],
)
def test_an_address_to_listen_on(
    run: Run, monkeypatch: pytest.MonkeyPatch, listen: str, address: tuple[str, int] | None
) -> None:
    monkeypatch.setenv("VERBALE_LISTEN", listen)
    assert settings().address == address


@pytest.mark.parametrize(
    "listen", ["", "8350", ":8350", "127.0.0.1", "127.0.0.1:-1", "127.0.0.1:65536", "::1:80", "h:x"]
)
def test_an_address_that_is_none_is_told_before_anything_starts(
    run: Run, monkeypatch: pytest.MonkeyPatch, listen: str
) -> None:
    monkeypatch.setenv("VERBALE_LISTEN", listen)
    status, _, err = run("status")
    assert status == 2
    assert f"setting listen: {listen} is no address: write HOST:PORT" in err
    assert "Traceback" not in err
