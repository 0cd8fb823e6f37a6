"""Decisions: which facts a message adds, given the states of the streams and what its batch has changed so far."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import reduce
from typing import Any, cast

from adapters.inbox.messages import Message
from adapters.inbox.streams import State, Streams
from adapters.store.recorder import Recorder
from domain import contract as contracts
from domain import credits as accounts
from domain import incident as incidents
from domain.contract import Contract
from domain.contract_facts import ContractCommand, RenewContract, SignContract
from domain.coverage import CoverageDecision, cover
from domain.credit_facts import CreditCommand
from domain.credits import CreditAccount
from domain.facts import Fact
from domain.incident import Incident
from domain.incident_facts import IncidentCommand, OpenIncident
from domain.routing import refuse_shared_customers, routed
from domain.streams import split_stream

_ROUTING_FIELDS = {SignContract.TYPE: "customers", RenewContract.TYPE: "until"}
"""Which field of a command gives the customers whose requests a contract takes, or until when it takes them."""


class Decisions:
    """The decisions of one batch: each sees the states that the ones before it have `changed`."""

    def __init__(self, streams: Streams, store: Recorder) -> None:
        self._streams, self._store = streams, store
        self.changed: dict[str, State] = {}
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

    def change(self, stream: str, state: State) -> None:
        """Go on with another state of a stream."""
        self.changed[stream] = state
        if isinstance(state, Contract):
            self._index(state)

    def facts(self, message: Message) -> tuple[Sequence[Fact], str | None]:
        """The facts that a message adds, and the contract it belongs to (if any). Raises Rejected, NotYet.

        The type of a message is checked against its stream when it is read: hence the casts.
        """
        state, command = self.state(message.stream), message.command
        match state:
            case Contract():
                return self._contract_facts(state, command), message.name
            case CreditAccount():
                contracts.require_signed(self._contract(message.name))
                return accounts.decide(state, cast(CreditCommand, command)), message.name
            case Incident():
                return self._incident_facts(state, cast(IncidentCommand, command))

    def _contract_facts(self, contract: Contract, command: Any) -> Sequence[Fact]:
        facts = contracts.decide(contract, cast(ContractCommand, command))
        after = reduce(contracts.evolve, facts, contract)
        routing_changed = (after.signed, after.in_force_intervals) != (contract.signed, contract.in_force_intervals)
        if after.signed is not None and after.signed.customers and routing_changed:
            field = _ROUTING_FIELDS.get(command.TYPE, "value")
            refuse_shared_customers(after, self._every_contract(), field)
        return facts

    def _incident_facts(self, incident: Incident, command: IncidentCommand) -> tuple[Sequence[Fact], str | None]:
        if not isinstance(command, OpenIncident):
            opened = incident.opened
            belongs = (opened.contract or opened.answer.contract) if opened else None
            return incidents.decide(incident, command), belongs
        coverage = self._coverage(command)
        return incidents.decide(incident, command, coverage), coverage.contract or command.contract

    def _coverage(self, command: OpenIncident) -> CoverageDecision:
        contract = routed(
            command.contract,
            command.customer,
            command.system,
            command.at,
            self._contract,
            lambda: self._contracts_that_name(command.customer, command.system),
        ).contract
        account = self._account(contract.id) if contract else None
        return cover(contract, account, command.requested_by, command.at)

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
