"""Every command: its name, where it is defined, what it does in a line, examples. Nothing of it is loaded here."""

from typing import NamedTuple


class CommandEntry(NamedTuple):
    """A command as help lists it; `target` is the function, as module:name."""

    name: str
    target: str
    summary: str
    examples: tuple[str, ...]


GROUPS = {
    "contract": "Record a contract from a file.",
    "record": "Say something of facts on record: withdraw one, agree to it, correct it; say who speaks for whom.",
    "message": "Write and check messages without recording anything.",
    "import": "Bring in the history of another system.",
    "import mapping": "How to read a table of another system.",
    "refused": "Messages that were refused: each is kept whole, with the reason.",
    "waiting": "Messages that wait for the incident or contract they belong to.",
    "token": "Say who may post messages over HTTP, and as which source.",
    "report": "What the recorded facts mean.",
    "calendar": "The working hours of a contract's days; calendars to adopt.",
    "broker": "Prepare the broker that messages come from, or start one for a trial.",
}
"""Commands that hold others, by what they are for."""


def _report(name: str, summary: str, *examples: str) -> CommandEntry:
    typed = tuple(f"verbale report {name}{f' {options}' if options else ''}" for options in examples)
    return CommandEntry(f"report {name}", f"bin.commands.report:report_{name}", summary, typed)


COMMANDS = (
    CommandEntry(
        "--install-completion",
        "bin.commands.completion:install_completion",
        "Complete commands and options with the tab key, in this shell or the one named: bash, zsh, fish.",
        ("verbale --install-completion", "verbale --install-completion --shell zsh"),
    ),
    CommandEntry(
        "demo",
        "bin.commands.demo:demo",
        "A made-up year of a provider's contracts, recorded and reported. Start here.",
        ("verbale demo", "verbale demo somewhere-else"),
    ),
    CommandEntry(
        "contract sign",
        "bin.commands.contract:contract_sign",
        "Record the contract written in a TOML file: signature, option, calendar, credits.",
        ("verbale contract sign acme.toml",),
    ),
    CommandEntry(
        "contract example",
        "bin.commands.contract:contract_example",
        "Print a commented contract file.",
        ("verbale contract example > acme.toml",),
    ),
    CommandEntry(
        "record annul",
        "bin.commands.record:record_annul",
        "Withdraw a recorded fact: it counts as if it had never been recorded. It stays on record.",
        ('verbale record annul B-13 3 --by customer --why "of another request"',),
    ),
    CommandEntry(
        "record agree",
        "bin.commands.record:record_agree",
        "Record that a party agrees to a fact, or to every fact of a contract up to a position: an admission, for "
        "good.",
        ("verbale record agree B-13 3 --by customer", "verbale record agree bravo-2025 --up-to 200 --by customer"),
    ),
    CommandEntry(
        "record rectify",
        "bin.commands.record:record_rectify",
        "Correct one field of a recorded fact. What was recorded stays on record beside it.",
        ("verbale record rectify B-13 1 --field urgency --value high --why misheard",),
    ),
    CommandEntry(
        "record appoint",
        "bin.commands.record:record_appoint",
        "Appoint a source of messages to a party: from now on it speaks for that party, and for that party alone.",
        ("verbale record appoint bravo-2025 helpdesk:demo supplier",),
    ),
    CommandEntry(
        "record dismiss",
        "bin.commands.record:record_dismiss",
        "Dismiss a source of messages: from now on it speaks for no party of the contract.",
        ("verbale record dismiss bravo-2025 helpdesk:demo --source helpdesk:demo",),
    ),
    CommandEntry(
        "message example",
        "bin.commands.message_types:message_example",
        "Print a complete message of one type; into a file or a pipe, on one line, as `verbale ingest` takes it.",
        ("verbale message example incident.open",),
    ),
    CommandEntry(
        "message check",
        "bin.commands.message_types:message_check",
        "Check messages without recording them. Exit status 1 where any would be refused for its form.",
        ("verbale message check today.jsonl",),
    ),
    CommandEntry(
        "schema",
        "bin.commands.message_types:schema",
        "List the message types, or print the JSON Schema of one.",
        ("verbale schema incident.open", "verbale schema --into contract"),
    ),
    CommandEntry(
        "ingest",
        "bin.commands.ingest:ingest",
        "Record messages: JSON Lines of CloudEvents, from files or from standard input (-).",
        ("verbale ingest today.jsonl --refused refused.jsonl", "verbale ingest - < today.jsonl"),
    ),
    CommandEntry(
        "import servicenow",
        "bin.commands.import_servicenow:import_servicenow",
        "Import a ServiceNow incident log (CSV, one row per change; plain, .gz or .xz).",
        ("verbale import servicenow incidents.csv.gz --quarantine unusable.csv",),
    ),
    CommandEntry(
        "import events",
        "bin.commands.import_events:import_events",
        "Import any table with one row for each thing that happened to a case (CSV; plain, .gz or .xz).",
        ("verbale import events tickets.csv --mapping tickets.toml --preview",),
    ),
    CommandEntry(
        "import mapping example",
        "bin.commands.mapping:mapping_example",
        "Print a commented mapping.",
        ("verbale import mapping example > tickets.toml", "verbale import mapping example zammad"),
    ),
    CommandEntry(
        "refused list",
        "bin.commands.refused:refused_list",
        "List the messages that were refused and are not recorded since.",
        ("verbale refused list --source helpdesk:acme",),
    ),
    CommandEntry(
        "refused show",
        "bin.commands.refused:refused_show",
        "Show a refused message: all that is known of it, and what it says.",
        ("verbale refused show 3",),
    ),
    CommandEntry(
        "refused export",
        "bin.commands.refused:refused_export",
        "Write the refused messages to a file of JSON Lines, whole: correct them there, and give them to "
        "`verbale ingest`.",
        ("verbale refused export mine.jsonl --source helpdesk:acme",),
    ),
    CommandEntry(
        "refused retry",
        "bin.commands.refused:refused_retry",
        "Decide refused messages once more, as they are. Exit status 1 where any is refused again.",
        ("verbale refused retry 3 4", "verbale refused retry --all --clause R4"),
    ),
    CommandEntry(
        "waiting list",
        "bin.commands.waiting:waiting_list",
        "List the messages that wait for the incident or the contract they belong to, and until when they do.",
        ("verbale waiting list --stream incident-B-13",),
    ),
    CommandEntry(
        "sources",
        "bin.commands.sources:sources",
        "List who has written, when last, what became of it, and which of its own sequence numbers were never heard.",
        ("verbale sources --gaps",),
    ),
    CommandEntry(
        "token issue",
        "bin.commands.token:token_issue",
        "Let somebody post over HTTP as one source: print a new token, this once. Only its digest is kept.",
        ("verbale token issue helpdesk:acme",),
    ),
    CommandEntry(
        "token list",
        "bin.commands.token:token_list",
        "List the tokens: source, start of the digest, when issued, when revoked.",
        ("verbale token list",),
    ),
    CommandEntry(
        "token revoke",
        "bin.commands.token:token_revoke",
        "No longer take what is posted with a token; it stays on the list.",
        ("verbale token revoke 3f9a2c11",),
    ),
    _report(
        "compliance",
        "Each request: coverage, both clocks, verdicts, whose breach.",
        "--contract bravo-2025 --as-of 2026-01-01",
    ),
    _report(
        "breach",
        "Each window of each contract: late cases against the tolerance.",
        "--window quarter",
        "--as-of 2025-06-30 --known-on 2025-07-15",
    ),
    _report(
        "penalty",
        "Each contract: the maximum one-off penalty, and what was claimed, waived and paid.",
        "--as-of 2026-01-01",
        "--reading rate=words,one_sided=agreed",
    ),
    _report(
        "credits",
        "Each contract: credits bought, consumed, expired, refunded, left.",
        "--contract charlie-2025",
        "--by-package --format csv",
    ),
    _report(
        "commitments",
        "Hours and reviews of Conduzione, visits of Manutenzione: what each period was due, and what was done.",
        "--as-of 2026-01-01",
    ),
    _report(
        "systems",
        "Connected systems: when each was disclosed, and the requests that affect it, disclosed by then or not.",
        "--contract charlie-2025",
    ),
    _report("queue", "Open requests in the order in which they are to be served.", "", "--format json"),
    CommandEntry(
        "readings",
        "bin.commands.readings:readings",
        "The questions that the contract leaves open, and the answers that a reading may give to each.",
        ("verbale readings", "verbale readings --format json"),
    ),
    CommandEntry(
        "contracts",
        "bin.commands.contracts:contracts",
        "Every contract: how long it is in force, its customer keys, its options, its credits left.",
        ("verbale contracts --as-of 2025-06-30",),
    ),
    CommandEntry(
        "show",
        "bin.commands.contracts:show",
        "One contract on a date: parties' keys, terms, levels and calendar in force, options, credits, windows.",
        ("verbale show bravo-2025", "verbale show bravo-2025 --as-of 2025-06-30 --format json"),
    ),
    CommandEntry(
        "explain",
        "bin.commands.report:explain",
        "Both clocks of an incident, slice by slice: what counted, what did not, and why.",
        ("verbale explain B-13", "verbale explain B-13 --as-of 2025-06-05T10:00:00+02:00"),
    ),
    CommandEntry(
        "timeline",
        "bin.commands.report:timeline",
        "Every fact recorded in one stream, whole: who told it, how late, who agrees, what corrects it, its seal.",
        ("verbale timeline B-21", "verbale timeline credits-alfa-2025 --known-on 2025-06-30 --format csv"),
    ),
    CommandEntry(
        "facts",
        "bin.commands.facts:facts",
        "The facts of all streams in the order in which they were recorded: late, corrected, told by one party alone.",
        ("verbale facts --late --since 2025-06-01", "verbale facts --one-sided --by supplier --contract bravo-2025"),
    ),
    CommandEntry(
        "unrouted",
        "bin.commands.report:unrouted",
        "Requests that no contract takes, what each names, and why that leads nowhere.",
        ("verbale unrouted --format json",),
    ),
    CommandEntry(
        "reconcile",
        "bin.commands.reconcile:reconcile",
        "Compare a help desk's own export (CSV, one row for each incident) with the record.",
        ("verbale reconcile export.csv --source helpdesk:tickets --from 2025-01-01",),
    ),
    CommandEntry(
        "calendar",
        "bin.commands.calendar:calendar_show",
        "The working hours of each day of a contract: open when, if not why not, by which calendar and agreement.",
        ("verbale calendar alfa-2025 --from 2025-11-24 --to 2025-11-30",),
    ),
    CommandEntry(
        "calendar propose",
        "bin.commands.calendar:calendar_propose",
        "The public holidays that the holidays library knows, to be looked at. Nothing is recorded.",
        ("verbale calendar propose --years 2026-2030 --subdivision MI",),
    ),
    CommandEntry(
        "calendar adopt",
        "bin.commands.calendar:calendar_adopt",
        "Record the working calendar of some years: the public holidays proposed, and the hours the contract has.",
        ("verbale calendar adopt acme-2026 --years 2026-2030 --subdivision MI",),
    ),
    CommandEntry(
        "consume",
        "bin.commands.consume:consume",
        "Take messages from the broker and over HTTP, until stopped: record them, and publish what became of each.",
        ("verbale consume --store postgresql://verbale@localhost/verbale",),
    ),
    CommandEntry(
        "broker",
        "bin.commands.broker:broker",
        "Start a NATS server for a trial, with everything set up for this ledger. Ctrl-C stops it; what it holds "
        "stays.",
        ("verbale broker", "verbale broker somewhere-else --port 4222"),
    ),
    CommandEntry(
        "broker setup",
        "bin.commands.broker:broker_setup",
        "Make the streams, queues and consumers that this ledger needs at the broker (VERBALE_BROKER).",
        ("verbale broker setup",),
    ),
    CommandEntry(
        "publish",
        "bin.commands.broker:publish",
        "Publish messages to the broker (VERBALE_BROKER): JSON Lines, from files or from standard input (-).",
        ("verbale publish today.jsonl",),
    ),
    CommandEntry(
        "project",
        "bin.commands.live_tables:project",
        "Keep the live tables current: made where there are none, then kept within a second of the record.",
        ("verbale project --once",),
    ),
    CommandEntry(
        "rebuild",
        "bin.commands.live_tables:rebuild",
        "Make the live tables anew from every fact, beside the old ones, and swap them in one step.",
        ("verbale rebuild",),
    ),
    CommandEntry(
        "replay",
        "bin.commands.live_tables:replay",
        "Make the same tables at another time or under another reading, somewhere else; never the live ones.",
        ("verbale replay --into june.db --as-of 2025-06-30 --reading rate=words",),
    ),
    CommandEntry(
        "status",
        "bin.commands.live_tables:status",
        "How the store and its live tables stand: facts, messages, positions, lag.",
        ("verbale status --format json",),
    ),
    CommandEntry(
        "doctor",
        "bin.commands.live_tables:doctor",
        "What is wrong with the store and its live tables, and what to do about it. Exit status 1 where anything is.",
        ("verbale doctor",),
    ),
    CommandEntry(
        "tables",
        "bin.commands.tables:tables",
        "List the reporting tables, or the columns of one with their meaning.",
        ("verbale tables windows",),
    ),
)
