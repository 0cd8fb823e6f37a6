"""Tokens for posting over HTTP: how one is made, and what is kept of it."""

import secrets
from hashlib import sha256

PREFIX = "vbl_"
"""Lets people and scanners of leaked secrets see what it is."""
BYTES = 32


def new_token() -> str:
    """A token that nobody can guess."""
    return PREFIX + secrets.token_urlsafe(BYTES)


def digest_of(token: str) -> bytes:
    """What is kept of a token: its SHA-256, which is enough where a token is 32 random bytes."""
    return sha256(token.encode()).digest()
