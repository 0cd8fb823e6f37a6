"""Who may post messages over HTTP, in SQL."""

from adapters.store.records import Token
from adapters.store.sql import C, SqlStore

_TOKEN = "digest, source, issued_at, revoked_at"


class SqlTokens(SqlStore[C]):
    """The table tokens."""

    def tokens(self) -> list[Token]:
        """Every token ever issued, the oldest first."""
        found = self._fetch_newer(f"SELECT {_TOKEN} FROM tokens ORDER BY issued_at, source, digest")
        return [Token(bytes(row[0]), *row[1:]) for row in found]

    def issue_token(self, digest: bytes, source: str) -> None:
        """Let the bearer of a token write as a source."""
        self._change(f"INSERT INTO tokens ({_TOKEN}) VALUES (?, ?, ?, NULL)", [(digest, source, self.now())])

    def revoke_token(self, digest: bytes) -> None:
        """No longer let its bearer write."""
        statement = "UPDATE tokens SET revoked_at = ? WHERE digest = ? AND revoked_at IS NULL"
        self._change(statement, [(self.now(), digest)])
