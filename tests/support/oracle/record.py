"""What is on record, and what of it counts: corrected, annulled, agreed, told by one party (section 3, R5, R7)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

MINUTE = 60_000_000
EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
Reading = dict[str, str]

ALL_PARTIES = {"supplier", "customer"}
MAY_BE_CONTESTED = ("incident.suspend", "incident.attribute_responsibility", "record.rectify", "record.annul")
CHANGES_OF_A_CONTRACT = ("contract.revise_service_level", "contract.end_option", "contract.terminate")
CHANGEABLE = (*CHANGES_OF_A_CONTRACT, "contract.sign", "contract.renew", "contract.activate_option")


@dataclass(frozen=True)
class Fact:
    """One fact as it was told: `kind` is its type without "verbale." and ".v1"; instants are microseconds UTC."""

    position: int
    stream: str
    version: int
    recorded_at: int
    source: str
    kind: str
    at: int
    data: dict[str, Any]
    told_at: int | None = None

    @property
    def of(self) -> str:
        """The id of the contract, account or incident that its stream is about."""
        return self.stream.split("-", 1)[1]

    @property
    def order(self) -> tuple[int, int, int]:
        """Meaning follows the instant, then the version (section 3).

        Of those that count at the opening though dated before it, what occurred first stays first.
        """
        return self.at, self.at if self.told_at is None else self.told_at, self.version


def instant(text: str) -> int:
    """An instant as written, in microseconds UTC."""
    return (datetime.fromisoformat(text) - EPOCH) // timedelta(microseconds=1)


def fact(message: dict[str, Any], position: int, version: int, recorded_at: int) -> Fact:
    """A CloudEvent that was recorded."""
    kind = message["type"].removeprefix("verbale.").rsplit(".", 1)[0]
    at = instant(message["time"])
    return Fact(position, message["subject"], version, recorded_at, message["source"], kind, at, message["data"])


def known(facts: Sequence[Fact], known_on: int) -> list[Fact]:
    """Section 7: of all that is told, only what was recorded by then is known."""
    return [one for one in facts if one.recorded_at <= known_on]


def what_counts(facts: Sequence[Fact], agreements: "Agreements | None" = None) -> list[Fact]:
    """Section 7: rectifications and annulments first, whatever their own date; the last recorded wins.

    Section 6, `one_sided`: given who agreed, what favours who told it, and was not agreed, is removed before all else.
    """

    def stands(one: Fact) -> bool:
        return agreements is None or not favours_its_maker(one) or agreements.by_both(one)

    corrections = [one for one in facts if one.kind in ("record.rectify", "record.annul") and stands(one)]
    annulled = annulled_versions(corrections)
    corrected = {(one.stream, one.version): one for one in facts}
    for one in corrections:
        name = (one.stream, one.data["version"])
        if one.kind == "record.rectify" and (one.stream, one.version) not in annulled and name in corrected:
            corrected[name] = rectified(corrected[name], one)
    counting = [one for name, one in corrected.items() if name not in annulled]
    return not_before_their_opening([one for one in counting if stands(one)])


def annulled_versions(corrections: Sequence[Fact]) -> set[tuple[str, int]]:
    """R5: an annulled fact is as if never recorded, so an annulment that is itself annulled annuls nothing."""
    annulled: set[tuple[str, int]] = set()
    for one in reversed(corrections):
        if one.kind == "record.annul" and (one.stream, one.version) not in annulled:
            annulled.add((one.stream, one.data["version"]))
    return annulled


def rectified(wrong: Fact, right: Fact) -> Fact:
    """R5: one field of a fact is corrected; `at` is the instant of the fact itself."""
    field, value = right.data["field"], right.data["value"]
    if field == "at":
        return replace(wrong, at=instant(value))
    return replace(wrong, data={**wrong.data, field: value})


def not_before_their_opening(facts: Sequence[Fact]) -> list[Fact]:
    """Section 3: what a rectified opening leaves dated before it counts at the opening."""
    opened = {one.stream: one.at for one in facts if one.kind == "incident.open"}
    return [replace(one, at=max(one.at, opened.get(one.stream, one.at)), told_at=one.at) for one in facts]


def favours_its_maker(one: Fact) -> bool:
    """Section 6, `one_sided`: whether a fact, as corrected, serves the party that told it."""
    by, kind, data = one.data.get("by") or "supplier", one.kind, one.data
    if kind in ("record.rectify", "record.annul"):
        return True
    if kind == "incident.suspend":
        return by == "supplier" and data["cause"] != "supplier"
    if kind == "incident.close":
        return by == "supplier" and is_void(one)
    if kind == "incident.attribute_responsibility":
        return by == ("customer" if data["party"] == "supplier" else "supplier")
    return False


def is_void(closing: Fact) -> bool:
    """Section 5: a duplicate or a withdrawn request is closed as void."""
    return closing.data.get("reason", "resolved") in ("duplicate", "withdrawn")


class Agreements:
    """Who agreed to a fact (R7): in the message that told it, and in agreements recorded since."""

    def __init__(self, facts: Sequence[Fact], contract_of: Callable[[Fact], str | None]) -> None:
        self.facts = facts
        self.contract_of = contract_of
        self.given = [one for one in facts if one.kind == "record.agree"]

    def by_both(self, one: Fact) -> bool:
        """Whether both parties are among those who told it and those who agreed."""
        return self.parties(one) >= ALL_PARTIES

    def parties(self, one: Fact) -> set[str]:
        """R7: once a party has a source of its own, only what that source says counts as its agreement."""
        contract = self.contract_of(one)
        told = {party for party in one.data.get("agreed_by", []) if not self.sources(contract, party, one.position)}
        later = {self.agreeing(given) for given in self.given if self.is_about(given, one)}
        return {one.data.get("by") or "supplier"} | told | later - {""}

    def is_about(self, given: Fact, one: Fact) -> bool:
        """Section 3: an agreement names a version, or all facts of its contract up to a position."""
        if given.data.get("up_to") is None:
            return (given.stream, given.data.get("version")) == (one.stream, one.version)
        return self.contract_of(one) == given.of and one.position <= int(given.data["up_to"])

    def agreeing(self, given: Fact) -> str:
        """R7: the party that agrees: that of its source; as told, while that party has no source."""
        contract = self.contract_of(given)
        for party in ALL_PARTIES:
            if given.source in self.sources(contract, party, given.position):
                return party
        party = given.data.get("by") or ""
        return "" if self.sources(contract, party, given.position) else party

    def sources(self, contract: str | None, party: str, before: int) -> set[str]:
        """R7: the sources that a contract has appointed to a party by what was recorded before a position."""
        sources: set[str] = set()
        for one in self.facts:
            if one.position >= before or one.stream != f"contract-{contract}":
                continue
            if one.kind == "contract.appoint_source":
                sources.discard(one.data["source"])
                if one.data["party"] == party:
                    sources.add(one.data["source"])
            if one.kind == "contract.dismiss_source":
                sources.discard(one.data["source"])
        return sources
