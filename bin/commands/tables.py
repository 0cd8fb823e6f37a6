"""The command that lists the reporting tables and their columns. It opens no store."""

from adapters.errors import BadQuestion
from adapters.live_tables.schema import PUBLIC
from bin.commands.console import print_pairs
from bin.commands.options import words


def tables(table: str | None = None, /, *, markdown: bool = False) -> None:
    """List the reporting tables, or the columns of one with their meaning.

    Parameters
    ----------
    table
        One of those listed.
    markdown
        Print the whole reference (docs/tables.md) instead.
    """
    if markdown:
        from bin.table_reference import table_reference

        print(table_reference(), end="")
        return
    found = [one for one in PUBLIC if table in (None, one.name)]
    if not found:
        raise BadQuestion(f"no reporting table is called {table}: verbale tables lists them")
    say = words()
    print_pairs([(one.name, say.meaning(one.meaning)) for one in (found if table is None else found[0].columns)])
