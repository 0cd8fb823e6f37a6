"""Every contract in a line: how long it is in force, its customer keys, its options, its credits left (G1, G2)."""

from adapters.reports.columns import Column, flag, instant, integer, listed, text
from adapters.reports.report import Definition
from adapters.reports.screen import ScreenColumn, at, plain, yes
from projections.contract_sheet import ContractSheet

COLUMNS: tuple[Column[ContractSheet], ...] = (
    text("contract", "the contract", lambda sheet: sheet.name),
    flag("is_in_force", "whether it is in force at the instant asked about", lambda sheet: sheet.is_in_force),
    instant("in_force_from", "since when", lambda sheet: sheet.in_force[0].start if sheet.in_force else None),
    instant(
        "in_force_until",
        "until when (excluded); none while it has no end",
        lambda sheet: sheet.in_force[-1].end if sheet.in_force else None,
        optional=True,
    ),
    listed("customers", "its customer keys", lambda sheet: list(sheet.customers)),
    listed("options", "the services that are active", lambda sheet: [str(service) for service in sheet.options]),
    integer("credits_left", "minutes available", lambda sheet: sheet.credits.left),
    text("terms", "assumed, or signed", lambda sheet: sheet.terms.source),
)

REPORT: Definition[ContractSheet] = Definition(
    name="contracts",
    title="Contracts",
    columns=COLUMNS,
    screen=(
        plain("contract"),
        yes("is_in_force", "in force"),
        at("in_force_from", "from"),
        at("in_force_until", "to"),
        ScreenColumn("customer keys", lambda row, _: ", ".join(row["customers"]) or "-"),
        ScreenColumn("options", lambda row, writing: ", ".join(map(writing.say, row["options"])) or "-"),
        ScreenColumn(
            "credits left, minutes", lambda row, writing: writing.say.number(row["credits_left"]), number=True
        ),
    ),
    empty="No contract is signed.",
)
