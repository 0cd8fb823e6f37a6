"""When a contract is in force: its signature, its renewals, its terminations (G2)."""

from collections.abc import Iterable, Sequence

from domain.contract_facts import ContractRenewed, ContractSigned, ContractTerminated
from domain.interval import Interval, earliest
from domain.values import EARLIEST


def in_force_intervals(
    signed: ContractSigned | None, renewals: Sequence[ContractRenewed], terminations: Sequence[ContractTerminated]
) -> tuple[Interval, ...]:
    """The times for which it is in force, in order. A renewal dated after the end begins another.

    Of renewals the latest end rules, in whatever order they were recorded. A termination ends all, and what is renewed
    after it was made revives nothing.
    """
    if signed is None:
        return ()
    start, end = signed.in_force_from, signed.in_force_until
    found: list[Interval] = []
    for renewal in sorted(prolonging(renewals, terminations), key=lambda renewal: renewal.at):
        if end is None:
            break
        if renewal.at > end:
            found.append(Interval(start, end))
            start, end = renewal.at, renewal.until
        else:
            end = max(end, renewal.until)
    until_terminated = Interval(EARLIEST, _terminated_at(renewals, terminations))
    clipped = (one.clip(until_terminated) for one in (*found, Interval(start, end)))
    return tuple(interval for interval in clipped if not interval.empty)


def end_of(
    signed: ContractSigned | None, renewals: Sequence[ContractRenewed], terminations: Sequence[ContractTerminated]
) -> int | None:
    """The instant at which it stops being in force for good, or None."""
    until = signed.in_force_until if signed else None
    if until is not None:
        until = max([until, *(renewal.until for renewal in prolonging(renewals, terminations))])
    return earliest(until, _terminated_at(renewals, terminations))


def reviving_nothing(
    renewals: Iterable[ContractRenewed], terminations: Iterable[ContractTerminated]
) -> tuple[ContractRenewed, ...]:
    """The renewals made after a termination that none of them revokes: it ends the contract all the same."""
    renewals = tuple(renewals)
    ending = [one for one in terminations if not _revoked(one, renewals)]
    return tuple(renewal for renewal in renewals if any(one.at <= renewal.at for one in ending))


def prolonging(
    renewals: Sequence[ContractRenewed], terminations: Sequence[ContractTerminated]
) -> list[ContractRenewed]:
    """The renewals that count: made before any termination, or after one that is revoked."""
    in_vain = reviving_nothing(renewals, terminations) if terminations else ()
    return [renewal for renewal in renewals if renewal not in in_vain]


def _terminated_at(renewals: Iterable[ContractRenewed], terminations: Iterable[ContractTerminated]) -> int | None:
    renewals = tuple(renewals)
    return earliest(*(_takes_effect(ending) for ending in terminations if not _revoked(ending, renewals)))


def _revoked(ending: ContractTerminated, renewals: Iterable[ContractRenewed]) -> bool:
    """Whether a renewal revokes a termination: one made after it, before it took effect, that says so."""
    return any(renewal.revokes_termination and ending.at <= renewal.at < _takes_effect(ending) for renewal in renewals)


def _takes_effect(ending: ContractTerminated) -> int:
    # Where a reading ignores a rectification, a termination may be dated after its effective date. The contract then
    # ends at the date of the termination.
    return max(ending.at, ending.effective)
