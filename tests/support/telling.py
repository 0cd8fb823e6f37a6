"""Tells a random history to a command handler, and gives the facts that it recorded as the oracle reads them."""

from collections.abc import Iterable
from random import Random

from adapters.inbox.handler import CommandHandler
from adapters.inbox.outcomes import Done, Refused, Reply
from support.messages import Clock
from support.oracle import Fact, fact
from support.random_facts import ABOUT, MINUTE, History, Message, wire


class Told:
    """What became of a history: the facts recorded, in order, and the messages refused with the reason."""

    def __init__(self, handler: CommandHandler, clock: Clock) -> None:
        self.handler, self.clock = handler, clock
        self.facts: list[Fact] = []
        self.refused: list[tuple[Message, Refused]] = []
        self.sent: dict[str, Message] = {}
        self.by_id: dict[str, Fact] = {}

    def tell(self, history: History) -> "Told":
        """Record it as it arrives, in batches of a few messages, each as the last of them arrives."""
        waiting, rng = list(history.arrivals), Random(history.seed)
        while waiting:
            size = rng.randint(1, 8)
            batch, waiting = waiting[:size], waiting[size:]
            self.clock.now = max(self.clock.now, batch[-1][0] * MINUTE)
            resolved = [self._resolved(message) for _, message in batch]
            answered = self.handler.handle([wire(one) for one in resolved if one is not None])
            self._note([*answered.replies, *answered.woken, *answered.expired])
        return self

    def _resolved(self, message: Message) -> Message | None:
        """A correction with the version that its target has on record; None where it has none."""
        self.sent[message["id"]] = message
        if ABOUT not in message["data"]:
            return message
        target = self.by_id.get(message["data"][ABOUT])
        if target is None:
            return None
        rest = {name: value for name, value in message["data"].items() if name != ABOUT}
        named = {"up_to": target.position} if rest.get("up_to") else {"version": target.version}
        resolved = {**message, "data": {**rest, **named}}
        self.sent[message["id"]] = resolved
        return resolved

    def _note(self, replies: Iterable[Reply]) -> None:
        for reply in replies:
            assert reply.identity is not None
            message = self.sent[reply.identity[1]]
            if isinstance(reply.outcome, Done):
                told = fact(message, reply.outcome.leaf + 1, reply.outcome.version, self.clock.now)
                self.facts.append(told)
                self.by_id[message["id"]] = told
            elif isinstance(reply.outcome, Refused):
                self.refused.append((message, reply.outcome))
        self.facts.sort(key=lambda one: one.position)
