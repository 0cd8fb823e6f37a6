"""What tests share: named examples, histories and messages in a few words, private servers, given/when/then.

A thing that happens can be written in four ways; a test takes the one of the floor that it tests.

- `examples.py`, for the deciders (`domain`): named commands and facts of one contract, instants in microseconds
  (`MONDAY_9`). Given these facts, when this command, then these facts.
- `history.py`, for the folds (`projections`): a journal in words (`opened("Mon 09:00")`), in order of recording, judged
  under any reading. It makes facts directly: no decider has a say in them.
- `messages.py`, for the inbox, the stores and all that is built on them: messages as bytes on the wire, clocks that
  stand still, ledgers to send them to.
- `worlds.py`, for properties: random histories of messages, late, repeated and rectified, for what has to hold of
  all of them (live tables = replay).

`oracle/` is the contract read once more, minute by minute, by a program that knows nothing of this one; it judges the
histories that `random_histories.py` makes from a seed, which `telling.py` records and `comparing.py` compares.

`history.py` and `examples.py` have functions of the same names (`signed`, `opened`): import from one of
them, or rename.
`spec.py` is given/when/then itself. `disputes.py` reads whole disputes from Markdown (`tests/scenarios/`); `offices.py`
has a ledger with its live tables; `servers.py` and `brokers.py` start private servers, and `costs.py` knows which tests
need them.
"""
