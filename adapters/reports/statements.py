"""Who says so: the facts behind a figure that a party may contest, by whom told, agreed or not, how late (A4, R7)."""

from collections import Counter
from collections.abc import Iterable, Iterator

from adapters.reports.columns import Column, JsonRow, R, listed
from adapters.reports.wording import Writing
from domain.values import Party, Statement
from projections.as_of import ContractAsOf
from projections.statements import StatementOnRecord

KINDS = {
    "incident.suspended": "suspension",
    "incident.responsibility_attributed": "attribution",
    "incident.closed": "void closing",
    "record.rectified": "rectification",
    "record.annulled": "annulment",
    "contract.service_level_revised": "revision of levels",
    "contract.option_ended": "end of an option",
    "contract.terminated": "termination",
}
"""What people call a fact that a party may contest, by its stored type without version."""


def statement_json(said: StatementOnRecord) -> JsonRow:
    """What a party may contest, as JSON: who told it, who agrees, how late it was told."""
    return {
        "version": said.version,
        "type": said.stored_type,
        "by": said.fact.by.value,
        "agreed_by": [party.value for party in said.fact.agreed_by],
        "agreed": said.fact.agreed,
        "source": said.source,
        "lateness_us": said.lateness_us,
        "counts": said.counts,
    }


def statement_of(kept: JsonRow) -> StatementOnRecord:
    """What a party may contest, read back from JSON."""
    fact = Statement(by=Party(kept["by"]), agreed_by=tuple(map(Party, kept["agreed_by"])))
    return StatementOnRecord(kept["version"], fact, kept["type"], kept["source"], kept["lateness_us"], kept["counts"])


def told(stream: str, statements: Iterable[JsonRow]) -> Iterator[JsonRow]:
    """Statements of one stream, each with the stream."""
    return ({"stream": stream, **said} for said in statements)


def told_of_contract(contract: ContractAsOf) -> list[JsonRow]:
    """What a party may contest of a contract itself."""
    return list(told(f"contract-{contract.contract.id}", map(statement_json, contract.statements)))


def told_of_account(contract: ContractAsOf) -> list[JsonRow]:
    """What a party may contest of a contract's credits."""
    return list(told(f"credits-{contract.contract.id}", map(statement_json, contract.account_statements)))


def statements_column(of: str) -> Column[R]:
    """The column of the statements that a figure rests on; `of` says of what they are."""
    meaning = (
        f"what a party may contest of {of}: stream, version, type, by whom told, who agrees, its source, how late "
    )
    meaning += "it was told (us), whether the reading counts it"
    return listed("statements", meaning, lambda row: row.statements)


def who_says_so(statements: Iterable[JsonRow], writing: Writing) -> str:
    """By whom how many of each kind were told, agreed or not, and how late the latest; "" for none."""
    say = writing.say
    numbers: Counter[tuple[str, str]] = Counter()
    latest: dict[tuple[str, str], int] = {}
    for said in statements:
        whose = "both parties" if said["agreed"] else f"the {said['by']} alone"
        key = whose, KINDS[said["type"].rpartition(".")[0]]
        numbers[key] += 1
        latest[key] = max(said["lateness_us"], latest.get(key, 0))
    parts = [
        f"{say(kind)} {number} ({say('by ' + whose)}, {say('latest')} {writing.lateness(latest[whose, kind])})"
        for (whose, kind), number in sorted(numbers.items())
    ]
    return ", ".join(parts)
