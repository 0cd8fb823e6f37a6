"""Decisions: which facts a message adds, given the states of the streams and what its batch has changed so far."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import cast

from adapters.inbox.messages import Message
from adapters.inbox.streams import State, Streams
from adapters.store.recorder import Recorder
from domain import contract as contracts
from domain import credits as accounts
from domain import incident as incidents
from domain.agreement import NOBODY, as_spoken, refuse_unappointed
from domain.contract import Contract
from domain.contract_facts import ContractCommand
from domain.coverage import CoverageDecision, cover
from domain.credit_facts import CreditCommand
from domain.credits import CreditAccount
from domain.facts import Command, Fact, Rejected
from domain.incident import Incident
from domain.incident_facts import IncidentCommand, IncidentOpened, OpenIncident
from domain.record_facts import Agree
from domain.routing import routed
from domain.streams import split_stream


class Decisions:
    """The decisions of one batch: each sees the states that the ones before it have `changed`."""

    def __init__(self, streams: Streams, store: Recorder) -> None:
        self._streams, self._store = streams, store
        self.changed: dict[str, State] = {}
        self.opened_by: dict[str, str] = {}
        """Which source opened the requests that this batch opens."""
        self._contracts_of: defaultdict[tuple[str, str | None], set[str]] | None = None

    def load(self, messages: Iterable[Message]) -> None:
        """Read in one query every stream that deciding these messages is known to need."""
        needed = set()
        for message in messages:
            needed.add(message.stream)
            if message.stream.startswith("credits-"):
                needed.add(f"contract-{message.name}")
            if isinstance(message.command, OpenIncident) and message.command.contract is not None:
                needed |= {f"contract-{message.command.contract}", f"credits-{message.command.contract}"}
        self._streams.load(needed)

    def state(self, stream: str) -> State:
        """The state of a stream, as this batch has changed it so far."""
        return self.changed[stream] if stream in self.changed else self._streams[stream]

    def change(self, stream: str, state: State, source: str) -> None:
        """Go on with another state of a stream, which a message of this source has changed."""
        self.changed[stream] = state
        self.opened_by.setdefault(stream, source)
        if isinstance(state, Contract):
            self._index(state)

    def facts(self, message: Message) -> tuple[Sequence[Fact], str | None]:
        """The facts that a message adds, and the contract it belongs to (if any). Raises Rejected, NotYet.

        The type of a message is checked against its stream when it is read: hence the casts.
        """
        state = self.state(message.stream)
        match state:
            case Contract():
                command = as_spoken(state.speakers, message.source, message.command)
                self._refuse_agreeing_ahead(command)
                return contracts.decide(state, cast(ContractCommand, command)), message.name
            case CreditAccount():
                contract = self._contract(message.name)
                contracts.require_signed(contract)
                command = as_spoken(contract.speakers, message.source, message.command)
                return accounts.decide(state, cast(CreditCommand, command)), message.name
            case Incident():
                return self._incident_facts(state, message)

    def _refuse_agreeing_ahead(self, command: Command) -> None:
        if (
            isinstance(command, Agree)
            and command.up_to is not None
            and command.up_to > (last := self._store.position())
        ):
            raise Rejected("R5", "up_to", f"the log ends at position {last}: nobody agrees to what is not on record")

    def _incident_facts(self, incident: Incident, message: Message) -> tuple[Sequence[Fact], str | None]:
        command, coverage = message.command, None
        if isinstance(command, OpenIncident):
            self._refuse_opening_by_another(incident, message)
            coverage = self._coverage(command)
            belongs = coverage.contract or command.contract
        else:
            belongs = self._belongs(incident.opened)
        spoken: Command = command
        concerned = [self._contract(name).speakers for name in self._concerned(incident, belongs)]
        for speakers in concerned:
            spoken = as_spoken(speakers, message.source, spoken)
        if not concerned:
            spoken = as_spoken(NOBODY, message.source, spoken)
        facts = incidents.decide(incident, cast(IncidentCommand, spoken), coverage)
        for speakers in concerned:
            refuse_unappointed(speakers, message.source)
        return facts, belongs

    def _belongs(self, opened: IncidentOpened | None) -> str | None:
        """The contract that a request comes under, as its opening stands: since then one may have been signed."""
        if opened is None or opened.contract is not None:
            return opened.contract if opened else None
        return opened.answer.contract or (route.id if (route := self._route(opened)) else None)

    def _concerned(self, incident: Incident, belongs: str | None) -> list[str]:
        """The contracts whose parties are spoken of: that of the request, and that under which it was first recorded.

        Else whoever moved a request elsewhere for a while could speak of it for others meanwhile (R7).
        """
        first = incident.record[0] if incident.record else None
        at_first = self._belongs(first) if isinstance(first, IncidentOpened) else None
        return sorted({name for name in (belongs, at_first) if name is not None})

    def _refuse_opening_by_another(self, incident: Incident, message: Message) -> None:
        """Raise Rejected for a request that another source has opened: two desks may name theirs alike (R4)."""
        if incident.opened is None:
            return
        first = self.opened_by.get(message.stream) or self._streams.opened_by(message.stream)
        if first not in (None, message.source):
            raise Rejected("R4", "subject", f"incident {incident.id} was opened by source {first}: give the request of "
                           f"{message.source} its own id")  # fmt: skip

    def _coverage(self, command: OpenIncident) -> CoverageDecision:
        contract = self._route(command)
        account = self._account(contract.id) if contract else None
        return cover(contract, account, command.requested_by, command.at)

    def _route(self, request: OpenIncident | IncidentOpened) -> Contract | None:
        """The contract that a request leads to, by what is on record now."""
        return routed(
            request.contract,
            request.customer,
            request.system,
            request.at,
            self._contract,
            lambda: self._contracts_that_name(request.customer, request.system),
        ).contract

    def _contract(self, name: str) -> Contract:
        state = self.state(f"contract-{name}")
        if not isinstance(state, Contract):
            raise TypeError(f"contract-{name} is no contract")
        return state

    def _account(self, name: str) -> CreditAccount:
        state = self.state(f"credits-{name}")
        if not isinstance(state, CreditAccount):
            raise TypeError(f"credits-{name} is no account")
        return state

    def _contracts_that_name(self, customer: str | None, system: str | None) -> list[Contract]:
        """The contracts that have ever named a customer key or a system."""
        if self._contracts_of is None:
            self._contracts_of = defaultdict(set)
            for contract in self._every_contract():
                self._index(contract)
        names = self._contracts_of["customer", customer] | self._contracts_of["system", system]
        return [self._contract(name) for name in sorted(names)]

    def _index(self, contract: Contract) -> None:
        if self._contracts_of is not None:
            for customer in contract.customers:
                self._contracts_of["customer", customer].add(contract.id)
            for system in contract.systems_ever_declared:
                self._contracts_of["system", system].add(contract.id)

    def _every_contract(self) -> Iterator[Contract]:
        new = {stream for stream in self.changed if stream.startswith("contract-")}
        streams = sorted(new | set(self._store.stream_names("contract-")))
        self._streams.load(streams)
        return (self._contract(split_stream(stream).id) for stream in streams)
