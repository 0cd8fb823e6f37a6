"""The command that prints a mapping to start from."""

from typing import Literal

from adapters.imports.activity_log_mapping import example as activity_log_example
from adapters.imports.desk_export import example as export_example
from adapters.imports.mapping import shipped


def mapping_example(kind: Literal["events", "reconcile", "zammad", "glpi", "jira"] = "events", /) -> None:
    """Print a commented mapping.

    Parameters
    ----------
    kind
        events: for import events. reconcile: for reconcile, which uses this one where no other is given. zammad, glpi
        and jira: for the webhooks of these help desks.
    """
    match kind:
        case "events":
            text = activity_log_example()
        case "reconcile":
            text = export_example()
        case _:
            text = shipped(kind)
    print(text, end="")
